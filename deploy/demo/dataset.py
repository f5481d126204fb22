"""A set of data as it lies in its folder: what is uploaded, and what has to come of it."""

import csv
import json
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple


class Truth(NamedTuple):
    line: int
    setl_id: str
    made: str
    status: str
    code: str
    benefit: Decimal


class Granted(NamedTuple):
    """What one member is to be granted in one year."""

    certno: str
    year: int
    benefit: Decimal


@dataclass(frozen=True)
class Dataset:
    folder: Path

    @cached_property
    def rosters(self) -> dict[str, bytes]:
        """Give the roster files by the code of their unit."""
        paths = sorted((self.folder / "rosters").glob("*.csv"))
        return {path.stem: path.read_bytes() for path in paths}

    @cached_property
    def members(self) -> list[dict[str, str]]:
        return [
            {**row, "unit": unit}
            for unit, content in self.rosters.items()
            for row in csv.DictReader(content.decode().splitlines())
        ]

    @property
    def feed_path(self) -> Path:
        return self.folder / "settlements.csv"

    @cached_property
    def rows(self) -> list[dict[str, str]]:
        return _rows(self.feed_path)

    @cached_property
    def truth(self) -> list[Truth]:
        return [
            Truth(
                line=int(row["line"]),
                setl_id=row["setl_id"],
                made=row["made"],
                status=row["status"],
                code=row["code"],
                benefit=Decimal(row["benefit"]),
            )
            for row in _rows(self.folder / "truth.csv")
        ]

    @cached_property
    def counts(self) -> Counter[str]:
        return Counter(one.status for one in self.truth)

    @cached_property
    def expected(self) -> list[Granted]:
        return [
            Granted(row["certno"], int(row["year"]), Decimal(row["benefit"]))
            for row in _rows(self.folder / "expected.csv")
        ]

    @cached_property
    def cast(self) -> dict[str, Any]:
        return json.loads((self.folder / "cast.json").read_text(encoding="utf-8"))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
