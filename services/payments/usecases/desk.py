"""What the work with the banks needs at hand."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

import msgspec

from services.common.identity import CardNumber, PersonName
from services.common.kit.db import Database
from services.common.kit.sealing import UNSALTED, Opener, SealBroken, Sealer
from services.payments.channels.base import BankChannel
from services.payments.errors import PayeeUnusable
from services.payments.model.batches import Lane
from services.payments.model.funds import Fund, Funds
from services.payments.model.payouts import Attempt, Payee, Payout, SealedPayee
from services.payments.rules.approvals import limits_fen, tier_of
from services.payments.settings import Settings

PAYEE_FIELD = "payee"
FILE_FIELD = "batch_file"
RECIPIENT = "payments"
# A batch of 4,000 takes 2 MB of memory.
AT_HAND_MAX = 4


class PayeeContent(msgspec.Struct):
    """What enrollment has sealed."""

    name: str
    card: str
    bank: str = ""


_payee = msgspec.json.Decoder(PayeeContent)


@dataclass
class Desk:
    """The database, the funds, the way to each fund's bank, and the keys."""

    settings: Settings
    database: Database
    funds: Funds
    # By fund.
    channels: Mapping[str, BankChannel]
    sealer: Sealer
    opener: Opener
    # Set when payouts became ready or money came in, and when a batch has something to be done.
    payouts_ready: asyncio.Event = field(default_factory=asyncio.Event)
    batch_moved: asyncio.Event = field(default_factory=asyncio.Event)
    # True while whole batches wait to be cut: grants are left in the log then, where the feed sees
    # that it has to wait, rather than piled up before the cutter. Known to the leading process
    # alone: of several workers the others go on taking grants in.
    cutting_lags: bool = False
    # What is in the batches that were cut last; whoever applies their results need not look it up.
    _at_hand: dict[UUID, Sequence[Attempt]] = field(
        default_factory=dict[UUID, Sequence[Attempt]], init=False
    )
    _fund_of_scheme: dict[str, Fund] = field(default_factory=dict[str, Fund], init=False)
    # By scheme and tier.
    _lanes: dict[tuple[str, int], Lane] = field(
        default_factory=dict[tuple[str, int], Lane], init=False
    )

    def fund_of(self, scheme_id: str) -> Fund:
        fund = self._fund_of_scheme.get(scheme_id)
        if fund is None:
            fund = self._fund_of_scheme[scheme_id] = self.funds.paying(scheme_id)
        return fund

    def lanes(self, payouts: Iterable[Payout]) -> list[tuple[Lane, Payout]]:
        """Say in which lane each payout waits for its batch."""
        limits = self._limits_fen
        return [
            (self._lane_of(payout.scheme_id, tier_of(limits, payout.amount_fen)), payout)
            for payout in payouts
        ]

    @cached_property
    def _limits_fen(self) -> Sequence[int]:
        return limits_fen(self.settings.approval_tiers)

    def _lane_of(self, scheme_id: str, tier: int) -> Lane:
        lane = self._lanes.get((scheme_id, tier))
        if lane is None:
            lane = self._lanes[scheme_id, tier] = Lane(self.fund_of(scheme_id).fund_id, tier)
        return lane

    def open_payee(self, member_id: UUID, payee: SealedPayee) -> Payee:
        """Open a member's name and card; `PayeeUnusable` where there is nothing to be read."""
        try:
            salt = self.opener.open_salt(member_id, payee.salt_wrapped)
            content = _payee.decode(self.opener.open(PAYEE_FIELD, member_id, salt, payee.sealed))
        except (SealBroken, msgspec.MsgspecError) as unreadable:
            raise PayeeUnusable from unreadable
        return Payee(PersonName(content.name), CardNumber(content.card), content.bank)

    def readable_payee(self, member_id: UUID, payee: SealedPayee) -> Payee | None:
        """Open a member's name and card; None where there is nothing to be read."""
        try:
            return self.open_payee(member_id, payee)
        except PayeeUnusable:
            return None

    def keep_at_hand(self, batch_id: UUID, tries: Sequence[Attempt]) -> None:
        """Keep what is in a batch until it is asked for once, but of the last batches alone."""
        self._at_hand[batch_id] = tries
        if len(self._at_hand) > AT_HAND_MAX:
            self._at_hand.pop(next(iter(self._at_hand)))

    def take_from_hand(self, batch_id: UUID) -> Sequence[Attempt] | None:
        """Give what was cut into a batch, where it is at hand, and keep it no longer."""
        return self._at_hand.pop(batch_id, None)

    def seal_file(self, batch_id: UUID, content: bytes) -> bytes:
        return self.sealer.seal(RECIPIENT, FILE_FIELD, batch_id, UNSALTED, content)

    def open_file(self, batch_id: UUID, sealed: bytes) -> bytes:
        return self.opener.open(FILE_FIELD, batch_id, UNSALTED, sealed)
