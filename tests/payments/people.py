"""Members and their cards as enrollment would publish them, and grants as claims would."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from services.common.contracts.claims import BenefitGranted
from services.common.contracts.enrollment import MemberRegistered, PayeeChanged
from services.common.contracts.event import Event
from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.sealing import Sealer, new_salt
from services.payments import events
from services.payments.usecases.desk import Desk

SCHEME = "bj.mutual"
CARD = "6217000000000000012"


@dataclass
class Member:
    """A member whose values are sealed as enrollment seals them."""

    sealer: Sealer
    name: str = "王小明"
    unit_code: str = "BJ-0001"
    member_id: UUID = field(default_factory=new_id)
    salt: bytes = field(default_factory=new_salt)
    grants: int = 0

    def registered(self, version: int = 1) -> MemberRegistered:
        return MemberRegistered(
            event_id=new_id(),
            at=clock.now(),
            version=version,
            member_id=self.member_id,
            identity_index=bytes(16),
            unit_code=self.unit_code,
            salts={"payments": self.sealer.seal_salt("payments", self.member_id, self.salt)},
        )

    def payee(self, version: int = 1, card: str = CARD, name: str | None = None) -> PayeeChanged:
        content = {"name": self.name if name is None else name, "card": card, "bank": "工商银行"}
        return self.sealed_payee(version, json.dumps(content).encode())

    def sealed_payee(self, version: int, content: bytes) -> PayeeChanged:
        return PayeeChanged(
            event_id=new_id(),
            at=clock.now(),
            version=version,
            member_id=self.member_id,
            payee=self.sealer.seal("payments", "payee", self.member_id, self.salt, content),
            tail=b"",
        )

    def grant(self, amount_fen: int, period: int = 2018, scheme_id: str = SCHEME) -> BenefitGranted:
        self.grants += 1
        return BenefitGranted(
            event_id=new_id(),
            at=clock.now(),
            version=self.grants,
            member_id=self.member_id,
            grant_id=new_id(),
            claim_id=new_id(),
            scheme_id=scheme_id,
            period=period,
            grant_no=self.grants,
            amount_fen=amount_fen,
            cause="settled" if amount_fen > 0 else "reversed",
            incurred_on=date(period, 5, 1),
        )


async def deliver(desk: Desk, *delivered: Event) -> None:
    """Hand events over as the consumer does: a set, one transaction."""
    async with desk.database.begin() as unit:
        await events.handler(desk)(unit, delivered)


async def states(desk: Desk, member: Member) -> Sequence[tuple[str, int]]:
    """Give state and amount of a member's payouts, oldest first."""
    async with desk.database.begin() as unit:
        rows = await unit.fetch(
            "select state, amount_fen from payout where member_id = $1"
            " order by created_at, payout_id",
            member.member_id,
        )
    return [(row["state"], row["amount_fen"]) for row in rows]
