"""The bank's accounts in memory: who holds which, what the payers still have, what was booked."""

import unicodedata
from enum import StrEnum

import msgspec

from deploy.sandbox.bank.batchfile import ACCOUNT, Transfer
from deploy.sandbox.bank.reasons import LineReason

CURRENCY = "CNY"
ONE_DOT = str.maketrans(dict.fromkeys("•.・‧∙⋅", "·"))


class Standing(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    FROZEN = "frozen"


class Account(msgspec.Struct, gc=False):
    name: str
    standing: Standing


def plain(name: str) -> str:
    """Bring a name to the form in which names are compared."""
    return "".join(unicodedata.normalize("NFKC", name).split()).translate(ONE_DOT)


class Ledger:
    def __init__(self, opening_balance_fen: int, line_limit_fen: int) -> None:
        self._opening_balance_fen = opening_balance_fen
        self._line_limit_fen = line_limit_fen
        self._accounts: dict[str, Account] = {}
        self._balances_fen: dict[str, int] = {}
        self._booked: set[str] = set()

    def set_account(self, account: str, name: str, standing: Standing) -> None:
        self._accounts[account] = Account(plain(name), standing)

    def judge(self, payer: str, currency: str, transfer: Transfer) -> LineReason | None:
        """Say why a transfer cannot be booked; nothing is said where it can."""
        account = self._accounts.get(transfer.account)
        balance_fen = self._balances_fen.get(payer, self._opening_balance_fen)
        refusals = (
            (LineReason.INSTRUCTION_BOOKED, transfer.instruction_id in self._booked),
            (LineReason.CURRENCY, currency != CURRENCY),
            (LineReason.NO_SUCH_ACCOUNT, not ACCOUNT.fullmatch(transfer.account)),
            (LineReason.CLOSED, account and account.standing is Standing.CLOSED),
            (LineReason.FROZEN, account and account.standing is Standing.FROZEN),
            (LineReason.NAME_DIFFERS, account and account.name != plain(transfer.name)),
            (LineReason.OVER_LIMIT, transfer.amount_fen > self._line_limit_fen),
            (LineReason.NO_FUNDS, transfer.amount_fen > balance_fen),
        )
        return next((reason for reason, so in refusals if so), None)

    def credit(
        self, payer: str, account: str, name: str, amount_fen: int, instruction_id: str
    ) -> None:
        """Book a transfer; the first one opens the account under the name it brings."""
        if account not in self._accounts:
            self._accounts[account] = Account(plain(name), Standing.OPEN)
        balance_fen = self._balances_fen.get(payer, self._opening_balance_fen)
        self._balances_fen[payer] = balance_fen - amount_fen
        self._booked.add(instruction_id)
