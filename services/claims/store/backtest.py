"""All SQL about backtests: what was asked, how far each is, and the claims that it reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import insert, select, update

from services.claims import tables
from services.claims.backtest.replay import Past, Patient, TakenBack
from services.claims.model import Facts, InPlan, Person
from services.claims.store.settlements import coverages
from services.common.kit.db import Row, Unit
from services.common.money import Fen
from services.common.period import Days

_backtest = tables.backtest.c
_FACTS = msgspec.msgpack.Decoder(Facts)
_PLANS = msgspec.json.Decoder(tuple[InPlan, ...])


@dataclass(frozen=True, slots=True)
class Backtest:
    """A draft tried on claims: `done` of `parts` parts; the report once it is done."""

    backtest_id: UUID
    scheme_id: str
    draft_id: UUID
    starts_on: date
    ends_on: date
    as_of: date | None
    fund: Fen | None
    asked_by: UUID
    asked_at: datetime
    status: str
    code: str | None
    done: int
    parts: int
    report: str | None
    finished_at: datetime | None


class Part(NamedTuple):
    """Members behind one id, up to another one."""

    after: UUID
    up_to: UUID


class Story(NamedTuple):
    """What became of one member's claims, in the order in which it was decided.

    Of so many claims too little was kept to judge them again.
    """

    patient: Patient
    events: list[Past | TakenBack]
    without_facts: int


async def add(unit: Unit, asked: Backtest) -> None:
    await unit.core.execute(
        insert(tables.backtest).values(
            backtest_id=asked.backtest_id,
            scheme_id=asked.scheme_id,
            draft_id=asked.draft_id,
            starts_on=asked.starts_on,
            ends_on=asked.ends_on,
            as_of=asked.as_of,
            fund_fen=asked.fund,
            asked_by=asked.asked_by,
            asked_at=asked.asked_at,
            status=asked.status,
            done=asked.done,
            parts=asked.parts,
        )
    )


async def get(unit: Unit, backtest_id: UUID) -> Backtest | None:
    found = select(tables.backtest).where(_backtest.backtest_id == backtest_id)
    row = (await unit.core.execute(found)).first()
    return None if row is None else Backtest(*row)


async def oldest_unfinished(unit: Unit) -> Backtest | None:
    found = (
        select(tables.backtest)
        .where(_backtest.status.in_(("queued", "running")))
        .order_by(_backtest.asked_at)
        .limit(1)
    )
    row = (await unit.core.execute(found)).first()
    return None if row is None else Backtest(*row)


async def newest_done(unit: Unit, draft_id: UUID) -> Backtest | None:
    found = (
        select(tables.backtest)
        .where(_backtest.draft_id == draft_id, _backtest.status == "done")
        .order_by(_backtest.finished_at.desc())
        .limit(1)
    )
    row = (await unit.core.execute(found)).first()
    return None if row is None else Backtest(*row)


async def move(unit: Unit, backtest_id: UUID, done: int, parts: int) -> None:
    await unit.core.execute(
        update(tables.backtest)
        .where(_backtest.backtest_id == backtest_id)
        .values(status="running", done=done, parts=parts)
    )


async def finish(unit: Unit, backtest_id: UUID, report: str, now: datetime) -> None:
    await unit.core.execute(
        update(tables.backtest)
        .where(_backtest.backtest_id == backtest_id)
        .values(status="done", done=_backtest.parts, report=report, finished_at=now)
    )


async def fail(unit: Unit, backtest_id: UUID, code: str, now: datetime) -> None:
    await unit.core.execute(
        update(tables.backtest)
        .where(_backtest.backtest_id == backtest_id)
        .values(status="failed", code=code, finished_at=now)
    )


async def next_bound(unit: Unit, after: UUID, members: int) -> UUID | None:
    """Give the id up to which there are so many members, or None where there are not as many."""
    return await unit.fetchval(
        "select member_id from member where member_id > $1 order by member_id limit 1 offset $2",
        after,
        members - 1,
    )


async def stories(unit: Unit, part: Part, read: Days) -> Iterator[Story]:
    """Read the members of a part who have claims on these days, with all of these claims."""
    rows = await unit.fetch(
        """
        select member_id, claim_id, status <> 'reversed' as stands, plans, facts, received_at
        from settlement
        where member_id > $1 and member_id <= $2 and incurred_on between $3 and $4 and not refund
        and (status in ('settled', 'rejected') or (status = 'reversed' and plans <> '[]'))
        order by member_id, received_at, claim_id
        """,
        *part,
        read.starts,
        read.ends or date.max,
    )
    patients = await _patients(unit, part)
    back = await _taken_back(unit, [row["claim_id"] for row in rows if not row["stands"]])
    by_member = groupby(rows, lambda row: row["member_id"])
    return (_story(patients[member_id], list(mine), back) for member_id, mine in by_member)


async def _patients(unit: Unit, part: Part) -> dict[UUID, Patient]:
    rows = await unit.fetch(
        "select member_id, unit_code, born, sex, groups from member"
        " where member_id > $1 and member_id <= $2",
        *part,
    )
    covers = await coverages(unit, [row["member_id"] for row in rows])
    return {
        row["member_id"]: Patient(
            row["member_id"],
            row["unit_code"],
            Person(row["born"], row["sex"], tuple(row["groups"])),
            covers.get(row["member_id"], ()),
        )
        for row in rows
    }


async def _taken_back(unit: Unit, claims: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """Find when claims were taken back, and what was booked for that."""
    if not claims:
        return {}
    rows = await unit.fetch(
        """
        select o.claim_id, r.received_at, r.claim_id as refund_id, g.scheme_id, g.amount_fen
        from unnest($1::uuid[]) as u(claim_id)
        join settlement o using (claim_id)
        join settlement r on r.fixmedins_code = o.fixmedins_code and r.setl_id = o.setl_id
                             and r.refund
        left join benefit_grant g on g.member_id = o.member_id and g.claim_id = o.claim_id
                                     and g.cause = 'reversed'
        order by o.claim_id
        """,
        claims,
    )
    return {claim_id: list(group) for claim_id, group in groupby(rows, lambda r: r["claim_id"])}


def _story(patient: Patient, rows: Sequence[Row], back: Mapping[UUID, Sequence[Row]]) -> Story:
    told = [row for row in rows if row["facts"]]
    events: list[Past | TakenBack] = [
        Past(
            row["claim_id"],
            _FACTS.decode(row["facts"]),
            _PLANS.decode(row["plans"]),
            row["stands"],
        )
        for row in told
    ]
    if not all(row["stands"] for row in told):
        events = _with_reversals(told, events, back)
    return Story(patient, events, len(rows) - len(told))


def _with_reversals(
    rows: Sequence[Row],
    events: Sequence[Past | TakenBack],
    back: Mapping[UUID, Sequence[Row]],
) -> list[Past | TakenBack]:
    """Put in what was taken back, where it was."""
    dated = [
        ((row["received_at"], row["claim_id"]), event)
        for row, event in zip(rows, events, strict=True)
    ]
    for row in rows:
        refunds = back.get(row["claim_id"], ())
        if refunds:
            booked: dict[str, Fen] = {}
            for grant in refunds:
                if grant["scheme_id"] is not None:
                    scheme_id = grant["scheme_id"]
                    booked[scheme_id] = Fen(booked.get(scheme_id, 0) + grant["amount_fen"])
            moment = refunds[0]["received_at"], refunds[0]["refund_id"]
            dated.append((moment, TakenBack(row["claim_id"], booked)))
    return [event for _, event in sorted(dated, key=lambda item: item[0])]
