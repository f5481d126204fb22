"""The bank's accounts in memory: who holds which, what the payers still have, what was booked."""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache

from deploy.sandbox.bank.batches import Transfer
from deploy.sandbox.bank.movements import Kind, Movement, PayerBook
from deploy.sandbox.bank.reasons import LineReason
from deploy.sandbox.places import Places

ACCOUNT = re.compile(r"\d{6,32}", re.ASCII)
CURRENCY = "CNY"
ONE_DOT = str.maketrans(dict.fromkeys("•.・‧∙⋅", "·"))
# A payee's lines stand side by side mostly.
NAMES_KEPT = 256


class Standing(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    FROZEN = "frozen"


@lru_cache(NAMES_KEPT)
def plain(name: str) -> str:
    """Bring a name to the form in which names are compared."""
    return "".join(unicodedata.normalize("NFKC", name).split()).translate(ONE_DOT)


class Ledger:
    def __init__(self, opening_balance_fen: int, line_limit_fen: int) -> None:
        self._opening_balance_fen = opening_balance_fen
        self._line_limit_fen = line_limit_fen
        # What hangs on an account: the name it is under, and how it stands, by hash.
        self._names = Places()
        # The account that was looked up last, and what was found: a line asks twice.
        self._last: tuple[str, int | None] = ("", None)
        self._not_open: dict[str, Standing] = {}
        self._payers: dict[str, PayerBook] = {}
        # Where the journal holds the line of an instruction that was booked, by the id's hash; and
        # those that are decided while their lines are not on the disk yet.
        self._booked = Places()
        self._being_booked: set[str] = set()
        self.given_back: set[str] = set()

    def set_account(self, account: str, name: str, standing: Standing) -> None:
        self._names.set(hash(account), hash(plain(name)))
        self._last = ("", None)
        if standing is Standing.OPEN:
            self._not_open.pop(account, None)
        else:
            self._not_open[account] = standing

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
        if self._is_booked(transfer.instruction_id):
            return LineReason.INSTRUCTION_BOOKED
        if currency != CURRENCY:
            return LineReason.CURRENCY
        if not ACCOUNT.fullmatch(transfer.account):
            return LineReason.NO_SUCH_ACCOUNT
        if standing := self._not_open.get(transfer.account):
            return LineReason.CLOSED if standing is Standing.CLOSED else LineReason.FROZEN
        if not self._is_under(transfer.account, transfer.name):
            return LineReason.NAME_DIFFERS
        if transfer.amount_fen > self._line_limit_fen:
            return LineReason.OVER_LIMIT
        if transfer.amount_fen > self.payer(payer).available_fen:
            return LineReason.NO_FUNDS
        return None

    def credit(
        self, payer: str, account: str, name: str, amount_fen: int, instruction_id: str
    ) -> None:
        """Book a transfer; the first one opens the account under the name it brings.

        The payer is debited by a movement of its own; until then the amount is reserved.
        """
        if self._name_of(account) is None:
            known = hash(plain(name))
            self._names.add(hash(account), known)
            self._last = (account, known)
        self.payer(payer).reserved_fen += amount_fen
        self._being_booked.add(instruction_id)

    def lies_at(self, instruction_id: str, offset: int) -> None:
        """Know where the journal holds the line of what was credited."""
        self._being_booked.discard(instruction_id)
        self._booked.add(hash(instruction_id), offset)

    def booked_at(self, instruction_id: str) -> int | None:
        """Say where the journal holds the line of an instruction that was booked."""
        return self._booked.first(hash(instruction_id))

    def _is_booked(self, instruction_id: str) -> bool:
        return instruction_id in self._being_booked or hash(instruction_id) in self._booked

    def _is_under(self, account: str, name: str) -> bool:
        """Say whether an account is under a name, or under none yet."""
        known = self._name_of(account)
        return known is None or known == hash(plain(name))

    def _name_of(self, account: str) -> int | None:
        """Give the hash of the name an account is under."""
        if account != self._last[0]:
            self._last = (account, self._names.first(hash(account)))
        return self._last[1]

    def post(self, movement: Movement) -> None:
        book = self.payer(movement.payer)
        if movement.kind is Kind.PAYOUT:
            book.reserved_fen -= movement.amount_fen
        book.post(movement)
