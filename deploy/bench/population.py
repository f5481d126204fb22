"""The people of the bench, unit by unit; never stored."""

import csv
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.demo import show
from deploy.demo.actors import Staff
from deploy.demo.make_data import FIRST_DAY, LAST_DAY, SEED
from deploy.demo.patience import until
from deploy.demo.people import ROSTER_COLUMNS, Person, person

LIMIT_S = 3_600.0
MEMBERS_PER_UNIT = 5_000
ROWS_PER_MEMBER = 5


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

    def rosters(self) -> dict[str, bytes]:
        """Give roster files by unit."""
        begins = range(0, len(self.people), MEMBERS_PER_UNIT)
        return {
            f"B{place:04d}": _roster(self.people[begin : begin + MEMBERS_PER_UNIT])
            for place, begin in enumerate(begins)
        }

    async def enroll(self, admin: Staff) -> None:
        """Upload all rosters and wait for the last of them."""
        sent: list[str] = []
        for unit, content in self.rosters().items():
            await admin.put_unit(unit, f"单位{unit}", content.count(b"\n"), [])
            sent.append(await admin.upload_roster(unit, FIRST_DAY.isoformat(), content))
        progress = show.Progress()
        enrolled = sum([await _enrolled(admin, roster_id, progress) for roster_id in sent])
        assert enrolled == len(self.people), enrolled
        progress.done(f"rosters: {enrolled} members")


async def _enrolled(admin: Staff, roster_id: str, progress: show.Progress) -> int:
    async def done() -> int | None:
        roster = await admin.roster(roster_id)
        progress.show(f"roster: {roster['accepted']}/{roster['rows']} members")
        return roster["accepted"] if roster["status"] in ("done", "refused") else None

    return await until("a roster", done, limit_s=LIMIT_S)


def _roster(people: Sequence[Person]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(ROSTER_COLUMNS)
    writer.writerows(one.roster_row() for one in people)
    return text.getvalue().encode()
