"""What members send who mend their card by the code of a text, and what they are shown."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, StringConstraints

from gateway.schemas.staff import PayeeIn
from gateway.schemas.words import Asked, Yuan


class MendLook(Asked):
    """The code as it was typed, and the last four signs of the identity number."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    id_tail: Annotated[str, StringConstraints(min_length=4, max_length=4)]


class MendShown(BaseModel):
    """Whose payout did not arrive, on which card, and why."""

    name: str
    card_tail: str
    reason: str
    amount: Yuan


class MendIn(PayeeIn, MendLook):
    """The card as it should be; what is left out stays as it is."""


class MendOut(BaseModel):
    card_tail: str


class CodeAsked(BaseModel):
    """To notify."""

    code: str


class Mendable(BaseModel):
    """From notify: what a code stands for."""

    member_id: UUID
    payee_version: int
    amount: Yuan
    reason: str


class ProofAsked(BaseModel):
    """To enrollment."""

    id_tail: str


class Proved(BaseModel):
    """From enrollment: the member whose number ends so."""

    name: str
    card_tail: str
    payee_version: int


class CardAsked(BaseModel):
    """To enrollment: a card in place of that version and of no later one."""

    card_number: str
    card_bank: str | None = None
    account_name: str | None = None
    instead_of: int


class CardTaken(BaseModel):
    """From enrollment."""

    payee_version: int
    card_tail: str
