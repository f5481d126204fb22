"""A year of claims as the engine settles them, in the books of a throw-away database."""

import os
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from services.claims.model import (
    Brought,
    Coverage,
    Facts,
    PeriodKey,
    Person,
    SettlementKey,
    Totals,
)
from services.claims.rules.assess import assess
from services.claims.rules.cases import cases
from services.claims.store import settlements as store
from services.claims.store.settlements import Claim
from services.claims.usecases.verdicts import code_of, in_plan, joined
from services.common.kit.db import Database
from services.common.money import Fen
from services.common.period import Days
from services.common.schemes.rulebook import Rulebook

SCHEME: Final = "bj.mutual"
YEAR: Final = Days(date(2025, 1, 1), date(2025, 12, 31))
CLAIMS_PER_MEMBER: Final = 5
_UNITS: Final = 400
_CHUNK_ROWS: Final = 5_000
# As long as a sealed row is.
_SEALED_BYTES: Final = 600
_SEED: Final = 20_251_231
_COVERS: Final = (Coverage(SCHEME, Days(date(2012, 5, 1))),)
_FACTS: Final = msgspec.msgpack.Encoder(enc_hook=lambda _diagnosis: None)


class Somebody(NamedTuple):
    member_id: UUID
    unit_code: str
    person: Person


def somebodies(count: int) -> list[Somebody]:
    rng = random.Random(_SEED)  # noqa: S311 - made-up people need no secrets
    return [
        Somebody(
            UUID(int=rng.getrandbits(128)),
            f"U{rng.randrange(_UNITS):04d}",
            Person(
                date(1965, 1, 1) + timedelta(days=rng.randrange(14_000)),
                "F" if rng.random() < 1 / 2 else "M",
            ),
        )
        for _ in range(count)
    ]


def bills(count: int) -> Iterator[Facts]:
    """Give what settlements say, stays in hospital and visits to a doctor mixed."""
    rng = random.Random(_SEED + 1)  # noqa: S311 - as above
    for _ in range(count):
        day = YEAR.starts + timedelta(days=rng.randrange(365))
        burden, stay = Fen(rng.randrange(100_00, 9_000_00)), rng.random() < 1 / 3
        yield Facts(
            day=day,
            admission=day - timedelta(days=7) if stay else day,
            claimed_on=day,
            visit="inpatient" if stay else "ordinary_outpatient",
            cause="disease",
            hospital_level=rng.randrange(1, 4),
            in_scope=Fen(3 * burden),
            self_pay_one=burden,
            pooled_paid=Fen(2 * burden),
            co_pay_pooled=Fen(burden // 2),
            own_cost=Fen(burden + 500_00),
            psn_type="11",
            insutype="310",
        )


async def fill(database: Database, rulebook: Rulebook, claims: int) -> int:
    """Fill the books with so many claims; gives how many the engine has settled or rejected.

    Neighbours in the table are of different members, as in a feed.
    """
    people = somebodies(claims // CLAIMS_PER_MEMBER)
    async with database.begin() as unit:
        salt = os.urandom(60)
        await unit.copy(
            "member",
            (
                "member_id",
                "identity_index",
                "unit_code",
                "salt",
                "version",
                "born",
                "sex",
                "groups",
            ),
            (
                (
                    p.member_id,
                    p.member_id.bytes,
                    p.unit_code,
                    salt,
                    1,
                    p.person.born,
                    p.person.sex,
                    [],
                )
                for p in people
            ),
        )
        await unit.copy(
            "coverage",
            ("coverage_id", "member_id", "scheme_id", "starts_on", "units", "version"),
            ((p.member_id, p.member_id, SCHEME, _COVERS[0].days.starts, 1, 1) for p in people),
        )
    settled, written = _settled(people, rulebook), 0
    while chunk := list(islice(settled, _CHUNK_ROWS)):
        async with database.begin() as unit:
            await store.add_claims(unit, chunk)
        written += len(chunk)
    return written


def _settled(people: Sequence[Somebody], rulebook: Rulebook) -> Iterator[Claim]:
    """Settle a claim of everybody, then another one of everybody."""
    totals: dict[PeriodKey, Totals] = {}
    told = bills(len(people) * CLAIMS_PER_MEMBER)
    first_second = datetime(2026, 1, 1, tzinfo=UTC)
    sealed = os.urandom(_SEALED_BYTES)
    for number in range(len(people) * CLAIMS_PER_MEMBER):
        somebody, facts = people[number % len(people)], next(told)
        found = cases(somebody.member_id, facts, somebody.person, _COVERS, rulebook)
        assert isinstance(found, Brought), found
        (assessed,) = assess([found], totals)
        plans = tuple(map(in_plan, assessed))
        benefit = Fen(sum(plan.benefit for plan in plans))
        came = first_second + timedelta(milliseconds=number)
        yield Claim(
            claim_id=UUID(int=number + 1),
            key=SettlementKey("H1", f"S{number:09d}", refund=False),
            status="settled" if benefit else "rejected",
            member_id=somebody.member_id,
            incurred_on=facts.day,
            content_hash=somebody.member_id.bytes,
            mirror_hash=somebody.member_id.bytes,
            sealed=sealed,
            received_at=came,
            code=code_of(plans),
            benefit=benefit,
            plans=plans,
            working=joined("[]", assessed),
            facts=_FACTS.encode(facts),
            decided_at=came,
        )
