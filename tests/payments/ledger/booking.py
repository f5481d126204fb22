"""Entries as the work with the banks would book them, in one word each."""

from services.common.ids import new_id
from services.common.kit import clock
from services.common.money import Fen
from services.payments.model.ledger import Account, Posting
from services.payments.store import ledger
from services.payments.usecases.desk import Desk


def entry(
    debit: Account,
    credit: Account,
    fen: int,
    fund_id: str = "union",
    scheme_id: str = "bj.mutual",
) -> Posting:
    return Posting(new_id(), "x", fund_id, scheme_id, debit, credit, Fen(fen))


def contributed(fen: int, fund_id: str = "union", scheme_id: str = "bj.mutual") -> Posting:
    return entry(Account.BANK, Account.MEMBER_CONTRIBUTIONS, fen, fund_id, scheme_id)


def paid(fen: int, fund_id: str = "union", scheme_id: str = "bj.mutual") -> Posting:
    return entry(Account.PAYOUTS_IN_TRANSIT, Account.BANK, fen, fund_id, scheme_id)


def reserved(fen: int, fund_id: str = "union", scheme_id: str = "bj.mutual") -> Posting:
    return entry(Account.BENEFITS_PAYABLE, Account.PAYOUTS_IN_TRANSIT, fen, fund_id, scheme_id)


def returned(fen: int, fund_id: str = "union", scheme_id: str = "bj.mutual") -> list[Posting]:
    return [
        entry(Account.BANK, Account.RETURNED, fen, fund_id, scheme_id),
        entry(Account.RETURNED, Account.BENEFITS_PAYABLE, fen, fund_id, scheme_id),
    ]


async def book(desk: Desk, *entries: Posting) -> None:
    async with desk.database.begin() as unit:
        await ledger.post(unit, entries, clock.now())
