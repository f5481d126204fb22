"""The roster of the year: who a member is follows from the member's number, so nobody is kept."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from deploy.demo.people import ROSTER_COLUMNS, Person, card, id_number

MEMBERS_PER_UNIT: Final = 5_000
COVERED_FROM: Final = date(2024, 1, 1)
# A wrong card is put right by one of another number, which still tells whose it is.
_RIGHT_CARDS: Final = 50_000_000
_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙马朱胡林郭何高罗"
_GIVEN: Final = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华文建国玉兰红"
_BANKS: Final = ("工商银行", "建设银行", "农业银行", "北京银行")
_WRONG_CARDS: Final = 0.005
_PRIME: Final = 2_654_435_761
_CARD_DIGITS: Final = slice(10, 18)
_PHONE_DIGITS: Final = slice(3, 11)


def member(number: int, *, card_number: str | None = None) -> Person:
    """Give the member of a number, from 1; hired before the first day of cover."""
    mixed = _mixed(number)
    hired_on = COVERED_FROM - timedelta(days=30 + mixed % 4_000)
    bank = _BANKS[mixed // 7 % 4]
    own = card_number or card(number)
    return Person(name_of(number), id_number(number), f"138{number:08d}", own, bank, hired_on)


def name_of(number: int) -> str:
    mixed = _mixed(number)
    name = _SURNAMES[mixed % len(_SURNAMES)] + _GIVEN[mixed // 20 % len(_GIVEN)]
    return name + _GIVEN[mixed // 620 % len(_GIVEN)] if mixed % 3 else name


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
