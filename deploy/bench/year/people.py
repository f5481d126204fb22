"""The roster of the year: who a member is follows from the member's number, so nobody is kept."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from deploy.demo.people import (
    BANKS,
    GIVEN,
    ROSTER_COLUMNS,
    SURNAMES,
    Person,
    card,
    id_number,
)

MEMBERS_PER_UNIT: Final = 5_000
COVERED_FROM: Final = date(2024, 1, 1)
# A wrong card is put right by one of another number, which still tells whose it is.
_RIGHT_CARDS: Final = 50_000_000
_WRONG_CARDS: Final = 0.005
_PRIME: Final = 2_654_435_761
_CARD_DIGITS: Final = slice(10, 18)
_PHONE_DIGITS: Final = slice(3, 11)


def member(number: int, *, card_number: str | None = None) -> Person:
    """Give the member of a number, from 1; hired before the first day of cover."""
    mixed = _mixed(number)
    hired_on = COVERED_FROM - timedelta(days=30 + mixed % 4_000)
    bank = BANKS[mixed // 7 % len(BANKS)]
    own = card_number or card(number)
    return Person(name_of(number), id_number(number), f"138{number:08d}", own, bank, hired_on)


def name_of(number: int) -> str:
    mixed = _mixed(number)
    name = SURNAMES[mixed % len(SURNAMES)] + GIVEN[mixed // 20 % len(GIVEN)]
    return name + GIVEN[mixed // 620 % len(GIVEN)] if mixed % 3 else name


def _mixed(number: int) -> int:
    """Scatter a number: neighbours share neither name nor bank."""
    return number * _PRIME >> 7


def right_card(number: int) -> str:
    """Give the card by which the officer puts a wrong one right."""
    return card(_RIGHT_CARDS + number)


def by_card(account: str) -> int:
    """Say whose account it is."""
    return int(account[_CARD_DIGITS]) % _RIGHT_CARDS


def by_phone(phone: str) -> int:
    return int(phone[_PHONE_DIGITS])


def wrong_cards(roster: int, seed: int) -> list[int]:
    """Choose the members whose card is another's: one in 200."""
    rng = random.Random(seed)  # noqa: S311 - made-up people need no secrets
    return sorted(rng.sample(range(1, roster + 1), round(roster * _WRONG_CARDS)))


def units(roster: int) -> Iterator[tuple[str, range]]:
    """Give each unit's code and its members' numbers."""
    for place, first in enumerate(range(1, roster + 1, MEMBERS_PER_UNIT)):
        yield f"Y{place:04d}", range(first, min(first + MEMBERS_PER_UNIT, roster + 1))


def roster_file(people: Iterator[Person]) -> bytes:
    lines = [",".join(ROSTER_COLUMNS), *(",".join(one.roster_row()) for one in people)]
    return ("\n".join(lines) + "\n").encode()
