"""The people of the bench, unit by unit, and the feed of what they went through; never stored."""

import csv
import gzip
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from deploy.demo.make_data import FIRST_DAY, HOSPITALS, LAST_DAY, SEED
from deploy.demo.oracle import Oracle
from deploy.demo.people import ROSTER_COLUMNS, Person, person
from deploy.demo.visits import COLUMNS, INPATIENT, Row, visit, visits

MEMBERS_PER_UNIT = 5_000
ROWS_PER_MEMBER = 5
POSTS_FROM = 90_000_000  # numbers of settlements that no feed reaches


@dataclass
class Population:
    """Members 1 to `posting` have a hospital post for each; the others are in the feed."""

    posting: int
    rows: int

    def __post_init__(self) -> None:
        self._rng = random.Random(SEED)  # noqa: S311 - made-up people need no secrets
        count = self.posting + max(1, self.rows // ROWS_PER_MEMBER)
        people = [person(n, self._rng, FIRST_DAY, LAST_DAY) for n in range(1, count + 1)]
        there = [one._replace(hired_on=FIRST_DAY) for one in people[: self.posting]]
        self.people = [*there, *people[self.posting :]]
        self.oracle = Oracle()
        self.expected = Decimal(0)

    @property
    def phones(self) -> dict[str, str]:
        return {one.card: one.phone for one in self.people}

    def rosters(self) -> dict[str, bytes]:
        """Give roster files by unit."""
        begins = range(0, len(self.people), MEMBERS_PER_UNIT)
        return {
            f"B{place:04d}": _roster(self.people[begin : begin + MEMBERS_PER_UNIT])
            for place, begin in enumerate(begins)
        }

    def posts(self) -> list[tuple[Person, Row]]:
        """Give one stay in hospital for each posting member, every one worth a benefit."""
        ended = date(2025, 12, 30)
        posts = [
            (one, visit(self._rng, POSTS_FROM + n, one, HOSPITALS[0], kind=INPATIENT, ended=ended))
            for n, one in enumerate(self.people[: self.posting])
        ]
        for _, row in posts:
            self._expect(row)
        return posts

    def write_feed(self, path: Path) -> None:
        """Write the feed row by row, and add up what it is worth."""
        told = visits(
            self._rng,
            self.people[self.posting :],
            HOSPITALS,
            first_day=FIRST_DAY,
            last_day=LAST_DAY,
            count=self.rows,
        )
        with gzip.open(path, "wt", encoding="utf-8", newline="", compresslevel=1) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for row in told:
                self._expect(row)
                writer.writerow(row.values())

    def _expect(self, row: Row) -> None:
        self.expected += self.oracle.expect(row, "ok").benefit


def _roster(people: Sequence[Person]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(ROSTER_COLUMNS)
    writer.writerows(one.roster_row() for one in people)
    return text.getvalue().encode()
