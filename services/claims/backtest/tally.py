"""What a draft changes, summed: for all, by unit, by age, by hospital level and by size of bill."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
from typing import Final
from uuid import UUID

import msgspec

from services.claims.backtest.replay import Patient, Replayed
from services.common.money import Fen
from services.common.period import Days, completed_years

LARGEST: Final = 10
UNITS, AGES, LEVELS, BILLS = "unit", "age", "hospital_level", "bill"
DIMENSIONS: Final = (UNITS, AGES, LEVELS, BILLS)
UNKNOWN: Final = "?"
_LEVELS: Final = {None: UNKNOWN, 1: "1", 2: "2", 3: "3"}
# The first years of each band but the youngest.
_AGES_FROM: Final = (30, 40, 50, 60)
AGE_BANDS: Final = ("0-29", "30-39", "40-49", "50-59", "60+")
# Fen of self-pay one from which each band but the smallest begins.
_BILLS_FROM: Final = (1_000_00, 5_000_00, 10_000_00, 20_000_00, 50_000_00)
BILL_BANDS: Final = (
    "<1000",
    "1000-5000",
    "5000-10000",
    "10000-20000",
    "20000-50000",
    ">=50000",
)


class Group(msgspec.Struct, eq=False, gc=False):
    """Sums in fen. Winners and losers are members: the changes of one are summed first."""

    claims: int = 0
    booked: int = 0
    drafted: int = 0
    members: int = 0
    winners: int = 0
    won: int = 0
    losers: int = 0
    lost: int = 0

    @property
    def difference(self) -> int:
        return self.drafted - self.booked

    @property
    def unchanged(self) -> int:
        return self.members - self.winners - self.losers

    def count_member(self, claims: int, booked: int, drafted: int) -> None:
        """Add what one member's claims sum to; what was taken back is money and no claim."""
        self.claims += claims
        self.booked += booked
        self.drafted += drafted
        if not claims:
            return
        self.members += 1
        change = drafted - booked
        if change > 0:
            self.winners += 1
            self.won += change
        elif change < 0:
            self.losers += 1
            self.lost += change

    def add(self, other: "Group") -> None:
        for field in self.__struct_fields__:
            setattr(self, field, getattr(self, field) + getattr(other, field))


class Change(msgspec.Struct, frozen=True, gc=False):
    """A claim for which the draft gives another amount; it names nobody."""

    claim_id: UUID
    day: date
    booked: Fen
    drafted: Fen
    code_booked: str | None
    code_drafted: str | None

    @property
    def size(self) -> tuple[int, date, Fen, UUID]:
        """Order changes by size; equal ones always in the same way."""
        return -abs(self.drafted - self.booked), self.day, self.booked, self.claim_id


class Check(msgspec.Struct):
    """The figures in force, tried like a draft: whatever they change is a fault of the trial."""

    claims: int = 0
    differing: int = 0
    difference: int = 0

    def add(self, found: Iterable[Replayed]) -> None:
        for one in found:
            self.claims += one.stands
            self.differing += one.stands and one.booked != one.drafted
            self.difference += one.drafted - one.booked


class Tally(msgspec.Struct):
    """What is known after some of the members; two of them add up."""

    whole: Group = msgspec.field(default_factory=Group)
    groups: dict[str, dict[str, Group]] = msgspec.field(
        default_factory=lambda: {dimension: {} for dimension in DIMENSIONS}
    )
    codes_booked: dict[str, int] = {}
    codes_drafted: dict[str, int] = {}
    largest: list[Change] = []
    # Claims of earlier releases, which kept too little of them to be judged again.
    without_facts: int = 0
    check: Check = msgspec.field(default_factory=Check)

    def add(self, patient: Patient, found: Iterable[Replayed], days: Days) -> None:
        """Add what was found of one member's claims on these days."""
        claims = booked = drafted = 0
        mine: dict[Group, list[int]] = {}
        born, starts, ends = patient.person.born, days.starts, days.ends or date.max
        for one in found:
            facts, stands = one.facts, one.stands
            if not starts <= facts.day <= ends:
                continue
            claims += stands
            booked += one.booked
            drafted += one.drafted
            for group in (
                self._group(AGES, _age_band(born, facts.day)),
                self._group(LEVELS, _LEVELS[facts.hospital_level]),
                self._group(BILLS, BILL_BANDS[bisect_right(_BILLS_FROM, facts.self_pay_one)]),
            ):
                sums = mine.get(group)
                if sums is None:
                    mine[group] = [stands, one.booked, one.drafted]
                else:
                    sums[0] += stands
                    sums[1] += one.booked
                    sums[2] += one.drafted
            if stands:
                self._count_codes(one.code_booked or "", one.code_drafted or "")
                if one.drafted != one.booked:
                    self._keep_if_large(one, abs(one.drafted - one.booked))
        if mine:
            self.whole.count_member(claims, booked, drafted)
            self._group(UNITS, patient.unit_code).count_member(claims, booked, drafted)
        for group, sums in mine.items():
            group.count_member(*sums)

    def merge(self, other: "Tally") -> None:
        """Add what another process has found about other members."""
        self.whole.add(other.whole)
        for dimension, groups in other.groups.items():
            for name, group in groups.items():
                self._group(dimension, name).add(group)
        for mine, theirs in (
            (self.codes_booked, other.codes_booked),
            (self.codes_drafted, other.codes_drafted),
        ):
            for code, count in theirs.items():
                mine[code] = mine.get(code, 0) + count
        self._keep_largest(other.largest)
        self.without_facts += other.without_facts
        self.check.claims += other.check.claims
        self.check.differing += other.check.differing
        self.check.difference += other.check.difference

    def _group(self, dimension: str, name: str) -> Group:
        groups = self.groups[dimension]
        found = groups.get(name)
        if found is None:
            found = groups[name] = Group()
        return found

    def _count_codes(self, before: str, after: str) -> None:
        self.codes_booked[before] = self.codes_booked.get(before, 0) + 1
        self.codes_drafted[after] = self.codes_drafted.get(after, 0) + 1

    def _keep_if_large(self, one: Replayed, change: int) -> None:
        if len(self.largest) < LARGEST or change >= -self.largest[-1].size[0]:
            self._keep_largest([_change(one)])

    def _keep_largest(self, more: Iterable[Change]) -> None:
        self.largest = sorted((*self.largest, *more), key=lambda change: change.size)[:LARGEST]


def _change(one: Replayed) -> Change:
    return Change(
        one.claim_id, one.facts.day, one.booked, one.drafted, one.code_booked, one.code_drafted
    )


def _age_band(born: date | None, on: date) -> str:
    return (
        UNKNOWN if born is None else AGE_BANDS[bisect_right(_AGES_FROM, completed_years(born, on))]
    )
