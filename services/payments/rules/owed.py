"""What members are owed while events are worked through it, and how open payouts follow."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from services.common.money import Fen
from services.payments.model.owed import AccountKey, Balance, Move
from services.payments.model.payouts import Payout, PayoutState


class Standing(msgspec.Struct, gc=False):
    """A balance as it is now, and what it has moved by; `known` where the database has it."""

    granted: int
    paid: int
    in_flight: int
    known: bool
    touched: bool = False
    moved_granted: int = 0
    moved_paid: int = 0
    moved_in_flight: int = 0
    opened: int = 0

    def move(self, granted: int, paid: int, in_flight: int) -> int:
        """Move it; give by how much its open payouts must grow or shrink."""
        before = self.granted - self.paid - self.in_flight
        after = before + granted - paid - in_flight
        self.touched = True
        self.granted += granted
        self.paid += paid
        self.in_flight += in_flight
        self.moved_granted += granted
        self.moved_paid += paid
        self.moved_in_flight += in_flight
        return (max(0, after)) - (max(0, before))

    def moved(self) -> Move:
        return Move(self.moved_granted, self.moved_paid, self.moved_in_flight, self.opened)


class Books:
    """What the members of a set are owed while events are worked through it, in order.

    Open payouts always add up to what is owed: whatever moves a balance gives the difference to
    payouts or takes it from them. What payouts really took is told back by `opened`, so that the
    database compares the two.
    """

    def __init__(self, balances: Iterable[tuple[AccountKey, Balance]]) -> None:
        self._accounts = {
            account: Standing(granted, paid, in_flight, known=True)
            for account, (granted, paid, in_flight) in balances
        }

    def move(
        self, account: AccountKey, *, granted: int = 0, paid: int = 0, in_flight: int = 0
    ) -> int:
        """Move a balance; give by how much its open payouts must grow or shrink."""
        return self.standing(account).move(granted, paid, in_flight)

    def opened(self, account: AccountKey, amount_fen: int) -> None:
        """Count what open payouts have taken on, or given back where it is negative."""
        standing = self.standing(account)
        standing.opened += amount_fen
        standing.touched = True

    def moves(self) -> tuple[dict[AccountKey, Move], dict[AccountKey, Move]]:
        """Give what moved: accounts that are new, and those that were there."""
        new: dict[AccountKey, Move] = {}
        old: dict[AccountKey, Move] = {}
        for account, it in self._accounts.items():
            if it.touched:
                (old if it.known else new)[account] = it.moved()
        return new, old

    def standing(self, account: AccountKey) -> Standing:
        """Give a balance to be moved, a new one where there is none."""
        it = self._accounts.get(account)
        if it is None:
            it = self._accounts[account] = Standing(0, 0, 0, known=False)
        return it


def take_from_newest(payouts: Sequence[Payout], amount_fen: int) -> list[Payout]:
    """Take an amount out of open payouts, given oldest first; give those that changed."""
    changed: list[Payout] = []
    left = amount_fen
    for payout in reversed(payouts):
        if left == 0:
            break
        if not payout.is_open:
            continue
        taken = min(left, payout.amount_fen)
        left -= taken
        payout.amount_fen = Fen(payout.amount_fen - taken)
        payout.version += 1
        if payout.amount_fen == 0:
            payout.state = PayoutState.CANCELLED
        changed.append(payout)
    assert left == 0, "open payouts add up to what is owed"
    return changed


def after_failure(still_owed_fen: int, waits_as: PayoutState, *, newer_payee: bool) -> PayoutState:
    """Say where a refused or returned payout goes: no attempt exceeds what is owed by then."""
    if still_owed_fen == 0:
        return PayoutState.CANCELLED
    return PayoutState.READY if newer_payee else waits_as


def to_recover(granted_and_paid: Mapping[int, tuple[Fen, Fen]]) -> dict[int, Fen]:
    """Say in which years a scheme's overpayment lies, newest first, as later grants net older ones.

    The years' shares add up to what was paid beyond all grants, and none exceeds its own year's
    overpayment.
    """
    left = max(0, sum(paid - granted for granted, paid in granted_and_paid.values()))
    shares: dict[int, Fen] = {}
    for year in sorted(granted_and_paid, reverse=True):
        granted, paid = granted_and_paid[year]
        share = min(left, max(0, paid - granted))
        shares[year] = Fen(share)
        left -= share
    return shares


def repaid(
    granted_and_paid: Mapping[int, tuple[Fen, Fen]], recovered_fen: Fen
) -> dict[int, tuple[Fen, Fen]]:
    """Take what a member has repaid off the years in which too much was paid, oldest first."""
    net = dict(granted_and_paid)
    left = int(recovered_fen)
    for year, share in sorted(to_recover(granted_and_paid).items()):
        granted, paid = net[year]
        taken = min(left, share)
        net[year] = (granted, Fen(paid - taken))
        left -= taken
    return net
