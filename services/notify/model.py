"""The nouns of notify: a message is one text to one person about one outcome of one payout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final, Literal
from uuid import UUID

import msgspec
from msgspec.structs import replace

from services.common.identity import Phone
from services.common.ids import id_under, said

Recipient = Literal["member", "officer"]
TemplateName = Literal[
    "payout_paid",
    "payout_refused_member",
    "payout_refused_officer",
    "payout_returned_member",
    "payout_returned_officer",
    "payout_overdue_officer",
    "login_code",
]

_TEXT: Final = said("text")
# Few outcomes, attempts and officers: all texts of a year have them in common.
RESTS_MAX: Final = 1_024

THE_MEMBER = 0
FIRST_OFFICER = 1


class MessageState(StrEnum):
    """How far a text is; what its call tells is not written into the text itself."""

    AWAITING_CONTACT = "awaiting_contact"
    # Queued, or in a call that is being made: which one, the open calls tell.
    READY = "ready"
    UNKNOWN = "unknown"
    SENT = "sent"
    REFUSED = "refused"
    NO_RECIPIENT = "no_recipient"


class DispatchState(StrEnum):
    """How far a call is, and with it each of its texts that has no state of its own."""

    QUEUED = "queued"
    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    DONE = "done"


class Notice(msgspec.Struct, frozen=True, gc=False):
    """What is to be said; `recipient_no` is 0 for the member, from 1 on for the officers.

    An officer's number is their place in that version of the unit's list by which the message is
    addressed. While there is no list, the notice to the first stands for all of them.
    `message_id` is the natural key, made by `text_id`.
    """

    message_id: UUID
    member_id: UUID
    payout_id: UUID
    attempt_no: int
    template: TemplateName
    recipient_no: int
    payee_version: int
    amount_fen: int
    reason: str | None = None
    # When the bank booked what is told: the payment, or its return.
    booked_on: date | None = None
    # For how long the payout has waited for somebody; each number of days is told once.
    days: int | None = None

    def to(self, recipient_no: int) -> "Notice":
        """Give the same notice to another of the officers."""
        key = text_id(self.payout_id, self.attempt_no, self.template, recipient_no, self.days)
        return replace(self, message_id=key, recipient_no=recipient_no)


def text_id(
    payout_id: UUID, attempt_no: int, template: TemplateName, recipient_no: int, days: int | None
) -> UUID:
    """Give the natural key: one text per payout attempt, outcome (template) and recipient.

    It begins as its payout's id does, which is of its time: so texts stand in their index as they
    come, and those of a member side by side.
    """
    rest = _rest_of_text_id(attempt_no, template, recipient_no, days)
    return id_under(payout_id, _TEXT + said(payout_id) + rest)


@lru_cache(RESTS_MAX)
def _rest_of_text_id(
    attempt_no: int, template: TemplateName, recipient_no: int, days: int | None
) -> bytes:
    outcome = (template,) if days is None else (template, days)
    return b"".join(map(said, (attempt_no, *outcome, recipient_no)))


class Placed(msgspec.Struct, frozen=True):
    """A notice with where it goes.

    It names the versions of the sealed values, so that it can be asked about under the same phone
    even after the contact has changed.
    """

    notice: Notice
    state: MessageState
    contact_version: int | None = None
    unit_code: str | None = None
    officers_version: int | None = None
    # An officer's text waits for the unit's list no longer than this.
    until: datetime | None = None


class Sealed(msgspec.Struct, frozen=True, gc=False):
    """What texts say of a member and to whom of the unit they go; None where it is not there.

    Texts of one member under the same versions have it in common: it is one and the same object.
    """

    salt: bytes | None
    contact: bytes | None
    tail: bytes | None
    unit_id: UUID | None
    officers: bytes | None


class Material(msgspec.Struct, frozen=True, gc=False):
    """All that a text is made of."""

    message_id: UUID
    member_id: UUID
    payout_id: UUID
    attempt_no: int
    template: TemplateName
    recipient_no: int
    amount_fen: int
    reason: str | None
    booked_on: date | None
    days: int | None
    created_at: datetime
    sealed: Sealed


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What of a text a provider has to know."""

    phone: Phone
    variables: Mapping[str, str]


class Text(Envelope, frozen=True, gc=False):
    """One text to one phone, as it is handed to a provider; `parts` are what it is charged as."""

    message_id: UUID
    material: Material
    parts: int


@dataclass(frozen=True, slots=True)
class Call:
    """One call to the provider: texts of one template under one id, which the provider keeps.

    `signed_at` is the date inside the request: the provider takes it only near that moment.
    """

    call_id: UUID
    template: TemplateName
    envelopes: Sequence[Envelope]
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The texts of one call; `tries` is how often they were refused before."""

    dispatch_id: UUID
    template: TemplateName
    texts: Sequence[Text]
    signed_at: datetime
    tries: int = 0

    @property
    def call(self) -> Call:
        return Call(self.dispatch_id, self.template, self.texts, self.signed_at)


@dataclass(frozen=True, slots=True)
class CodeAsked:
    """A code for a phone; neither is shown."""

    phone: str = field(repr=False)
    code: str = field(repr=False)
    minutes: int


@dataclass(frozen=True, slots=True)
class MendCode:
    """A code that was sent, as it is kept: by its keyed hash alone."""

    code_index: bytes
    message_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Mendable:
    """What a code stands for: the card of which payout the bank did not take, and why."""

    member_id: UUID
    payee_version: int
    amount_fen: int
    reason: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One text as its reader sees it; without words where they do not open (yet, or any more)."""

    message_id: UUID
    template: TemplateName
    text: str | None
    status: str
    receipt: str | None
    created_at: datetime
    sent_at: datetime | None
    source_id: UUID
