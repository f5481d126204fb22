"""Members, their phones and their coverage in the database, opened on the way out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.common.identity import Phone
from services.common.kit.db import Row, Unit
from services.enrollment.errors import MemberAppeared
from services.enrollment.model import Coverage, Member
from services.enrollment.store.vault import Vault

_COLUMNS = (
    "member_id",
    "identity_index",
    "unit_code",
    "salt",
    "person",
    "version",
    "payee_version",
    "contact_version",
)


async def lock_by_identity(
    unit: Unit, vault: Vault, identity_indexes: Sequence[bytes]
) -> dict[bytes, Member]:
    """Lock the members that are known, in the order of their ids; give them by index."""
    rows = await unit.fetch(
        "select * from members where identity_index = any($1) order by member_id for update",
        identity_indexes,
    )
    return {member.identity_index: member for member in await _members(unit, vault, rows)}


async def lock(unit: Unit, vault: Vault, member_ids: Sequence[UUID]) -> dict[UUID, Member]:
    rows = await unit.fetch(
        "select * from members where member_id = any($1) order by member_id for update",
        member_ids,
    )
    return {member.member_id: member for member in await _members(unit, vault, rows)}


async def find(unit: Unit, vault: Vault, member_ids: Sequence[UUID]) -> dict[UUID, Member]:
    rows = await unit.fetch("select * from members where member_id = any($1)", member_ids)
    return {member.member_id: member for member in await _members(unit, vault, rows)}


async def ids_and_units_by_identity(
    unit: Unit, identity_indexes: Sequence[bytes]
) -> dict[bytes, tuple[UUID, str]]:
    rows = await unit.fetch(
        "select identity_index, member_id, unit_code from members where identity_index = any($1)",
        identity_indexes,
    )
    return {row["identity_index"]: (row["member_id"], row["unit_code"]) for row in rows}


async def ids_by_phone(unit: Unit, phone_indexes: Sequence[bytes]) -> list[UUID]:
    rows = await unit.fetch(
        "select distinct member_id from member_phones where phone_index = any($1) order by 1",
        phone_indexes,
    )
    return [row["member_id"] for row in rows]


async def add(unit: Unit, vault: Vault, newcomers: Sequence[Member]) -> None:
    try:
        await unit.copy("members", _COLUMNS, [_row(vault, member) for member in newcomers])
    except asyncpg.UniqueViolationError as error:
        raise MemberAppeared from error
    await add_phones(unit, vault, [(member.member_id, member.person.phone) for member in newcomers])


async def save(unit: Unit, vault: Vault, changed: Sequence[Member]) -> None:
    if not changed:
        return
    columns = list(zip(*(_row(vault, member) for member in changed), strict=True))
    ids, _, unit_codes, _, persons, versions, payee_versions, contact_versions = columns
    await unit.execute(
        """
        update members m
        set unit_code = n.unit_code, person = n.person, version = n.version,
            payee_version = n.payee_version, contact_version = n.contact_version
        from unnest($1::uuid[], $2::text[], $3::bytea[], $4::int[], $5::int[], $6::int[])
             as n(member_id, unit_code, person, version, payee_version, contact_version)
        where m.member_id = n.member_id
        """,
        ids,
        unit_codes,
        persons,
        versions,
        payee_versions,
        contact_versions,
    )


async def add_phones(unit: Unit, vault: Vault, phones: Sequence[tuple[UUID, Phone]]) -> None:
    await unit.copy(
        "member_phones",
        ("phone_index", "member_id"),
        [(vault.phone.of(phone.open()), member_id) for member_id, phone in phones],
    )


async def drop_phones(unit: Unit, vault: Vault, phones: Sequence[tuple[UUID, Phone]]) -> None:
    if not phones:
        return
    await unit.execute(
        """
        delete from member_phones p using unnest($1::bytea[], $2::uuid[]) as o(phone, member_id)
        where p.phone_index = o.phone and p.member_id = o.member_id
        """,
        [vault.phone.of(phone.open()) for _, phone in phones],
        [member_id for member_id, _ in phones],
    )


async def add_coverages(unit: Unit, begun: Sequence[tuple[UUID, Coverage]]) -> None:
    await unit.copy(
        "coverages",
        ("member_id", "scheme_id", "coverage_id", "starts_on", "ends_on", "units", "version"),
        [
            (member_id, c.scheme_id, c.coverage_id, c.starts_on, c.ends_on, c.units, c.version)
            for member_id, c in begun
        ],
    )


async def save_coverages(unit: Unit, changed: Sequence[tuple[UUID, Coverage]]) -> None:
    if not changed:
        return
    await unit.execute(
        """
        update coverages c
        set starts_on = n.starts_on, ends_on = n.ends_on, units = n.units, version = n.version
        from unnest($1::uuid[], $2::text[], $3::date[], $4::date[], $5::int[], $6::int[])
             as n(member_id, scheme_id, starts_on, ends_on, units, version)
        where c.member_id = n.member_id and c.scheme_id = n.scheme_id
        """,
        [member_id for member_id, _ in changed],
        [coverage.scheme_id for _, coverage in changed],
        [coverage.starts_on for _, coverage in changed],
        [coverage.ends_on for _, coverage in changed],
        [coverage.units for _, coverage in changed],
        [coverage.version for _, coverage in changed],
    )


async def _members(unit: Unit, vault: Vault, rows: Sequence[Row]) -> list[Member]:
    """Put rows of members together with their coverages."""
    coverages: defaultdict[UUID, dict[str, Coverage]] = defaultdict(dict)
    for row in await unit.fetch(
        "select * from coverages where member_id = any($1)", [row["member_id"] for row in rows]
    ):
        coverages[row["member_id"]][row["scheme_id"]] = Coverage(
            coverage_id=row["coverage_id"],
            scheme_id=row["scheme_id"],
            starts_on=row["starts_on"],
            ends_on=row["ends_on"],
            units=row["units"],
            version=row["version"],
        )
    return [_member(vault, row, coverages[row["member_id"]]) for row in rows]


def _member(vault: Vault, row: Row, coverages: Mapping[str, Coverage]) -> Member:
    return Member(
        member_id=row["member_id"],
        identity_index=row["identity_index"],
        salt=row["salt"],
        unit_code=row["unit_code"],
        person=vault.person(row["member_id"], row["salt"], row["person"]),
        coverages=coverages,
        version=row["version"],
        payee_version=row["payee_version"],
        contact_version=row["contact_version"],
    )


def _row(vault: Vault, member: Member) -> tuple[Any, ...]:
    return (
        member.member_id,
        member.identity_index,
        member.unit_code,
        member.salt,
        vault.person_to_keep(member.member_id, member.salt, member.person),
        member.version,
        member.payee_version,
        member.contact_version,
    )
