"""What a member is owed: granted, paid, on its way, and what is still open."""

from typing import NamedTuple
from uuid import UUID

from services.common.money import Fen


class AccountKey(NamedTuple):
    """What a member is owed is kept per scheme."""

    member_id: UUID
    scheme_id: str


class Balance(NamedTuple):
    """What a member was granted under a scheme, what was paid, what is on its way.

    `paid_fen` is net: what the bank gave back and what the member repaid is not paid.
    """

    granted_fen: int
    paid_fen: int
    in_flight_fen: int


class Move(NamedTuple):
    """By how much a balance moves, and by how much its open payouts did."""

    granted_fen: int
    paid_fen: int
    in_flight_fen: int
    open_fen: int


class Benefits(NamedTuple):
    """What a member was granted net of reversals, what was paid, what is to be got back."""

    granted_fen: Fen
    paid_fen: Fen
    to_recover_fen: Fen
