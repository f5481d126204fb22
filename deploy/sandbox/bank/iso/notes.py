"""What this door has said, as notes in the bank's journal: each before its file is written.

A file that a kill kept from being written is written from its note with the content it would have
had; no number is used twice, whatever lies in the folder.
"""

from collections.abc import Iterator
from datetime import date
from typing import Literal

import msgspec

from deploy.sandbox.bank.bank import Bank
from deploy.sandbox.bank.batches import Received

DOOR = "iso"
Kind = Literal["taken", "refused", "duplicate", "final"]


class Reported(msgspec.Struct, tag="report", tag_field="what"):
    """A report on an order: taken in, refused whole, a duplicate's refusal, or the final one."""

    order_id: str
    number: int
    at: str
    kind: Kind
    code: str = ""
    words: str = ""

    @property
    def name(self) -> str:
        return f"PAIN002_{self.order_id}_{self.number}.xml"


class Noticed(msgspec.Struct, tag="notice", tag_field="what"):
    """A notice of `count` movements of an account, all behind one and up to another."""

    account: str
    number: int
    at: str
    after: int
    count: int
    upto: int
    first_day: date

    @property
    def name(self) -> str:
        return f"CAMT054_{self.account}_{self.number:010d}.xml"


class Stated(msgspec.Struct, tag="statement", tag_field="what"):
    """The statement of a day that is over."""

    account: str
    day: date

    @property
    def name(self) -> str:
        return statement_name(self.account, self.day)


Said = Reported | Noticed | Stated
_DECODER = msgspec.json.Decoder(Said)


def statement_name(account: str, day: date) -> str:
    return f"CAMT053_{account}_{day:%Y%m%d}.xml"


class Forgotten(Exception):
    """The bank was restored to a day when it did not know the order yet."""


class Memory:
    """The notes in memory: the last numbers, and what is still owed."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._books = bank.state.by_name
        # The accounts that have paid by an order of this door.
        self.payers: set[str] = set()
        self.last_reports: dict[str, int] = {}
        self.unfinished: dict[str, None] = {}
        self.last_notices: dict[str, Noticed] = {}
        self.since: dict[str, date] = {}
        self.stated: dict[str, date] = {}
        for said in self.all():
            self._know(said)

    def all(self) -> Iterator[Said]:
        """Read all that was ever said, oldest first."""
        return map(_DECODER.decode, self._bank.notes(DOOR))

    @property
    def holds(self) -> bool:
        """Whether the books are those it was read from; a restored bank has others."""
        return self._bank.state.by_name is self._books

    async def keep(self, said: Said) -> None:
        await self._bank.note(DOOR, [msgspec.json.encode(said).decode()])
        self._know(said)

    def _know(self, said: Said) -> None:
        match said:
            case Reported():
                self.last_reports[said.order_id] = said.number
                if said.kind == "taken":
                    self.unfinished[said.order_id] = None
                    self.payers.add(self._payer(said.order_id))
                elif said.kind == "final":
                    self.unfinished.pop(said.order_id, None)
            case Noticed():
                self.last_notices[said.account] = said
                self.since.setdefault(said.account, said.first_day)
            case Stated():
                self.stated[said.account] = said.day

    def _payer(self, order_id: str) -> str:
        return received(self._bank, order_id).payer


def received(bank: Bank, order_id: str) -> Received:
    """Find again what was taken in, or raise Forgotten."""
    found = bank.batch(order_id)
    if found is None:
        raise Forgotten
    return found
