"""What names a person: shown as a mask, opened by one greppable call, checked on entry."""

import re
from datetime import date
from functools import lru_cache
from operator import mul
from typing import Literal, final


class Masked:
    """A value that prints as its mask; only `.open()` gives it away."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def open(self) -> str:
        return self._secret

    def mask(self) -> str:
        return "***"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.mask()})"

    def __str__(self) -> str:
        return self.mask()

    def __format__(self, spec: str) -> str:
        return format(self.mask(), spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Masked) and (type(self), self._secret) == (
            type(other),
            other._secret,
        )

    def __hash__(self) -> int:
        return hash((type(self), self._secret))


@final
class IdNumber(Masked):
    """1101**********0011; shorter papers show a smaller part of themselves."""

    __slots__ = ()

    def mask(self) -> str:
        number = self._secret
        shown = min(4, len(number) // 4)
        hidden = "*" * (len(number) - 2 * shown)
        return number[:shown] + hidden + number[len(number) - shown :]


@final
class PersonName(Masked):
    """张*, however long the name is."""

    __slots__ = ()

    def mask(self) -> str:
        return self._secret[:1] + "*"


@final
class Phone(Masked):
    """138****5678."""

    __slots__ = ()

    def mask(self) -> str:
        return f"{self._secret[:3]}****{self._secret[-4:]}"


@final
class CardNumber(Masked):
    """…5678."""

    __slots__ = ()

    def mask(self) -> str:
        return f"…{self.tail()}"

    def tail(self) -> str:
        """Give the four digits that a text may show."""
        return self._secret[-4:]


@final
class Diagnosis(Masked):
    __slots__ = ()


_CHECK_SIGNS = "10X98765432"
# Of GB 11643, a weight for each digit.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
# Counties, birthdays and numbers of one day are few: what was found out about each is kept.
_PARTS_KEPT_MAX = 65_536
# The rows of one person come side by side.
_NUMBERS_KEPT_MAX = 256
_ID_CHARS = 18
_RESIDENT_ID = re.compile(r"[0-9]{17}[0-9X]")
_PHONE = re.compile(r"(?:\+86|0086|86)?(1[3-9][0-9]{9})")
_CARD = re.compile(r"[0-9]{10,32}")


def resident_id(text: str, *, born_by: date) -> IdNumber | None:
    """GB 11643: check digit right (x is taken for X), birth date real and not after `born_by`."""
    number = text.upper()
    return IdNumber(number) if is_resident_id(number, born_by=born_by) else None


def is_resident_id(number: str, *, born_by: date) -> bool:
    """Say whether a number in capitals is a resident's, as `resident_id` does."""
    born = _born_with(number)
    return born is not None and born <= born_by


@lru_cache(_NUMBERS_KEPT_MAX)
def _born_with(number: str) -> date | None:
    """Give the birthday that a resident's number tells of; None where it is none's."""
    if len(number) != _ID_CHARS:
        return None
    county, day = _weighted(number[:6], 0), _weighted(number[6:14], 6)
    order, born = _weighted(number[14:17], 14), _born(number[6:14])
    if county is None or day is None or order is None:
        return None
    return born if _CHECK_SIGNS[(county + day + order) % 11] == number[17] else None


@lru_cache(_PARTS_KEPT_MAX)
def _weighted(digits: str, place: int) -> int | None:
    """Sum the digits from that place on by their weights; None where they are none."""
    if not (digits.isascii() and digits.isdigit()):
        return None
    return sum(map(mul, map(int, digits), _WEIGHTS[place:]))


@lru_cache(_PARTS_KEPT_MAX)
def _born(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def born_on(number: IdNumber) -> date | None:
    """Read the day of birth from a resident's number; other papers do not tell it."""
    text = number.open()
    return _born(text[6:14]) if _RESIDENT_ID.fullmatch(text) else None


def sex_of(number: IdNumber) -> Literal["F", "M"] | None:
    """Read the sex from a resident's number: the last of its sequence is odd for men."""
    text = number.open()
    if _RESIDENT_ID.fullmatch(text) is None:
        return None
    return "M" if int(text[16]) % 2 else "F"


def mobile_phone(text: str) -> Phone | None:
    """Take +86, 0086 and 86 in front; the number is kept as its eleven digits."""
    found = _PHONE.fullmatch(text)
    return None if found is None else Phone(found[1])


def card_number(text: str) -> CardNumber | None:
    """Digits only, and no check of Luhn's: passbooks and some local banks do not follow it."""
    return CardNumber(text) if _CARD.fullmatch(text) else None
