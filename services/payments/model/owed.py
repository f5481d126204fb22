"""What a member is owed: granted, paid, on its way, and what is still open."""

from typing import NamedTuple
from uuid import UUID

import msgspec

from services.common.money import Fen


class AccountKey(NamedTuple):
    """What a member is owed is kept per scheme."""

    member_id: UUID
    scheme_id: str


class Balance(msgspec.Struct, frozen=True, gc=False):
    """What a member was granted under a scheme, what was paid, what is on its way.

    `paid_fen` is net: what the bank gave back and what the member repaid is not paid.
    """

    granted_fen: Fen = Fen(0)
    paid_fen: Fen = Fen(0)
    in_flight_fen: Fen = Fen(0)

    @property
    def owed_fen(self) -> Fen:
        return Fen(self.granted_fen - self.paid_fen - self.in_flight_fen)

    @property
    def open_fen(self) -> Fen:
        """What open payouts must add up to: all that is owed, and nothing where too much went."""
        return Fen(max(0, self.owed_fen))

    def moved(self, *, granted: int = 0, paid: int = 0, in_flight: int = 0) -> "Balance":
        return Balance(
            Fen(self.granted_fen + granted),
            Fen(self.paid_fen + paid),
            Fen(self.in_flight_fen + in_flight),
        )


NOTHING = Balance()


class Move(NamedTuple):
    """By how much a balance moves, and by how much its open payouts did."""

    granted_fen: int
    paid_fen: int
    in_flight_fen: int
    open_fen: int

    def plus(self, granted: int, paid: int, in_flight: int, opened: int) -> "Move":
        return Move(
            self.granted_fen + granted,
            self.paid_fen + paid,
            self.in_flight_fen + in_flight,
            self.open_fen + opened,
        )


NO_MOVE = Move(0, 0, 0, 0)


class Benefits(NamedTuple):
    """What a member was granted net of reversals, what was paid, what is to be got back."""

    granted_fen: Fen
    paid_fen: Fen
    to_recover_fen: Fen
