"""Whether a reader of an event as it was can read it as it is, and a reader of today's the old one.

Fields may be added if they need not be there, and an enumeration may grow; nothing else changes
within a version of an event's type. What must change otherwise becomes a new type.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

# Words of JSON Schema that say nothing of what is allowed.
_PROSE = frozenset({"title", "description", "default"})
# Words that are compared by a rule of their own; all others must stay as they are.
_RULED = _PROSE | {"properties", "required", "enum", "$ref", "items", "anyOf"}


def breakages(before: Schema, now: Schema) -> list[str]:
    """Give what breaks between two versions of one event's contract."""
    found = [f"its {name} is another" for name in ("topic", "key") if before[name] != now[name]]
    compare = _Comparison(before["schemas"], now["schemas"])
    return found + list(
        compare.schema("", before["schemas"][before["event"]], now["schemas"][now["event"]])
    )


class _Comparison:
    def __init__(self, before: Schema, now: Schema) -> None:
        self._before = before
        self._now = now

    def schema(self, at: str, before: Schema, now: Schema) -> Iterator[str]:
        before, now = _resolved(before, self._before), _resolved(now, self._now)
        words = (before.keys() | now.keys()) - _RULED
        if any(before.get(word) != now.get(word) for word in words):
            yield f"{at or 'it'} has another type or bound"
            return
        yield from _enumeration(at, before.get("enum"), now.get("enum"))
        yield from self._fields(at, before, now)
        yield from self._parts(at, [before.get("items", {})], [now.get("items", {})])
        yield from self._parts(at, before.get("anyOf", []), now.get("anyOf", []))

    def _fields(self, at: str, before: Schema, now: Schema) -> Iterator[str]:
        known, fields = before.get("properties", {}), now.get("properties", {})
        had_to, has_to = set(before.get("required", ())), set(now.get("required", ()))
        for name in known:
            where = f"{at}.{name}".lstrip(".")
            if name not in fields:
                yield f"{where} is gone"
                continue
            if name in had_to - has_to:
                yield f"{where} need not be there any more"
            if name in has_to - had_to:
                yield f"{where} has to be there now"
            yield from self.schema(where, known[name], fields[name])
        for name in sorted(has_to - known.keys()):
            yield f"{at}.{name} is new and has to be there".lstrip(".")

    def _parts(self, at: str, before: Sequence[Schema], now: Sequence[Schema]) -> Iterator[str]:
        if len(before) != len(now):
            yield f"{at} has another type or bound"
            return
        for old, new in zip(before, now, strict=True):
            if old or new:
                yield from self.schema(at, old, new)


def _resolved(schema: Schema, known: Schema) -> Schema:
    reference = schema.get("$ref")
    return schema if reference is None else known[reference.rpartition("/")[2]]


def _enumeration(
    at: str, before: Sequence[object] | None, now: Sequence[object] | None
) -> Iterator[str]:
    if (before is None) != (now is None):
        yield f"{at} has another type or bound"
    elif before is not None and now is not None:
        for value in before:
            if value not in now:
                yield f"{at} lacks the value {value}"
