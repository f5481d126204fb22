"""The text of a scheme file: what it says, and on which line."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import yaml

_DEPTH_MAX: Final = 32


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
            text = content.decode("utf-8")
            _refuse_bombs(text)
            loader = _Loader(text)
            self._root = loader.get_single_node()
            self.raw = None if self._root is None else loader.whole(self._root)
        except UnicodeDecodeError as error:
            raise Unreadable(_line(content, error.start), "not UTF-8") from error
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


def _refuse_bombs(text: str) -> None:
    """Look at the text before anything is built of it: some short ones would fill any memory."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.anchor:
            raise Unreadable(_line_of(event), "an anchor; every value is written out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEPTH_MAX:
            raise Unreadable(_line_of(event), "nested too deeply")


def _line_of(event: yaml.Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1


def _first_line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _line(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position) + 1
