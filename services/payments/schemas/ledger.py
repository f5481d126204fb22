"""What the books say of a span of days: trial balance, a fund's statement, closed days."""

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel

from services.common.money import Fen, yuan
from services.payments.model.ledger import ClosedDay, TrialRow
from services.payments.model.reports import FundStatement


def _yuan(fen: int) -> str:
    return yuan(Fen(fen))


class TrialRowOut(BaseModel):
    """An account of a fund's scheme; what it opens and closes with is debit less credit."""

    fund_id: str
    scheme_id: str
    account: str
    opening: str
    debit: str
    credit: str
    closing: str

    @classmethod
    def of(cls, row: TrialRow) -> "TrialRowOut":
        return cls(
            fund_id=row.fund_id,
            scheme_id=row.scheme_id,
            account=row.account,
            opening=_yuan(row.opening_fen),
            debit=_yuan(row.debit_fen),
            credit=_yuan(row.credit_fen),
            closing=_yuan(row.closing_fen),
        )


class TrialBalanceOut(BaseModel):
    rows: list[TrialRowOut]
    debit: str
    credit: str

    @classmethod
    def of(cls, rows: Sequence[TrialRow]) -> "TrialBalanceOut":
        return cls(
            rows=[TrialRowOut.of(row) for row in rows],
            debit=_yuan(sum(row.debit_fen for row in rows)),
            credit=_yuan(sum(row.credit_fen for row in rows)),
        )


class FlowOut(BaseModel):
    """What moved a fund's account at the bank against one other account; money in is above 0."""

    account: str
    entries: int
    amount: str


class FundStatementOut(BaseModel):
    """资金收支表: opening and all flows give closing."""

    fund_id: str
    opening: str
    flows: list[FlowOut]
    closing: str
    in_transit: str
    reserve: str
    free: str
    owed_up: str
    owed_down: str

    @classmethod
    def of(cls, said: FundStatement) -> "FundStatementOut":
        return cls(
            fund_id=said.fund_id,
            opening=_yuan(said.opening_fen),
            flows=[
                FlowOut(account=one.account, entries=one.entries, amount=_yuan(one.amount_fen))
                for one in said.flows
            ],
            closing=_yuan(said.closing_fen),
            in_transit=_yuan(said.in_transit_fen),
            reserve=yuan(said.reserve_fen),
            free=_yuan(said.free_fen),
            owed_up=_yuan(said.owed_up_fen),
            owed_down=_yuan(said.owed_down_fen),
        )


class LedgerDayOut(BaseModel):
    """A closed day; its root vouches for its entries, their order, and all days before."""

    day: date
    entries: int
    root: str

    @classmethod
    def of(cls, closed: ClosedDay) -> "LedgerDayOut":
        return cls(day=closed.day, entries=closed.entries, root=closed.root.hex())


class LedgerDaysOut(BaseModel):
    days: list[LedgerDayOut]
