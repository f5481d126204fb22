"""How much is paid, when, and who must act. Pure: same input, same fen, for ever."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from services.common.money import Fen
from services.payments.model import (
    NO_MOVE,
    NOTHING,
    AccountKey,
    Balance,
    Move,
    Payout,
    PayoutState,
    Posting,
    Refusal,
)

FUND: Final = "fund"
BANK: Final = "bank"
BENEFIT_EXPENSE: Final = "benefit_expense"
BENEFITS_PAYABLE: Final = "benefits_payable"
PAYOUTS_IN_TRANSIT: Final = "payouts_in_transit"
ACCOUNTS: Final = (FUND, BANK, BENEFIT_EXPENSE, BENEFITS_PAYABLE, PAYOUTS_IN_TRANSIT)
# The fund is one for all schemes until contributions are kept per scheme.
ALL_SCHEMES: Final = "*"
OPENING_ID: Final = UUID(int=0)

# Who must act, by the reason that a channel gives; what is not listed is for finance to look at.
_REFUSALS: Final[Mapping[str, Refusal]] = {
    refusal.reason: refusal
    for refusal in (
        Refusal("NAME_DIFFERS", "unit"),
        Refusal("ACCOUNT_CLOSED", "member"),
        Refusal("ACCOUNT_FROZEN", "member"),
        Refusal("NO_SUCH_ACCOUNT", "unit"),
        Refusal("OVER_ACCOUNT_LIMIT", "member"),
        Refusal("PAYEE_UNUSABLE", "unit"),
    )
}


def refusal_for(reason: str) -> Refusal:
    return _REFUSALS.get(reason, Refusal(reason, "finance"))


class Books:
    """What the members of a set are owed while events are worked through it, in order.

    Open payouts always add up to what is owed: whatever moves a balance gives the difference to
    payouts or takes it from them. What payouts really took is told back by `opened`, so that the
    database compares the two.
    """

    def __init__(self, balances: Mapping[AccountKey, Balance]) -> None:
        self._known = frozenset(balances)
        self._now = dict(balances)
        self._moves: dict[AccountKey, Move] = {}

    def move(
        self, account: AccountKey, *, granted: int = 0, paid: int = 0, in_flight: int = 0
    ) -> int:
        """Move a balance; give by how much its open payouts must grow or shrink."""
        before = self._now.get(account, NOTHING)
        after = before.moved(granted=granted, paid=paid, in_flight=in_flight)
        self._now[account] = after
        self._moves[account] = self._moves.get(account, NO_MOVE).plus(granted, paid, in_flight, 0)
        return after.open_fen - before.open_fen

    def opened(self, account: AccountKey, amount_fen: int) -> None:
        """Count what open payouts have taken on, or given back where it is negative."""
        self._moves[account] = self._moves.get(account, NO_MOVE).plus(0, 0, 0, amount_fen)

    def moves(self) -> tuple[dict[AccountKey, Move], dict[AccountKey, Move]]:
        """Give what moved: accounts that are new, and those that were there."""
        new = {a: move for a, move in self._moves.items() if a not in self._known}
        old = {a: move for a, move in self._moves.items() if a in self._known}
        return new, old


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


def after_refusal(still_owed_fen: int, *, newer_payee: bool) -> PayoutState:
    """Say where a definitely refused payout goes: no attempt exceeds what is owed by then."""
    if still_owed_fen == 0:
        return PayoutState.CANCELLED
    return PayoutState.READY if newer_payee else PayoutState.REFUSED


def granted(payout: Payout) -> Posting:
    """Book a grant as an expense owed to the member; a correction downwards is the reverse."""
    debit, credit = BENEFIT_EXPENSE, BENEFITS_PAYABLE
    if payout.grant_fen < 0:
        debit, credit = credit, debit
    return Posting(
        payout.payout_id,
        "granted",
        payout.account.scheme_id,
        debit,
        credit,
        Fen(abs(payout.grant_fen)),
    )


def reserved(batch_id: UUID, scheme_id: str, total_fen: Fen) -> Posting:
    return Posting(
        batch_id,
        f"reserved.{scheme_id}",
        scheme_id,
        BENEFITS_PAYABLE,
        PAYOUTS_IN_TRANSIT,
        total_fen,
    )


def paid(payout: Payout, attempt_no: int, amount_fen: Fen) -> Posting:
    return Posting(
        payout.payout_id,
        f"paid.{attempt_no}",
        payout.account.scheme_id,
        PAYOUTS_IN_TRANSIT,
        BANK,
        amount_fen,
    )


def released(payout: Payout, attempt_no: int, amount_fen: Fen) -> Posting:
    return Posting(
        payout.payout_id,
        f"released.{attempt_no}",
        payout.account.scheme_id,
        PAYOUTS_IN_TRANSIT,
        BENEFITS_PAYABLE,
        amount_fen,
    )


def opened(fund_fen: Fen) -> Posting:
    return Posting(OPENING_ID, "opened", ALL_SCHEMES, BANK, FUND, fund_fen)


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
