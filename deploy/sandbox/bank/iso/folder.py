"""The drop folder of both sides: to-bank/ is read and tidied, from-bank/ is written here."""

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from deploy.sandbox.bank.iso.pain001 import CHUNK_BYTES
from deploy.sandbox.books import keep_file

ORDER_NAME = re.compile(r"PAIN001_[0-9A-Za-z]+_\d{8}_(\d{1,20})\.xml", re.ASCII)


class Folder:
    def __init__(self, root: Path) -> None:
        self._to_bank = root / "to-bank"
        self._taken = self._to_bank / "taken"
        self._refused = self._to_bank / "refused"
        self._from_bank = root / "from-bank"
        for folder in (self._taken, self._refused, self._from_bank):
            folder.mkdir(parents=True, exist_ok=True)

    def orders(self) -> list[Path]:
        """Give the orders that lie there whole; anything else is not for this bank."""
        with os.scandir(self._to_bank) as entries:
            names = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
        return [self._to_bank / name for name in sorted(names) if ORDER_NAME.fullmatch(name)]

    def set_taken(self, order: Path) -> None:
        order.replace(self._taken / order.name)

    def set_refused(self, order: Path, digest: str) -> None:
        """Lay aside what came under a name or number of another order, without hiding that one."""
        order.replace(self._refused / f"{order.stem}_{digest[:16]}.xml")

    def has(self, name: str) -> bool:
        return (self._from_bank / name).exists()

    def put(self, name: str, pieces: Iterable[str]) -> None:
        keep_file(self._from_bank / name, (piece.encode() for piece in pieces))


def digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def number_in(name: str) -> str:
    """Give the number in an order's name: how it is called where its own number is unreadable."""
    found = ORDER_NAME.fullmatch(name)
    assert found, "only orders are taken in"
    return found[1]
