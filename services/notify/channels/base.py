"""What every SMS channel must answer: taken, refused, or unknown; there is no fourth answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Protocol
from uuid import UUID

from services.common.identity import Phone
from services.notify.model import Call


class Outcome(Enum):
    ACCEPTED = auto()
    REFUSED = auto()
    UNKNOWN = auto()


class Remedy(Enum):
    """What helps after a definite refusal."""

    # The provider will never take this text to this phone.
    NONE = auto()
    # This phone has had enough for now.
    LATER = auto()
    # Nobody's text is taken now: too many at once, not reachable.
    PAUSE = auto()
    # Nobody's text is taken until an operator has acted: keys, templates, balance.
    OPERATOR = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one text; `code` is the provider's, `remedy` speaks of a refusal."""

    outcome: Outcome
    code: str = ""
    remedy: Remedy = Remedy.NONE


# The channel's books do not know the text (yet): a refusal only after the request's own expiry.
NOT_FOUND = Verdict(Outcome.REFUSED, "NOT_FOUND", Remedy.PAUSE)


class SmsChannel(Protocol):
    @property
    def provider(self) -> str: ...

    async def send(self, call: Call) -> Sequence[Verdict]:
        """Hand over the texts of one call; a verdict for each, in their order. Never raises."""
        ...

    async def ask(self, call_id: UUID, phone: Phone, signed_at: datetime) -> Verdict:
        """Ask what became of a text: ACCEPTED, NOT_FOUND, or UNKNOWN where that is not told."""
        ...

    async def close(self) -> None: ...
