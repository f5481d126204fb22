"""The text of a scheme file: what it says, and on which line."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import yaml


class Unreadable(Exception):
    """The text is no YAML, or YAML that does not say one thing."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


class Place(NamedTuple):
    """A node of the text under the path that msgspec would give it, `$.benefits.medical`."""

    path: str
    line: int
    node: yaml.Node


class Text:
    """A scheme file that was read; raises `Unreadable`."""

    raw: Final[object]

    def __init__(self, content: bytes) -> None:
        self._root: yaml.Node | None = None
        try:
            loader = _Loader(content.decode("utf-8"))
            self._root = loader.get_single_node()
            _refuse_aliases(self._root)
            self.raw = None if self._root is None else loader.whole(self._root)
        except UnicodeDecodeError as error:
            raise Unreadable(_line(content, error.start), "not UTF-8") from error
        except _Alias as error:
            raise Unreadable(error.line, "an alias; every value is written out") from error
        except yaml.reader.ReaderError as error:
            raise Unreadable(_line(content, error.position), error.reason) from error
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            reason = ", ".join(filter(None, (error.context, error.problem)))
            raise Unreadable(mark.line + 1 if mark else 1, reason) from error
        except _Misread as error:
            path = next(place.path for place in self._places() if place.node is error.node)
            raise Unreadable(error.line, f"{path.removeprefix('$.')}: {error.reason}") from error

    def line(self, path: str) -> int:
        """Give the line of what stands under the path, or should stand there."""
        lines = {place.path: place.line for place in self._places()}
        while path not in lines and path != "$":
            path = path[: max(path.rfind("."), path.rfind("["))]
        return lines.get(path, 1)

    def _places(self) -> Iterator[Place]:
        return iter(()) if self._root is None else _walk(self._root, "$", self._root)


class _Alias(Exception):
    """A node that stands in two places: a few of them make a text of any length."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


class _Misread(Exception):
    """A node of the text that stands for nothing, or for two things."""

    def __init__(self, node: yaml.Node, line: int, reason: str) -> None:
        super().__init__(reason)
        self.node = node
        self.line = line
        self.reason = reason


class _Loader(yaml.CSafeLoader):
    """The safe loader, seven times as fast as the one in Python; it loses nothing silently."""

    def whole(self, root: yaml.Node) -> object:
        return self.construct_document(root)  # pyright: ignore[reportUnknownMemberType] (a stub without types)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 (PyYAML's own signature)
        try:
            return super().construct_object(node, deep=deep)  # pyright: ignore[reportUnknownMemberType] (a stub without types)
        except ValueError as error:  # a day that no calendar has, like 2018-02-30
            raise _Misread(node, _first_line(node), str(error)) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 (PyYAML's own signature)
        # PyYAML keeps the last of two equal keys; a figure must not vanish that way.
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise _Misread(node, _first_line(key), f"{key.value} stands twice")
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def refuse_float(self, node: yaml.Node) -> float:
        # A float has lost digits before anybody can ask whether it was an amount or a rate.
        reason = f"{node.value} without quotation marks; amounts and rates are text"
        raise _Misread(node, _first_line(node), reason)


_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.refuse_float)


def _walk(node: yaml.Node, path: str, starts: yaml.Node) -> Iterator[Place]:
    """Walk all nodes; a value stands under the path and on the line of its key."""
    yield Place(path, _first_line(starts), node)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield Place(f"{path}.{key.value}", _first_line(key), key)
            yield from _walk(value, f"{path}.{key.value}", key)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _walk(value, f"{path}[{index}]", value)


def _refuse_aliases(root: yaml.Node | None) -> None:
    seen: set[int] = set()
    left = [] if root is None else [root]
    while left:
        node = left.pop()
        if id(node) in seen:
            raise _Alias(_first_line(node))
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            left += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            left += node.value


def _first_line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _line(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position) + 1
