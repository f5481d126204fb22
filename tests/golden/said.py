"""What a worked case says, read by name and type; what nobody has read is told."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, TypeVar, cast

from services.common.money import Fen, parse_yuan

T = TypeVar("T")


class CaseUnreadable(Exception):
    """The case does not say what its plan needs, or says what the plan does not know."""


class Said:
    """The inputs of a case; every field is read once by its name."""

    def __init__(self, inputs: Mapping[str, object]) -> None:
        self._inputs: Final = inputs
        self._unread = set(inputs)

    def has(self, name: str) -> bool:
        return name in self._inputs

    def yuan(self, name: str, default: str | None = None) -> Fen:
        return parse_yuan(self._read(name, str, default))

    def flag(self, name: str, *, default: bool | None = None) -> bool:
        return self._read(name, bool, default)

    def number(self, name: str, default: int | None = None) -> int:
        return self._read(name, int, default)

    def word(self, name: str, default: str | None = None) -> str:
        return self._read(name, str, default)

    def day(self, name: str, default: date | None = None) -> date:
        # YAML makes a date of a day that stands without quotation marks.
        if isinstance(self._inputs.get(name), date):
            return self._read(name, date, default)
        text = self._read(name, str, None if default is None else default.isoformat())
        return date.fromisoformat(text)

    def mapping(self, name: str) -> Mapping[str, object]:
        return cast("Mapping[str, object]", self._read(name, dict, {}))

    def parts(self, name: str) -> list[Mapping[str, Any]]:
        return cast("list[Mapping[str, Any]]", self._read(name, list, None))

    def unread(self) -> list[str]:
        """Name the fields that are not the plan's."""
        return sorted(self._unread)

    def _read(self, name: str, kind: type[T], default: T | None) -> T:
        self._unread.discard(name)
        value = self._inputs.get(name, default)
        if value is None:
            raise CaseUnreadable(f"{name} is missing")
        # Not isinstance: true and false are numbers to Python.
        if type(value) is not kind:
            raise CaseUnreadable(f"{name} is no {kind.__name__}: {value!r}")
        return cast("T", value)
