"""Amounts in, fen inside, amounts out; one rounding."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.money import (
    BadAmount,
    Fen,
    parse_yuan,
    parse_yuan_row,
    round_fen,
    rounded_share,
    share,
    yuan,
)

WHOLE_RANGE = st.integers(-999_999_999_999, 999_999_999_999).map(Fen)


@pytest.mark.parametrize(
    ("text", "fen"),
    [("0", 0), ("12", 1200), ("12.5", 1250), ("-12.50", -1250), ("0.01", 1), ("-0.00", 0)],
)
def test_plain_amounts_are_read(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        ".5",
        "1.",
        "1.234",
        "+1",
        "1e3",
        " 1",
        "1 ",
        "1,00",
        "12345678901",
        "１",
        "١",
        "1\n",
    ],
)
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(BadAmount):
        parse_yuan(text)
    with pytest.raises(BadAmount):
        parse_yuan_row(["1.00", text, "2.00"])


@given(WHOLE_RANGE)
def test_what_is_written_is_read_back(amount: Fen) -> None:
    assert parse_yuan(yuan(amount)) == amount


@given(st.lists(st.from_regex(r"-?[0-9]{1,10}(\.[0-9]{1,2})?", fullmatch=True), min_size=1))
def test_a_row_is_read_as_its_amounts_are(texts: list[str]) -> None:
    texts = [text for text in texts if text.isascii()]
    assert parse_yuan_row(texts or ["1"]) == [parse_yuan(text) for text in texts or ["1"]]


def test_a_comma_inside_a_field_does_not_make_two_amounts() -> None:
    with pytest.raises(BadAmount):
        parse_yuan_row(["1.00,2.00"])


@pytest.mark.parametrize(("amount", "fen"), [(1, 1), (2, 1), (3, 2), (5, 3)])
def test_half_a_fen_is_rounded_up(amount: int, fen: int) -> None:
    assert round_fen(share(Fen(amount), Decimal("0.50"))) == fen


@given(st.integers(0, 2**63).map(Fen), st.decimals(0, 1, places=6))
def test_a_share_is_exact_whatever_its_size(amount: Fen, rate: Decimal) -> None:
    assert share(amount, rate) * 10**6 == Decimal(amount * int(rate * 10**6))


@given(
    st.integers(0, 10**14).map(Fen), st.decimals(0, 1, places=4) | st.sampled_from([Decimal("0.5")])
)
def test_a_share_by_a_ratio_is_rounded_as_the_share_by_the_rate(amount: Fen, rate: Decimal) -> None:
    assert rounded_share(amount, rate.as_integer_ratio()) == round_fen(share(amount, rate))
