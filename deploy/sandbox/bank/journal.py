"""The lines in the bank's books."""

from typing import Literal

import msgspec

from deploy.sandbox.bank.ledger import Standing


class FileAccepted(msgspec.Struct, tag="accepted", tag_field="what"):
    at: str
    name: str
    sha256: str
    batch: str
    payer: str
    count: int
    total_fen: int


class FileTurnedAway(msgspec.Struct, tag="refused", tag_field="what"):
    at: str
    name: str
    sha256: str
    batch: str | None
    code: str
    reason: str


class BatchClosed(msgspec.Struct, tag="closed", tag_field="what"):
    at: str
    name: str
    booked: int
    refused_lines: int


FileEntry = FileAccepted | FileTurnedAway | BatchClosed


class AccountSet(msgspec.Struct):
    at: str
    account: str
    name: str
    status: Standing


class BookLine(msgspec.Struct, gc=False):
    """One line of the bank's book, field by field as it is shown to whoever checks it."""

    at: str
    batch: str
    line: int
    account: str
    name: str
    amount: str
    currency: str
    status: Literal["booked", "refused"]
    reason: str | None
    instruction_id: str
