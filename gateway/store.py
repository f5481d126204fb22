"""All SQL of the gateway; every function works inside the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from services.common.kit import clock, idempotency
from services.common.kit.db import Unit


@dataclass(frozen=True, slots=True)
class Staff:
    person_id: UUID
    username: str
    password_hash: str
    totp_sealed: bytes
    role: str
    unit: str
    failures: int = 0
    locked_until: datetime | None = None
    totp_last_step: int = 0


@dataclass(frozen=True, slots=True)
class PartnerKey:
    keyid: str
    key_id: UUID
    fixmedins_code: str
    secret_sealed: bytes


@dataclass(frozen=True, slots=True)
class LoginCode:
    login_id: UUID
    salt: bytes
    code_hash: bytes
    tries_left: int
    sent_at: datetime
    sent_today: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RefreshToken:
    family_id: UUID
    member_id: UUID
    used: bool
    expires_at: datetime


_STAFF_COLUMNS = (
    "person_id, username, password_hash, totp_sealed, role, unit,"
    " failures, locked_until, totp_last_step"
)


async def staff_named(unit: Unit, username: str) -> Staff | None:
    row = await unit.fetchrow(f"select {_STAFF_COLUMNS} from staff where username = $1", username)  # noqa: S608 - a constant list of columns
    return None if row is None else Staff(**row)


async def lock_staff(unit: Unit, person_id: UUID) -> Staff | None:
    row = await unit.fetchrow(
        f"select {_STAFF_COLUMNS} from staff where person_id = $1 for update",  # noqa: S608 - a constant list of columns
        person_id,
    )
    return None if row is None else Staff(**row)


async def save_staff_state(
    unit: Unit, person_id: UUID, failures: int, locked_until: datetime | None, totp_last_step: int
) -> None:
    await unit.execute(
        "update staff set failures = $2, locked_until = $3, totp_last_step = $4"
        " where person_id = $1",
        person_id,
        failures,
        locked_until,
        totp_last_step,
    )


async def put_staff(unit: Unit, people: Sequence[Staff]) -> None:
    """Make the accounts be as told, locks lifted; who is known by name keeps the id."""
    await unit.execute(
        """
        insert into staff (person_id, username, password_hash, totp_sealed, role, unit)
        select * from unnest(
            $1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::text[])
        on conflict (username) do update set password_hash = excluded.password_hash,
            totp_sealed = excluded.totp_sealed, role = excluded.role, unit = excluded.unit,
            failures = 0, locked_until = null
        """,
        [one.person_id for one in people],
        [one.username for one in people],
        [one.password_hash for one in people],
        [one.totp_sealed for one in people],
        [one.role for one in people],
        [one.unit for one in people],
    )


async def staff_ids(unit: Unit, usernames: Sequence[str]) -> dict[str, UUID]:
    rows = await unit.fetch(
        "select username, person_id from staff where username = any($1::text[])", usernames
    )
    return {row["username"]: row["person_id"] for row in rows}


async def add_staff_session(
    unit: Unit, token_sha256: bytes, person_id: UUID, expires_at: datetime
) -> None:
    await unit.execute(
        "insert into staff_session (token_sha256, person_id, expires_at) values ($1, $2, $3)",
        token_sha256,
        person_id,
        expires_at,
    )


async def staff_of_session(unit: Unit, token_sha256: bytes) -> tuple[UUID, str, str] | None:
    """Give person, role and unit as they are now, not as they were at the login."""
    row = await unit.fetchrow(
        "select person_id, role, unit from staff_session join staff using (person_id)"
        " where token_sha256 = $1 and expires_at > $2",
        token_sha256,
        clock.now(),
    )
    return None if row is None else (row["person_id"], row["role"], row["unit"])


async def partner_key(unit: Unit, keyid: str) -> PartnerKey | None:
    """Give the key if it is known and valid."""
    row = await unit.fetchrow(
        "select keyid, key_id, fixmedins_code, secret_sealed from partner_key"
        " where keyid = $1 and revoked_at is null",
        keyid,
    )
    return None if row is None else PartnerKey(**row)


async def put_partner_keys(unit: Unit, keys: Sequence[PartnerKey]) -> None:
    """Make the keys be as told and valid."""
    await unit.execute(
        """
        insert into partner_key (keyid, key_id, fixmedins_code, secret_sealed)
        select * from unnest($1::text[], $2::uuid[], $3::text[], $4::bytea[])
        on conflict (keyid) do update set key_id = excluded.key_id, revoked_at = null,
            fixmedins_code = excluded.fixmedins_code, secret_sealed = excluded.secret_sealed
        """,
        [one.keyid for one in keys],
        [one.key_id for one in keys],
        [one.fixmedins_code for one in keys],
        [one.secret_sealed for one in keys],
    )


class Nonce(NamedTuple):
    """Good once for its key; forgotten when its signature is too old to be taken anyway."""

    keyid: str
    key_id: UUID
    nonce: str
    expires_at: datetime


async def use_nonces(unit: Unit, nonces: Sequence[Nonce]) -> list[bool]:
    """Remember the nonces of valid keys.

    False for each whose key is not (any more) what was told, or that has been used before, or
    earlier in the set.
    """
    rows = await unit.fetch(
        """
        with valid as (
            select u.* from unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[])
                as u (keyid, key_id, nonce, expires_at)
            join partner_key k using (keyid, key_id) where k.revoked_at is null
        ), used as (
            insert into nonce (keyid, nonce, expires_at)
            select keyid, nonce, expires_at from valid order by keyid, nonce
            on conflict do nothing returning keyid, nonce)
        select keyid, key_id, nonce from valid join used using (keyid, nonce)
        """,
        [one.keyid for one in nonces],
        [one.key_id for one in nonces],
        [one.nonce for one in nonces],
        [one.expires_at for one in nonces],
    )
    fresh = {(row["keyid"], row["key_id"], row["nonce"]) for row in rows}
    found: list[bool] = []
    for one in nonces:
        found.append(one[:3] in fresh)
        fresh.discard(one[:3])
    return found


async def member_bound_to(unit: Unit, openid_sha256: bytes) -> UUID | None:
    return await unit.fetchval(
        "select member_id from wechat_binding where openid_sha256 = $1", openid_sha256
    )


async def bind_member(unit: Unit, openid_sha256: bytes, member_id: UUID) -> None:
    """Bind the account to who has proved the phone last: a phone may have a new owner."""
    await unit.execute(
        """
        insert into wechat_binding (openid_sha256, member_id, bound_at) values ($1, $2, $3)
        on conflict (openid_sha256) do update
            set member_id = excluded.member_id, bound_at = excluded.bound_at
        """,
        openid_sha256,
        member_id,
        clock.now(),
    )


async def add_bind_ticket(
    unit: Unit, ticket_sha256: bytes, openid_sha256: bytes, expires_at: datetime
) -> None:
    await unit.execute(
        "insert into bind_ticket (ticket_sha256, openid_sha256, expires_at) values ($1, $2, $3)",
        ticket_sha256,
        openid_sha256,
        expires_at,
    )


async def take_bind_ticket(unit: Unit, ticket_sha256: bytes) -> bytes | None:
    """Use the ticket up and give the account that it stands for."""
    return await unit.fetchval(
        "delete from bind_ticket where ticket_sha256 = $1 and expires_at > $2"
        " returning openid_sha256",
        ticket_sha256,
        clock.now(),
    )


async def lock_login_code(unit: Unit, login_id: UUID) -> LoginCode | None:
    row = await unit.fetchrow(
        "select login_id, salt, code_hash, tries_left, sent_at, sent_today, expires_at"
        " from login_code where login_id = $1 for update",
        login_id,
    )
    return None if row is None else LoginCode(**row)


async def put_login_code(unit: Unit, code: LoginCode) -> None:
    await unit.execute(
        """
        insert into login_code
            (login_id, salt, code_hash, tries_left, sent_at, sent_today, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (login_id) do update set salt = excluded.salt,
            code_hash = excluded.code_hash, tries_left = excluded.tries_left,
            sent_at = excluded.sent_at, sent_today = excluded.sent_today,
            expires_at = excluded.expires_at
        """,
        code.login_id,
        code.salt,
        code.code_hash,
        code.tries_left,
        code.sent_at,
        code.sent_today,
        code.expires_at,
    )


async def set_code_tries(unit: Unit, login_id: UUID, tries_left: int) -> None:
    await unit.execute(
        "update login_code set tries_left = $2 where login_id = $1", login_id, tries_left
    )


async def add_token_family(
    unit: Unit, family_id: UUID, member_id: UUID, expires_at: datetime
) -> None:
    await unit.execute(
        "insert into token_family (family_id, member_id, expires_at) values ($1, $2, $3)",
        family_id,
        member_id,
        expires_at,
    )


async def add_member_tokens(
    unit: Unit, family_id: UUID, tokens: Sequence[tuple[str, bytes, datetime]]
) -> None:
    """Add tokens of a family, each as kind, hash and end."""
    kinds, hashes, ends = zip(*tokens, strict=True)
    await unit.execute(
        """
        insert into member_token (token_sha256, family_id, kind, expires_at)
        select token_sha256, $1, kind, expires_at
        from unnest($2::text[], $3::bytea[], $4::timestamptz[])
            as t (kind, token_sha256, expires_at)
        """,
        family_id,
        list(kinds),
        list(hashes),
        list(ends),
    )


async def member_of_token(unit: Unit, token_sha256: bytes) -> UUID | None:
    return await unit.fetchval(
        "select member_id from member_token t join token_family using (family_id)"
        " where token_sha256 = $1 and kind = 'access' and t.expires_at > $2",
        token_sha256,
        clock.now(),
    )


async def lock_refresh_token(unit: Unit, token_sha256: bytes) -> RefreshToken | None:
    row = await unit.fetchrow(
        "select family_id, member_id, used, t.expires_at"
        " from member_token t join token_family using (family_id)"
        " where token_sha256 = $1 and kind = 'refresh' for update",
        token_sha256,
    )
    return None if row is None else RefreshToken(**row)


async def mark_used(unit: Unit, token_sha256: bytes) -> None:
    await unit.execute("update member_token set used = true where token_sha256 = $1", token_sha256)


async def end_family(unit: Unit, family_id: UUID) -> None:
    await unit.execute("delete from token_family where family_id = $1", family_id)


_EXPIRING = ("nonce", "staff_session", "bind_ticket", "member_token", "token_family")


async def sweep(unit: Unit, idempotency_keep: timedelta) -> int:
    """Delete what has expired; gives the number of rows. A login code's row counts the day's."""
    now = clock.now()
    gone = [
        await unit.execute(f"delete from {table} where expires_at < $1", now)  # noqa: S608 - a constant list of tables
        for table in _EXPIRING
    ]
    stale = now - timedelta(days=1)
    gone.append(await unit.execute("delete from login_code where sent_at < $1", stale))
    gone.append(await idempotency.forget(unit, idempotency_keep))
    return sum(gone)
