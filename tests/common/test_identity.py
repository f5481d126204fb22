"""Papers are checked on entry and never seen afterwards."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.identity import (
    CardNumber,
    Diagnosis,
    IdNumber,
    Masked,
    PersonName,
    Phone,
    born_on,
    card_number,
    mobile_phone,
    resident_id,
)

LATER = date(2030, 1, 1)
# The vector of GB 11643, a woman's, a leap day, and a residence permit of Hong Kong's.
RIGHT = [
    "11010519491231002X",
    "110101199003070011",
    "500101200002290029",
    "371002196308150043",
    "810000198504120012",
]


@pytest.mark.parametrize("number", RIGHT)
def test_a_right_number_is_taken(number: str) -> None:
    found = resident_id(number, born_by=LATER)
    assert found is not None
    assert found.open() == number


def test_a_small_x_is_taken_for_a_large_one() -> None:
    assert resident_id("11010519491231002x", born_by=LATER) == IdNumber("11010519491231002X")


@given(st.sampled_from(RIGHT), st.integers(0, 17), st.sampled_from("0123456789"))
def test_one_wrong_digit_never_passes(number: str, place: int, digit: str) -> None:
    wrong = number[:place] + digit + number[place + 1 :]
    assert (resident_id(wrong, born_by=LATER) is None) == (wrong != number)


@pytest.mark.parametrize(
    "number", ["", "110105194912310", "11010519491231002X0", "１1010519491231002X", "X" * 18]
)
def test_what_has_another_shape_is_refused(number: str) -> None:
    assert resident_id(number, born_by=LATER) is None


def test_a_birthday_that_never_was_is_refused_though_the_check_digit_is_right() -> None:
    assert born_on(IdNumber("110101199002300011")) is None
    passing = [f"11010119900230001{sign}" for sign in "0123456789X"]
    assert [resident_id(number, born_by=LATER) for number in passing] == [None] * len(passing)


def test_nobody_is_treated_before_birth() -> None:
    assert resident_id("110101199003070011", born_by=date(1990, 3, 6)) is None
    assert resident_id("110101199003070011", born_by=date(1990, 3, 7)) is not None


@pytest.mark.parametrize(
    ("value", "mask"),
    [
        (IdNumber("110101199003070011"), "1101**********0011"),
        (IdNumber("E12345678"), "E1*****78"),
        (IdNumber("12"), "**"),
        (PersonName("张国强"), "张*"),
        (Phone("13812345678"), "138****5678"),
        (CardNumber("6217000000000000012"), "…0012"),
        (Diagnosis("C34.900"), "***"),
    ],
)
def test_only_the_mask_is_ever_printed(value: Masked, mask: str) -> None:
    shown = [str(value), f"{value}", f"{value:>30}".strip(), f"{value!s}"]
    assert shown == [mask] * 4
    assert repr([value]) == f"[{type(value).__name__}({mask})]"
    assert value.open() not in repr(value)


def test_masked_values_of_two_kinds_are_never_equal() -> None:
    assert Phone("13812345678") != CardNumber("13812345678")
    assert len({Phone("13812345678"), Phone("13812345678")}) == 1


@pytest.mark.parametrize("text", ["13812345678", "+8613812345678", "008613812345678"])
def test_a_phone_is_kept_as_its_eleven_digits(text: str) -> None:
    assert mobile_phone(text) == Phone("13812345678")


@pytest.mark.parametrize(
    "text", ["", "12812345678", "1381234567", "138123456789", "１３８12345678"]
)
def test_what_is_no_mobile_number_is_refused(text: str) -> None:
    assert mobile_phone(text) is None


def test_a_card_is_taken_though_its_check_digit_is_wrong() -> None:
    for number in ("6222021000112345672", "6222021000112345673"):
        card = card_number(number)
        assert card is not None
        assert card.tail() == number[-4:]
    assert card_number("6222 0210") is None
