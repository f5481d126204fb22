"""What enrollment publishes: who is a member, where benefits are paid to, who is covered."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from services.common.contracts.event import Event, MemberEvent


class MemberRegistered(
    MemberEvent, frozen=True, kw_only=True, tag="enrollment.member_registered.v1"
):
    """A member is known, moved to another unit or stands in other registers.

    `identity_index` is the blind index of the identity number (16 bytes). `salts` holds the
    member's salt wrapped for each recipient; without it no sealed value of the member opens.
    `person` is what rules ask for, sealed for claims: JSON `{"born", "sex", "groups"}`, the first
    two null where the member's papers do not tell; empty in events from before it was told.
    """

    topic: ClassVar[str] = "enrollment.member.v1"
    identity_index: bytes
    unit_code: str
    salts: dict[str, bytes]
    person: bytes = b""


class PayeeChanged(MemberEvent, frozen=True, kw_only=True, tag="enrollment.payee_changed.v1"):
    """The card a member's benefits are paid to; `version` counts the member's cards.

    `payee` is sealed for payments (JSON `{"name", "card", "bank"}`), `tail` for notify (the last
    four digits).
    """

    topic: ClassVar[str] = "enrollment.member.v1"
    payee: bytes
    tail: bytes


class ContactChanged(MemberEvent, frozen=True, kw_only=True, tag="enrollment.contact_changed.v1"):
    """How a member is written to: sealed for notify, JSON `{"surname", "phone"}`."""

    topic: ClassVar[str] = "enrollment.member.v1"
    unit_code: str
    contact: bytes


class OfficersChanged(Event, frozen=True, kw_only=True, tag="enrollment.officers_changed.v1"):
    """A unit's filing officers: sealed for notify, JSON `[{"name", "phone"}]`.

    The aggregate is the unit, so its id is the partition key and names the sealed value.
    """

    topic: ClassVar[str] = "enrollment.member.v1"
    keyed_by: ClassVar[str] = "unit_id"
    unit_id: UUID
    unit_code: str
    officers: bytes


class CoverageActivated(
    MemberEvent, frozen=True, kw_only=True, tag="enrollment.coverage_activated.v1"
):
    """A member is covered by a scheme from a day on, both bounds inclusive; None = open end."""

    topic: ClassVar[str] = "enrollment.coverage.v1"
    coverage_id: UUID
    scheme_id: str
    starts_on: date
    ends_on: date | None
    units: int
