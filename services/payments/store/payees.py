"""Members and their payees as enrollment told them; each fact has its own version."""

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar
from uuid import UUID

from services.common.contracts.enrollment import MemberRegistered, PayeeChanged
from services.common.kit.db import Unit
from services.payments.model.payouts import SealedPayee

RECIPIENT: Final = "payments"

Fact = TypeVar("Fact", MemberRegistered, PayeeChanged)

_UPSERT = """
    insert into payee as p (member_id, member_version, unit_code, salt_wrapped, version, sealed)
    select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[], $5::bigint[],
                         $6::bytea[]) as u(member_id) order by u.member_id
    on conflict (member_id) do update set
        unit_code = case when p.member_version < excluded.member_version
                         then excluded.unit_code else p.unit_code end,
        salt_wrapped = case when p.member_version < excluded.member_version
                            then excluded.salt_wrapped else p.salt_wrapped end,
        sealed = case when p.version < excluded.version
                      then excluded.sealed else p.sealed end,
        member_version = greatest(p.member_version, excluded.member_version),
        version = greatest(p.version, excluded.version)
    where p.member_version < excluded.member_version or p.version < excluded.version
    returning member_id
    """


async def keep(
    unit: Unit, members: Iterable[MemberRegistered], payees: Iterable[PayeeChanged]
) -> list[UUID]:
    """Keep what is newer than what is known; give the members of whom something was."""
    registered: dict[UUID, MemberRegistered] = {}
    for member in members:
        _keep_newer(registered, member)
    changed: dict[UUID, PayeeChanged] = {}
    for payee in payees:
        _keep_newer(changed, payee)
    rows = [
        (
            member_id,
            *_member_columns(registered.get(member_id)),
            *_payee_columns(changed.get(member_id)),
        )
        for member_id in registered.keys() | changed.keys()
    ]
    if not rows:
        return []
    kept = await unit.fetch(_UPSERT, *zip(*rows, strict=True))
    return [row["member_id"] for row in kept]


def _keep_newer(known: dict[UUID, Fact], fact: Fact) -> None:
    other = known.get(fact.member_id)
    if other is None or other.version < fact.version:
        known[fact.member_id] = fact


def _member_columns(fact: MemberRegistered | None) -> tuple[int, str, bytes]:
    if fact is None:
        return 0, "", b""
    return fact.version, fact.unit_code, fact.salts[RECIPIENT]


def _payee_columns(fact: PayeeChanged | None) -> tuple[int, bytes]:
    return (0, b"") if fact is None else (fact.version, fact.payee)


async def settle(unit: Unit, member_ids: Iterable[UUID]) -> None:
    """Wait for whoever keeps these members' payees now; whoever comes later waits for this unit."""
    nothing = [
        (member_id, *_member_columns(None), *_payee_columns(None)) for member_id in member_ids
    ]
    if nothing:
        await unit.execute(_UPSERT, *zip(*nothing, strict=True))


async def of_members(unit: Unit, member_ids: Sequence[UUID]) -> dict[UUID, SealedPayee]:
    """Give the payees that are known whole: the member and the card have both come."""
    rows = await unit.fetch(
        "select member_id, version, unit_code, salt_wrapped, sealed from payee"
        " where member_id = any($1) and version > 0 and member_version > 0",
        member_ids,
    )
    return {
        member_id: SealedPayee(version, unit_code, salt_wrapped, sealed)
        for member_id, version, unit_code, salt_wrapped, sealed in rows
    }


async def unit_of(unit: Unit, member_id: UUID) -> str | None:
    """Give the code of the workplace union that a member belongs to."""
    return await unit.fetchval(
        "select unit_code from payee where member_id = $1 and member_version > 0", member_id
    )
