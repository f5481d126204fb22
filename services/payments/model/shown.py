"""What is shown of payouts, and where a page of it ended."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple
from uuid import UUID

from services.common.contracts.payments import Actor
from services.common.money import Fen
from services.payments.errors import UnknownCursor
from services.payments.model.funds import Fund

PLACE = "%Y%m%dT%H%M%S%f"


class Place(NamedTuple):
    """Where a page ended: the next one goes on behind it, whatever has left the list meanwhile."""

    at: datetime
    id: UUID

    @classmethod
    def parse(cls, text: str) -> "Place":
        try:
            at, _, row_id = text.partition("-")
            return cls(datetime.strptime(at, PLACE).replace(tzinfo=UTC), UUID(row_id))
        except ValueError as unreadable:
            raise UnknownCursor from unreadable

    def text(self) -> str:
        return f"{self.at.astimezone(UTC):{PLACE}}-{self.id.hex}"


class Moment(NamedTuple):
    """One step in a payout's life."""

    at: datetime
    what: str


class ShownPayout(NamedTuple):
    """A payout with its story; `status` says more than its state while it is on its way."""

    payout_id: UUID
    claim_id: UUID
    scheme_id: str
    amount_fen: Fen
    status: str
    created_at: datetime
    timeline: Sequence[Moment]
    card_tail: str | None = None
    reason: str | None = None
    actor: Actor | None = None
    batched_at: datetime | None = None
    paid_on: date | None = None


class ShownFund(NamedTuple):
    """A fund, what lies on its account, and what of it is promised to batches under way."""

    fund: Fund
    bank_fen: Fen
    in_transit_fen: Fen
    low_since: datetime | None

    @property
    def free_fen(self) -> Fen:
        """What may still be paid: beyond what is promised and what must stay."""
        return Fen(max(0, self.bank_fen - self.in_transit_fen - self.fund.reserve_fen))


class ShownRefusal(NamedTuple):
    """A refused or returned payout, as whoever must act sees it."""

    payout_id: UUID
    member_id: UUID
    name: str
    card_tail: str | None
    unit_code: str
    amount_fen: Fen
    reason: str
    actor: Actor
    since: datetime
