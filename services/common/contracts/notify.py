"""What notify publishes: a text was accepted by the provider."""

from typing import ClassVar, Literal
from uuid import UUID

from services.common.contracts.event import MemberEvent


class ReminderSent(MemberEvent, frozen=True, kw_only=True, tag="notify.reminder_sent.v1"):
    """The provider accepted one text; `source_id` is the payout it speaks of."""

    topic: ClassVar[str] = "notify.reminder.v1"
    message_id: UUID
    source_id: UUID
    template: str
    recipient: Literal["member", "officer"]
    provider: str
    parts: int
