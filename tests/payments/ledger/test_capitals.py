"""An amount in capitals can be read back to the fen, and is what the Ministry's examples say."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.money import Fen
from services.payments.texts.capitals import capitals

DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = {"拾": 10, "佰": 100, "仟": 1_000}
GROUPS = {"万": 10**4, "亿": 10**8, "兆": 10**12}


def read_back(text: str) -> int:
    """Read capitals as a person would; gives fen."""
    found = re.fullmatch(r"人民币(?:(.+)元)?零?(?:(.)角)?(?:(.)分)?整?", text)
    assert found, text
    yuan = section = digit = 0
    for sign in found[1] or "":
        if sign in DIGITS:
            digit = DIGITS.index(sign)
        elif sign in PLACES:
            section += digit * PLACES[sign]
            digit = 0
        else:
            yuan += (section + digit) * GROUPS[sign]
            section = digit = 0
    jiao, fen = (DIGITS.index(found[place]) if found[place] else 0 for place in (2, 3))
    return (yuan + section + digit) * 100 + jiao * 10 + fen


@given(st.one_of(st.integers(0, 10**7), st.integers(0, 10**18 - 1)))
def test_capitals_can_be_read_back(fen: int) -> None:
    text = capitals(Fen(fen))
    assert read_back(text) == fen
    assert "零零" not in text
    assert text.endswith("整") == (fen % 10 == 0)


@pytest.mark.parametrize(
    ("fen", "said"),
    [
        (140950, "壹仟肆佰零玖元伍角整"),
        (600714, "陆仟零柒元壹角肆分"),
        (1640902, "壹万陆仟肆佰零玖元零贰分"),
        (32504, "叁佰贰拾伍元零肆分"),
        (10700053, "壹拾万柒仟元伍角叁分"),
        (100000, "壹仟元整"),
        (1000000001, "壹仟万元零壹分"),
        (10000100_00, "壹仟万零壹佰元整"),
        (100000001_00, "壹亿零壹元整"),
        (0, "零元整"),
        (5, "伍分"),
        (50, "伍角整"),
    ],
)
def test_capitals_are_those_of_the_rules_for_bills(fen: int, said: str) -> None:
    assert capitals(Fen(fen)) == f"人民币{said}"
