"""The code that mends a card: the same again for its attempt, and nobody else's guess."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.ids import new_id
from services.notify.rules import ALPHABET, MendCodes, read_code

CODES = MendCodes(b"k" * 32)


@given(st.uuids(), st.integers(1, 99))
def test_a_code_is_ten_signs_that_are_read_as_they_stand(payout: UUID, attempt_no: int) -> None:
    code = CODES.of(payout, attempt_no)
    assert len(code) == 10
    assert set(code) <= set(ALPHABET)
    assert read_code(code) == code


def test_each_attempt_and_each_key_has_its_own_code_and_the_same_again() -> None:
    payout_id = new_id()
    codes = [CODES.of(payout_id, number) for number in range(1, 1_001)]
    assert len(set(codes)) == len(codes)
    assert CODES.of(payout_id, 1) == codes[0]
    assert MendCodes(b"l" * 32).of(payout_id, 1) != codes[0]


def test_what_is_kept_of_a_code_tells_nothing_without_the_key() -> None:
    code = CODES.of(new_id(), 1)
    assert len(CODES.index(code)) == 16
    assert CODES.index(code) != MendCodes(b"l" * 32).index(code)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("7zq4m-01rtv", "7ZQ4M01RTV"),
        (" 7ZQ4 M0 1RTV ", "7ZQ4M01RTV"),
        ("7ZQ4MOIRTV", "7ZQ4M01RTV"),
        ("7ZQ4MolRTV", "7ZQ4M01RTV"),
        ("7ZQ4M01RTV", "7ZQ4M01RTV"),
        ("7ZQ4M01RT", None),
        ("7ZQ4M01RTVX", None),
        ("7ZQ4M01RTU", None),
        ("更正码七四", None),
        ("", None),
    ],
)
def test_a_code_is_read_as_people_type_it(typed: str, code: str | None) -> None:
    assert read_code(typed) == code
