"""What the reports of the books say, before it is set on a page."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.common.identity import CardNumber, PersonName
from services.common.money import Fen
from services.payments.model.ledger import TrialRow
from services.payments.model.months import Month
from services.payments.model.statements import ReconciledDay


class Flow(NamedTuple):
    """What moved a fund's account at the bank against one other account; money in is above 0."""

    account: str
    entries: int
    amount_fen: int


class FundStatement(NamedTuple):
    """资金收支表: a fund's account at the bank in a span of days, by where money came from or went.

    `opening_fen` and all flows give `closing_fen`; `free_fen` is what may be paid of it: less what
    is on its way and less the reserve, below 0 where the reserve is touched. `owed_up_fen` and
    `owed_down_fen` are what the association has still to get and to send.
    """

    fund_id: str
    opening_fen: int
    flows: Sequence[Flow]
    closing_fen: int
    in_transit_fen: int
    reserve_fen: Fen
    owed_up_fen: int
    owed_down_fen: int

    @property
    def free_fen(self) -> int:
        return self.closing_fen - self.in_transit_fen - self.reserve_fen


class Totals(NamedTuple):
    """The columns of a trial balance, debit and credit side; each pair is equal."""

    opening_fen: tuple[int, int]
    moved_fen: tuple[int, int]
    closing_fen: tuple[int, int]

    @property
    def agree(self) -> bool:
        return all(debit == credit for debit, credit in self)


class OpenItems(NamedTuple):
    """What of a fund waits for a person."""

    bank_exceptions: int = 0
    bank_lines: int = 0
    doubts: int = 0


class FundMonth(NamedTuple):
    """A fund's month; what was handed up and allotted is None where it is no association's."""

    name: str
    statement: FundStatement
    handed_up_fen: int | None
    allotted_fen: int | None
    days: Sequence[ReconciledDay]
    open: OpenItems
    trial: Sequence[TrialRow]
    totals: Totals


class MonthReport(NamedTuple):
    """月报. While the month is open it has no total and no root; `elsewhere` is of no fund."""

    month: Month
    closed_at: datetime | None
    total_fen: Fen | None
    root: bytes | None
    funds: Sequence[FundMonth]
    elsewhere: int


class ListedPayout(NamedTuple):
    """A payout in its unit's list."""

    payout_id: UUID
    name: PersonName | None
    card: CardNumber | None
    scheme_id: str
    amount_fen: Fen
    state: str
    paid_on: date | None


class BankReceipt(NamedTuple):
    """电子回单: what a member is shown of a payout that the bank has booked."""

    payout_id: UUID
    payer: str
    name: PersonName | None
    card: CardNumber | None
    scheme_id: str
    amount_fen: Fen
    paid_on: date
    bank_serial: str
