"""The bank's accounts in memory: who holds which, what the payers still have, what was booked."""

import re
import unicodedata
from enum import StrEnum

import msgspec

from deploy.sandbox.bank.batches import Transfer
from deploy.sandbox.bank.movements import Kind, Movement, PayerBook
from deploy.sandbox.bank.reasons import LineReason

ACCOUNT = re.compile(r"\d{6,32}", re.ASCII)
CURRENCY = "CNY"
NOT_KNOWN_YET = -1
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
        self._payers: dict[str, PayerBook] = {}
        # Every instruction that was booked, with where its line lies in the journal.
        self.booked: dict[str, int] = {}
        self.given_back: set[str] = set()

    def set_account(self, account: str, name: str, standing: Standing) -> None:
        self._accounts[account] = Account(plain(name), standing)

    def payer(self, account: str) -> PayerBook:
        """Give a payer's book; the first use opens it."""
        book = self._payers.get(account)
        if book is None:
            book = self._payers[account] = PayerBook(self._opening_balance_fen)
        return book

    def payers(self) -> list[str]:
        return list(self._payers)

    def judge(self, payer: str, currency: str, transfer: Transfer) -> LineReason | None:
        """Say why a transfer cannot be booked; nothing is said where it can."""
        account = self._accounts.get(transfer.account)
        available_fen = self.payer(payer).available_fen
        refusals = (
            (LineReason.INSTRUCTION_BOOKED, transfer.instruction_id in self.booked),
            (LineReason.CURRENCY, currency != CURRENCY),
            (LineReason.NO_SUCH_ACCOUNT, not ACCOUNT.fullmatch(transfer.account)),
            (LineReason.CLOSED, account and account.standing is Standing.CLOSED),
            (LineReason.FROZEN, account and account.standing is Standing.FROZEN),
            (LineReason.NAME_DIFFERS, account and account.name != plain(transfer.name)),
            (LineReason.OVER_LIMIT, transfer.amount_fen > self._line_limit_fen),
            (LineReason.NO_FUNDS, transfer.amount_fen > available_fen),
        )
        return next((reason for reason, so in refusals if so), None)

    def credit(
        self, payer: str, account: str, name: str, amount_fen: int, instruction_id: str
    ) -> None:
        """Book a transfer; the first one opens the account under the name it brings.

        The payer is debited by a movement of its own; until then the amount is reserved.
        """
        if account not in self._accounts:
            self._accounts[account] = Account(plain(name), Standing.OPEN)
        self.payer(payer).reserved_fen += amount_fen
        self.booked[instruction_id] = NOT_KNOWN_YET

    def post(self, movement: Movement) -> None:
        book = self.payer(movement.payer)
        if movement.kind is Kind.PAYOUT:
            book.reserved_fen -= movement.amount_fen
        book.post(movement)
