"""All SQL about settlements, claims and grants; sets in, sets out."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Literal, LiteralString
from uuid import UUID

import msgspec

from services.claims.model import (
    Cause,
    Coverage,
    InPlan,
    PeriodKey,
    Person,
    SettlementKey,
    Totals,
)
from services.common.kit.db import Row, Unit
from services.common.money import Fen
from services.common.period import Days

NOTHING = Fen(0)


class Member(msgspec.Struct, frozen=True, gc=False):
    """A member as claims knows one; `salt` is wrapped."""

    member_id: UUID
    salt: bytes
    person: Person


class Claim(msgspec.Struct, gc=False):
    """A settlement as the books hold it."""

    claim_id: UUID
    key: SettlementKey
    status: str
    member_id: UUID | None
    incurred_on: date
    content_hash: bytes
    mirror_hash: bytes
    sealed: bytes
    received_at: datetime
    code: str | None = None
    benefit: Fen = NOTHING
    plans: tuple[InPlan, ...] = ()
    working: str = "[]"
    facts: bytes = b""
    decided_at: datetime | None = None
    # It was not here before its batch.
    is_new: bool = False


class Grant(msgspec.Struct, frozen=True, gc=False):
    """One signed amount, to be booked."""

    key: PeriodKey
    grant_no: int
    claim_id: UUID
    amount: Fen
    cause: Cause
    working: str | None
    incurred_on: date


_encode = msgspec.json.Encoder().encode
_PLANS = msgspec.json.Decoder(tuple[InPlan, ...])
_TOTALS = msgspec.json.Decoder(Totals)
_MEMBER = "member_id, salt, born, sex, groups"

CLAIM_COLUMNS = (
    "claim_id",
    "fixmedins_code",
    "setl_id",
    "refund",
    "status",
    "code",
    "member_id",
    "incurred_on",
    "benefit_fen",
    "content_hash",
    "mirror_hash",
    "plans",
    "working",
    "facts",
    "sealed",
    "received_at",
    "decided_at",
)


def claim_of(row: Row) -> Claim:
    return Claim(
        claim_id=row["claim_id"],
        key=SettlementKey(row["fixmedins_code"], row["setl_id"], row["refund"]),
        status=row["status"],
        member_id=row["member_id"],
        incurred_on=row["incurred_on"],
        content_hash=row["content_hash"],
        mirror_hash=row["mirror_hash"],
        sealed=row["sealed"],
        received_at=row["received_at"],
        code=row["code"],
        benefit=Fen(row["benefit_fen"]),
        plans=_PLANS.decode(row["plans"]),
        working=row["working"],
        facts=row["facts"],
        decided_at=row["decided_at"],
    )


async def lock(
    unit: Unit,
    indexes: Iterable[bytes],
    keys: Iterable[SettlementKey],
    *,
    presumed_new: bool = False,
) -> tuple[dict[bytes, Member], dict[SettlementKey, Claim]]:
    """Lock the members of a batch and give what is here of its settlements.

    Where these are `presumed_new` only refunds are looked for, and what the batch's refunds take
    back. A claim of none of these members is not held by their locks: it is locked itself, and all
    is read again, for its member may have come meanwhile and it may have been decided.
    """
    indexes, keys = list(indexes), list(keys)

    async def read() -> tuple[dict[bytes, Member], dict[SettlementKey, Claim]]:
        known = _refunds_and_refunded if presumed_new else known_claims
        return await lock_members(unit, indexes), await known(unit, keys)

    members, claims = await read()
    held = {member.member_id for member in members.values()}
    loose = [claim.claim_id for claim in claims.values() if claim.member_id not in held]
    if loose:
        await unit.execute(
            "select 1 from settlement where claim_id = any($1) order by claim_id for no key update",
            loose,
        )
        members, claims = await read()
    return members, claims


async def lock_members(unit: Unit, indexes: Iterable[bytes]) -> dict[bytes, Member]:
    """Lock the members of a batch, in order; whatever is theirs is written under this lock."""
    rows = await unit.fetch(
        f"select identity_index, {_MEMBER} from member"  # noqa: S608 - names of our own columns
        " where identity_index = any($1) order by member_id for no key update",
        list(indexes),
    )
    return {index: _member_of(*member) for index, *member in rows}


def _member_of(
    member_id: UUID,
    salt: bytes,
    born: date | None,
    sex: Literal["F", "M"] | None,
    groups: Sequence[str],
) -> Member:
    return Member(member_id, salt, Person(born, sex, tuple(groups)))


async def members_of(unit: Unit, members: Sequence[UUID]) -> dict[UUID, Member]:
    rows = await unit.fetch(
        f"select {_MEMBER} from member where member_id = any($1)",  # noqa: S608 - as above
        members,
    )
    return {row["member_id"]: _member_of(*row) for row in rows}


async def coverages(unit: Unit, members: Sequence[UUID]) -> dict[UUID, list[Coverage]]:
    rows = await unit.fetch(
        "select member_id, scheme_id, starts_on, ends_on, units from coverage"
        " where member_id = any($1) order by member_id, scheme_id, starts_on",
        members,
    )
    found: dict[UUID, list[Coverage]] = {}
    for member_id, scheme_id, starts, ends, units in rows:
        cover = Coverage(scheme_id, Days(starts, ends), units)
        found.setdefault(member_id, []).append(cover)
    return found


async def known_claims(unit: Unit, keys: Iterable[SettlementKey]) -> dict[SettlementKey, Claim]:
    """Find settlements that are here already, and the refunds or originals that go with them."""
    return await _known(unit, keys, "")


async def _refunds_and_refunded(
    unit: Unit, keys: Sequence[SettlementKey]
) -> dict[SettlementKey, Claim]:
    """Find what is here of refunds, and what waits for any of the originals.

    The index of refunds alone is a hundredth of that of all settlements: it stays in the
    processor's caches, where a look into the other goes to memory ten times.
    """
    refunds = [key for key in keys if key.refund]
    refunded = await known_claims(unit, refunds) if refunds else {}
    return await _known(unit, keys, "where s.refund") | refunded


async def _known(
    unit: Unit, keys: Iterable[SettlementKey], where: LiteralString
) -> dict[SettlementKey, Claim]:
    pairs = list({key[:2] for key in keys})
    rows = await unit.fetch(
        f"""
        select s.* from unnest($1::text[], $2::text[]) as u(fixmedins_code, setl_id)
        join settlement s using (fixmedins_code, setl_id)
        {where}
        """,  # noqa: S608 - words of our own
        [code for code, _ in pairs],
        [setl_id for _, setl_id in pairs],
    )
    claims = map(claim_of, rows)
    return {claim.key: claim for claim in claims}


async def counted_plans(
    unit: Unit, members: Sequence[UUID]
) -> dict[UUID, dict[UUID, tuple[InPlan, ...]]]:
    """Give what plans made of the claims of members that stand, by member and claim."""
    rows = await unit.fetch(
        "select member_id, claim_id, plans from settlement where member_id = any($1)"
        " and status in ('settled', 'rejected') and not refund",
        members,
    )
    found: dict[UUID, dict[UUID, tuple[InPlan, ...]]] = {}
    for row in rows:
        found.setdefault(row["member_id"], {})[row["claim_id"]] = _PLANS.decode(row["plans"])
    return found


async def totals(unit: Unit, members: Sequence[UUID]) -> dict[PeriodKey, Totals]:
    rows = await unit.fetch(
        "select member_id, scheme_id, period_starts, totals from accumulator"
        " where member_id = any($1)",
        members,
    )
    return {
        PeriodKey(member_id, scheme_id, starts): _TOTALS.decode(told)
        for member_id, scheme_id, starts, told in rows
    }


async def put_totals(
    unit: Unit,
    fresh: Sequence[tuple[PeriodKey, Totals]],
    held: Sequence[tuple[PeriodKey, Totals]],
) -> None:
    """Write the sums of periods: of new ones, and of those that have their books already."""
    if fresh:
        columns = ("member_id", "scheme_id", "period_starts", "totals")
        rows = [(*key, _told(totals)) for key, totals in fresh]
        await unit.copy("accumulator", columns, rows)
    if held:
        await unit.execute(
            """
            update accumulator a set totals = u.totals
            from unnest($1::uuid[], $2::text[], $3::date[], $4::text[])
                 as u(member_id, scheme_id, period_starts, totals)
            where (a.member_id, a.scheme_id, a.period_starts)
                = (u.member_id, u.scheme_id, u.period_starts)
            """,
            [key.member_id for key, _ in held],
            [key.scheme_id for key, _ in held],
            [key.starts for key, _ in held],
            [_told(totals) for _, totals in held],
        )


def _told(totals: Totals) -> str:
    return _encode(totals).decode()


def _row(claim: Claim) -> tuple[object, ...]:
    return (
        claim.claim_id,
        *claim.key,
        claim.status,
        claim.code,
        claim.member_id,
        claim.incurred_on,
        claim.benefit,
        claim.content_hash,
        claim.mirror_hash,
        _encode(claim.plans).decode(),
        claim.working,
        claim.facts,
        claim.sealed,
        claim.received_at,
        claim.decided_at,
    )


async def add_claims(unit: Unit, claims: Sequence[Claim]) -> None:
    if claims:
        await unit.copy("settlement", CLAIM_COLUMNS, map(_row, claims))
        waiting = [(c.claim_id, c.received_at) for c in claims if c.status == "in_review"]
        if waiting:
            await unit.copy("review", ("claim_id", "since"), waiting)


async def change_claims(unit: Unit, claims: Sequence[Claim]) -> None:
    """Write what was decided anew about settlements that are here already."""
    if claims:
        await unit.execute(
            """
            update settlement s
            set status = u.status, code = u.code, member_id = u.member_id,
                benefit_fen = u.benefit_fen, plans = u.plans, working = u.working,
                facts = u.facts, sealed = u.sealed, decided_at = u.decided_at,
                incurred_on = u.incurred_on, content_hash = u.content_hash,
                mirror_hash = u.mirror_hash
            from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::bigint[], $6::text[],
                        $7::text[], $8::bytea[], $9::timestamptz[], $10::date[], $11::bytea[],
                        $12::bytea[], $13::bytea[])
                 as u(claim_id, status, code, member_id, benefit_fen, plans, working, sealed,
                      decided_at, incurred_on, content_hash, mirror_hash, facts)
            where s.claim_id = u.claim_id
            """,
            [c.claim_id for c in claims],
            [c.status for c in claims],
            [c.code for c in claims],
            [c.member_id for c in claims],
            [c.benefit for c in claims],
            [msgspec.json.encode(c.plans).decode() for c in claims],
            [c.working for c in claims],
            [c.sealed for c in claims],
            [c.decided_at for c in claims],
            [c.incurred_on for c in claims],
            [c.content_hash for c in claims],
            [c.mirror_hash for c in claims],
            [c.facts for c in claims],
        )
        await unit.execute(
            "delete from review where claim_id = any($1)",
            [c.claim_id for c in claims if c.status != "in_review"],
        )


async def add_grants(
    unit: Unit, ids: Sequence[UUID], grants: Sequence[Grant], at: datetime
) -> None:
    if grants:
        await unit.copy(
            "benefit_grant",
            (
                "member_id",
                "scheme_id",
                "period_starts",
                "grant_no",
                "grant_id",
                "claim_id",
                "amount_fen",
                "cause",
                "working",
                "granted_at",
            ),
            [
                (*g.key, g.grant_no, grant_id, g.claim_id, g.amount, g.cause, g.working, at)
                for grant_id, g in zip(ids, grants, strict=True)
            ],
        )


async def in_review(unit: Unit, before: datetime, rows_max: int) -> list[Claim]:
    rows = await unit.fetch(
        """
        select s.* from (select claim_id, since from review where since < $1
                         order by since limit $2) r
        join settlement s using (claim_id) order by r.since, s.claim_id
        """,
        before,
        rows_max,
    )
    return [claim_of(row) for row in rows]
