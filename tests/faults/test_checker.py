"""The outside checker is itself proven: sound books pass, each kind of broken books is told."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from tests.faults.checker import (
    Balance,
    BankLine,
    Books,
    Feed,
    Grant,
    Payout,
    Posting,
    Text,
    findings,
    wrong_grants,
)

ANNA, BERT = UUID(int=1), UUID(int=2)
FIRST, SECOND, THIRD, LOWERED = (UUID(int=n) for n in (11, 12, 13, 14))
SCHEME = "bj.mutual"
PHONES = {"62170001": "13800000001", "62170002": "13800000002"}
FUND = UUID(int=0)


def _transfer(
    payout: UUID, fen: int, account: str, status: str = "booked", attempt_no: int = 1
) -> BankLine:
    return BankLine(account, fen, status, f"{payout.hex}{attempt_no}")


def _text(account: str, fen: int, template: str = "SMS_PAYOUT_PAID") -> Text:
    return Text(PHONES[account], template, fen, account[-4:] if "PAID" in template else "")


def _ledger(*paid: tuple[UUID, int]) -> list[Posting]:
    """Post what was granted and paid to Anna and Bert, and what was taken back from Bert."""
    return [
        Posting(FUND, "opened", "bank", "fund", 10_000),
        Posting(FIRST, "granted", "benefit_expense", "benefits_payable", 500),
        Posting(SECOND, "granted", "benefit_expense", "benefits_payable", 300),
        Posting(THIRD, "granted", "benefit_expense", "benefits_payable", 70),
        Posting(LOWERED, "granted", "benefits_payable", "benefit_expense", 100),
        Posting(UUID(int=21), "reserved", "benefits_payable", "payouts_in_transit", 870),
        Posting(THIRD, "released.1", "payouts_in_transit", "benefits_payable", 70),
        *(Posting(id_, "paid.1", "payouts_in_transit", "bank", fen) for id_, fen in paid),
    ]


# Anna is paid 500, a payout of 70 was refused; Bert was paid 300, of which 100 were taken back.
SOUND = Books(
    bank=[
        _transfer(FIRST, 500, "62170001"),
        _transfer(SECOND, 300, "62170002"),
        _transfer(THIRD, 70, "62170001", "refused"),
    ],
    texts=[
        _text("62170001", 500),
        _text("62170002", 300),
        _text("62170001", 70, "SMS_PAYOUT_REFUSED_MEMBER"),
    ],
    grants=[
        Grant(ANNA, SCHEME, 2024, 500),
        Grant(ANNA, SCHEME, 2025, 70),
        Grant(BERT, SCHEME, 2024, 300),
        Grant(BERT, SCHEME, 2024, -100),
    ],
    balances=[Balance(ANNA, SCHEME, 570, 500, 0), Balance(BERT, SCHEME, 200, 300, 0)],
    payouts=[
        Payout(FIRST, ANNA, SCHEME, 500, 500, "paid"),
        Payout(SECOND, BERT, SCHEME, 300, 300, "paid"),
        Payout(THIRD, ANNA, SCHEME, 70, 70, "refused"),
        Payout(LOWERED, BERT, SCHEME, -100, 0, "netted"),
    ],
    ledger=_ledger((FIRST, 500), (SECOND, 300)),
    feeds=[Feed("done", 6, 2, 1, 1, 1, 1)],
    under_way={"events to publish of claims": 0},
    dead={"payments": 0},
    members={"S1": ANNA, "S2": BERT},
)

BROKEN: dict[str, tuple[Callable[[Books], Books], str]] = {
    "the same instruction booked twice": (
        lambda b: replace(b, bank=[*b.bank, b.bank[0]]),
        "is booked 2 times",
    ),
    "a second transfer under another instruction": (
        lambda b: replace(b, bank=[*b.bank, _transfer(FIRST, 500, "62170001", attempt_no=2)]),
        "has 2 transfers booked",
    ),
    "a transfer that nobody ordered": (
        lambda b: replace(b, bank=[*b.bank, _transfer(UUID(int=99), 5, "62170001")]),
        "booked for nobody",
    ),
    "a transfer that payments does not know of": (
        lambda b: replace(b, payouts=[p._replace(state="batched") for p in b.payouts]),
        "payments paid None",
    ),
    "a transfer that the bank does not know of": (
        lambda b: replace(b, bank=b.bank[1:]),
        "the bank booked None",
    ),
    "a fen too much": (
        lambda b: replace(b, bank=[b.bank[0]._replace(amount_fen=501), *b.bank[1:]]),
        "the bank booked 501",
    ),
    "a grant that never arrived": (
        lambda b: replace(b, grants=[*b.grants, Grant(BERT, SCHEME, 2025, 5)]),
        "payments was told 200 instead of 205",
    ),
    "a grant without its payout": (
        lambda b: replace(b, payouts=b.payouts[:-1]),
        "payouts were made 300 instead of 200",
    ),
    "money owed and not open": (
        lambda b: replace(
            b, payouts=[p._replace(state="cancelled") if p[0] == THIRD else p for p in b.payouts]
        ),
        "open payouts 0 instead of 70",
    ),
    "one member's fen with another": (
        lambda b: replace(b, payouts=[b.payouts[0]._replace(member_id=BERT), *b.payouts[1:]]),
        "payments has paid 500 instead of 0",
    ),
    "money still in flight": (
        lambda b: replace(b, balances=[b.balances[0]._replace(in_flight_fen=1), b.balances[1]]),
        "in flight",
    ),
    "a ledger that lacks a payment": (
        lambda b: replace(b, ledger=_ledger((FIRST, 500))),
        "ledger: 500 has left the fund instead of 800",
    ),
    "a ledger that books it for another": (
        lambda b: replace(b, ledger=_ledger((FIRST, 300), (SECOND, 500))),
        "ledger: 300 for payout",
    ),
    "a text said twice": (
        lambda b: replace(b, texts=[*b.texts, b.texts[0]]),
        "1 text of 500 fen too many",
    ),
    "a text not said": (lambda b: replace(b, texts=b.texts[1:]), "1 text of 500 fen missing"),
    "a text to somebody else": (
        lambda b: replace(b, texts=[b.texts[0]._replace(phone="13900000000"), *b.texts[1:]]),
        "too many at ..0000",
    ),
    "a text of another card": (
        lambda b: replace(b, texts=[b.texts[0]._replace(tail="9999"), *b.texts[1:]]),
        "1 text of 500 fen missing",
    ),
    "a refusal told twice": (
        lambda b: replace(b, texts=[*b.texts, b.texts[2]]),
        "1 refusal of 70 fen too many",
    ),
    "an event not published": (
        lambda b: replace(b, under_way={"events to publish of claims": 3}),
        "still under way: 3 events",
    ),
    "a dead letter": (lambda b: replace(b, dead={"payments": 1}), "dead letters in payments: 1"),
    "a line of a feed not counted": (
        lambda b: replace(b, feeds=[b.feeds[0]._replace(lines=7)]),
        "a feed of 7 lines",
    ),
    "a feed not finished": (
        lambda b: replace(b, feeds=[b.feeds[0]._replace(status="running")]),
        "is running",
    ),
}


def test_sound_books_have_no_findings() -> None:
    assert findings(SOUND, PHONES) == []


@pytest.mark.parametrize("how", BROKEN)
def test_broken_books_are_told(how: str) -> None:
    spoil, told = BROKEN[how]
    found = findings(spoil(SOUND), PHONES)
    assert any(told in one for one in found), found


def test_a_grant_is_compared_per_person_and_year() -> None:
    due = {("A", 2024): 500, ("A", 2025): 70, ("B", 2024): 200}
    persons = {"S1": "A", "S2": "B"}
    assert wrong_grants(SOUND, due, persons) == []
    assert wrong_grants(SOUND, {**due, ("A", 2025): 71}, persons) == [
        "granted in 2025: 70 instead of 71"
    ]
    assert wrong_grants(SOUND, {**due, ("B", 2025): 1}, persons) != []
