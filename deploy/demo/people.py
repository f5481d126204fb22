"""People who do not exist, yet whose numbers hold: check digits right, no two alike."""

import random
from datetime import date, timedelta
from typing import NamedTuple

ROSTER_COLUMNS = (
    "name",
    "id_type",
    "id_number",
    "phone",
    "card_number",
    "card_bank",
    "employment_status",
    "hired_on",
    "schemes",
    "groups",
)
SCHEMES = "bj.mutual:1"

SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡林郭何高罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华文建国玉兰红"
BANKS = ("工商银行", "建设银行", "农业银行", "北京银行")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_SIGNS = "10X98765432"
_FIRST_BIRTHDAY = date(1967, 1, 1)
_BIRTHDAYS = 12_000  # 7919 is prime to it, so neighbours are born far apart and none is twice there
_LATE = 0.1  # so many were hired while the feed's time was already running


class Person(NamedTuple):
    name: str
    id_number: str
    phone: str
    card: str
    bank: str
    hired_on: date
    schemes: str = SCHEMES
    groups: str = ""

    @property
    def plans(self) -> list[str]:
        """Give the schemes that the person holds, by their ids."""
        return [held.partition(":")[0] for held in self.schemes.split(";")]

    def roster_row(self) -> tuple[str, ...]:
        numbers = ("01", self.id_number, self.phone, self.card, self.bank)
        hired_on = self.hired_on.isoformat()
        return (self.name, *numbers, "in_service", hired_on, self.schemes, self.groups)


def person(index: int, rng: random.Random, first_day: date, last_day: date) -> Person:
    """Make the person with this number; the same index is never given to two."""
    given = "".join(rng.choices(GIVEN, k=rng.choice((1, 2, 2))))
    name = rng.choice(SURNAMES) + given
    hired_on = first_day - timedelta(days=rng.randrange(30, 4_000))
    if rng.random() < _LATE:
        hired_on = first_day + (last_day - first_day) * rng.uniform(0.2, 0.8)
    bank = rng.choice(BANKS)
    return Person(name, id_number(index), f"138{index:08d}", card(index), bank, hired_on)


def id_number(index: int) -> str:
    born = _FIRST_BIRTHDAY + timedelta(days=index * 7_919 % _BIRTHDAYS)
    digits = f"110101{born:%Y%m%d}{100 + index // _BIRTHDAYS:03d}"
    weighted = sum(int(d) * weight for d, weight in zip(digits, _WEIGHTS, strict=True))
    return digits + _CHECK_SIGNS[weighted % 11]


def card(index: int) -> str:
    """Give a card number of nineteen digits that passes Luhn's check."""
    digits = f"6217000000{index:08d}"
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in reversed(digits[1::2])]
    plain = [int(digit) for digit in digits[0::2]]
    return f"{digits}{-(sum(doubled) + sum(plain)) % 10}"
