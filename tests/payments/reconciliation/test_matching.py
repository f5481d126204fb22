"""What a line stands for, without a database: certain, or a reason, or not yet."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.ids import new_id
from services.common.money import Fen
from services.payments.model.payouts import AttemptState
from services.payments.model.statements import (
    BankLine,
    Direction,
    Items,
    LineReason,
    LineState,
    Movement,
    MovementKind,
    Outstanding,
    Receipt,
)
from services.payments.rules.matching import (
    BatchSums,
    Match,
    Transfer,
    agreeing,
    judge_batch,
    judge_debit,
    judge_return,
    names_nothing,
    references,
)
from services.payments.rules.outstanding import Part, by_day, outstanding, unmatched

DAY = date(2026, 11, 22)


def line(amount_fen: int, remark: str, direction: Direction = "credit") -> BankLine:
    return BankLine(
        line_id=new_id(),
        fund_id="union",
        bank_ref="1",
        booked_on=DAY,
        direction=direction,
        amount_fen=Fen(amount_fen),
        kind=MovementKind.DEPOSIT if direction == "credit" else MovementKind.TRANSFER,
        bank_code="",
        return_reason="",
        remark=remark,
        batch_id=None,
        named=None,
        state=LineState.NEW,
        match_id=None,
        round=0,
    )


def receipt(amount_fen: int, reference: str) -> Receipt:
    return Receipt(new_id(), "union", "membership_fees", "*", "", Fen(amount_fen), reference)


@pytest.mark.parametrize(
    ("debited", "sums", "verdict"),
    [
        (80, BatchSums(100, 80, 20, 0, closed=True, in_doubt=False), Match.CONFIRMS),
        (50, BatchSums(100, 80, 20, 30, closed=True, in_doubt=False), Match.CONFIRMS),
        (79, BatchSums(100, 80, 20, 0, closed=True, in_doubt=False), None),
        (100, BatchSums(100, 0, 0, 0, closed=False, in_doubt=False), None),
        (100, BatchSums(100, 0, 0, 0, closed=False, in_doubt=True), Match.PROVES),
        (80, BatchSums(100, 10, 20, 0, closed=False, in_doubt=True), Match.PROVES),
        (80, BatchSums(100, 10, 0, 0, closed=False, in_doubt=True), None),
    ],
)
def test_a_batch_is_matched_by_all_that_was_paid_of_it(
    debited: int, sums: BatchSums, verdict: Match | None
) -> None:
    assert judge_batch(debited, sums) is verdict


def transfer(state: AttemptState, *, sent: bool = True, matched: bool = False) -> Transfer:
    return Transfer(5, state, sent=sent, shown=matched, given_back=matched)


def test_a_debit_proves_or_confirms_or_is_odd() -> None:
    assert judge_debit(5, transfer(AttemptState.IN_FLIGHT)) is Match.PROVES
    assert judge_debit(5, transfer(AttemptState.IN_FLIGHT, sent=False)) is None
    assert judge_debit(5, transfer(AttemptState.PAID)) is Match.CONFIRMS
    assert judge_debit(5, transfer(AttemptState.RETURNED)) is Match.CONFIRMS
    assert judge_debit(5, transfer(AttemptState.PAID, matched=True)) is LineReason.PAID_TWICE
    assert judge_debit(6, transfer(AttemptState.PAID)) is LineReason.AMOUNT_DIFFERS
    for ended in (AttemptState.REFUSED, AttemptState.WITHDRAWN):
        assert judge_debit(5, transfer(ended)) is LineReason.CONTRADICTS


def test_a_return_gives_back_or_waits_or_is_odd() -> None:
    assert judge_return(5, transfer(AttemptState.PAID)) is Match.PROVES
    assert judge_return(5, transfer(AttemptState.IN_FLIGHT)) is None
    assert judge_return(5, transfer(AttemptState.RETURNED)) is Match.CONFIRMS
    twice = transfer(AttemptState.RETURNED, matched=True)
    assert judge_return(5, twice) is LineReason.RETURNED_TWICE
    assert judge_return(6, transfer(AttemptState.PAID)) is LineReason.AMOUNT_DIFFERS
    assert judge_return(5, transfer(AttemptState.REFUSED)) is LineReason.CONTRADICTS


@pytest.mark.parametrize("kind", list(MovementKind))
def test_a_kind_moves_money_one_way_only(kind: MovementKind) -> None:
    out = kind in (MovementKind.PAYOUT, MovementKind.TRANSFER, MovementKind.FEE)
    wrong: Direction = "credit" if out else "debit"
    movement = Movement("1", DAY, wrong, Fen(1), kind)
    assert names_nothing(movement, known=True) is LineReason.CONTRADICTS


@pytest.mark.parametrize(
    ("remark", "found"),
    [
        ("会费BJ-0001-202611谢谢", {"BJ-0001-202611"}),
        ("bj-0001-202611,bj-0002-202611", {"BJ-0001-202611", "BJ-0002-202611"}),
        ("ＢＪ－０００１－２０２６１１", {"BJ-0001-202611"}),
        ("BJ-1 单位会费 2026", set[str]()),
        ("", set[str]()),
    ],
)
def test_references_are_read_out_of_a_remark(remark: str, found: set[str]) -> None:
    assert references(remark) == found


def test_a_reference_that_is_a_part_of_another_is_not_meant() -> None:
    assert agreeing([line(5, "BJ-0001-2026112")], [receipt(5, "BJ-0001-202611")]) == []


def test_lines_and_receipts_hang_together_by_their_references() -> None:
    one, two, other = (receipt(fen, f"REFERENCE-{fen}") for fen in (30, 20, 7))
    lines = [line(25, "REFERENCE-30 REFERENCE-20"), line(25, "REFERENCE-20"), line(8, "none")]
    [group] = agreeing(lines, [one, two, other])
    assert group.ids == {lines[0].line_id, lines[1].line_id, one.receipt_id, two.receipt_id}
    assert agreeing([*lines, line(1, "REFERENCE-30")], [one, two, other]) == []
    assert agreeing([line(30, "REFERENCE-30", "debit")], [one]) == []


DAYS = st.integers(0, 9).map(lambda number: DAY + timedelta(days=number))
AMOUNTS = st.lists(st.tuples(DAYS, st.integers(1, 50)), min_size=1, max_size=6)


def split(total: int, days: list[tuple[date, int]]) -> list[tuple[date, int]]:
    """Share a sum out over days, the rest on the last."""
    shared: list[tuple[date, int]] = []
    for day, fen in days:
        taken = min(fen, total)
        total -= taken
        shared += [(day, taken)] if taken else []
    return [*shared, *([(days[-1][0], total)] if total else [])]


@given(AMOUNTS, AMOUNTS, st.sampled_from([1, -1]))
def test_what_lay_open_is_the_difference_of_every_day(
    bank: list[tuple[date, int]], days: list[tuple[date, int]], sign: int
) -> None:
    book = split(sum(fen for _, fen in bank), days)
    bank, book = ([(day, sign * fen) for day, fen in side] for side in (bank, book))
    spans = outstanding(bank, book)
    key = UUID(int=1)
    parts = unmatched(
        [Part(key, day, fen) for day, fen in bank], [Part(key, day, fen) for day, fen in book]
    )
    last = DAY + timedelta(days=12)
    for found in (spans, parts):
        for day, bank_only, book_only in by_day(found, DAY, last):
            ahead = sum(fen for on, fen in bank if on <= day)
            behind = sum(fen for on, fen in book if on <= day)
            assert bank_only.signed_fen - book_only.signed_fen == ahead - behind
    [(_, bank_only, book_only)] = by_day(parts, last, last)
    assert (bank_only, book_only) == (Items(), Items())


@given(AMOUNTS, AMOUNTS)
def test_what_is_taken_back_leaves_nothing(
    bank: list[tuple[date, int]], days: list[tuple[date, int]]
) -> None:
    spans = outstanding(bank, split(sum(fen for _, fen in bank), days))
    back = [Outstanding(*span[:3], -span.amount_fen, -span.items) for span in spans]
    for _, bank_only, book_only in by_day([*spans, *back], DAY, DAY + timedelta(days=12)):
        assert (bank_only, book_only) == (Items(), Items())
