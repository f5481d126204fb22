"""What the work with the bank needs at hand."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from services.common.identity import CardNumber, PersonName
from services.common.kit.db import Database
from services.common.kit.sealing import UNSALTED, Opener, SealBroken, Sealer
from services.payments.channels.base import BankChannel
from services.payments.errors import PayeeUnusable
from services.payments.model import Payee, SealedPayee
from services.payments.settings import Settings

PAYEE_FIELD = "payee"
FILE_FIELD = "batch_file"
RECIPIENT = "payments"


class PayeeContent(msgspec.Struct):
    """What enrollment has sealed."""

    name: str
    card: str
    bank: str = ""


_payee = msgspec.json.Decoder(PayeeContent)


@dataclass(frozen=True)
class Desk:
    """The database, the way to the bank, and the keys."""

    settings: Settings
    database: Database
    channel: BankChannel
    sealer: Sealer
    opener: Opener
    # Set when payouts became ready, and when a batch was fixed.
    payouts_ready: asyncio.Event = field(default_factory=asyncio.Event)
    batch_fixed: asyncio.Event = field(default_factory=asyncio.Event)

    def open_payee(self, member_id: UUID, payee: SealedPayee) -> Payee:
        """Open a member's name and card; `PayeeUnusable` where there is nothing to be read."""
        try:
            salt = self.opener.open_salt(member_id, payee.salt_wrapped)
            content = _payee.decode(self.opener.open(PAYEE_FIELD, member_id, salt, payee.sealed))
        except (SealBroken, msgspec.MsgspecError) as unreadable:
            raise PayeeUnusable from unreadable
        return Payee(PersonName(content.name), CardNumber(content.card), content.bank)

    def seal_file(self, batch_id: UUID, content: bytes) -> bytes:
        return self.sealer.seal(RECIPIENT, FILE_FIELD, batch_id, UNSALTED, content)

    def open_file(self, batch_id: UUID, sealed: bytes) -> bytes:
        return self.opener.open(FILE_FIELD, batch_id, UNSALTED, sealed)
