"""How staff and members sign in: each proof once, the same refusal whatever was wrong."""

import asyncio
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gateway import store
from gateway.errors import (
    CodeRefused,
    LoginRefused,
    PhoneNotUnique,
    PhoneProofNeeded,
    RefreshRefused,
    ServiceRefused,
    TicketRefused,
)
from gateway.parts import Parts
from gateway.proofs import (
    code_hash,
    fingerprint,
    new_code,
    new_salt,
    new_token,
    password_fits,
    totp_step,
)
from gateway.schemas.member import MembersFound
from gateway.schemas.words import Nothing
from services.common.errors import DomainError
from services.common.ids import derived_id, new_id
from services.common.kit import auth, clock
from services.common.kit.db import TRANSIENT, Unit
from services.common.kit.logs import get_logger

TOTP_FIELD = "staff.totp"
_GATEWAY = auth.service("gateway")


@dataclass(frozen=True, slots=True)
class MemberTokens:
    access: str
    refresh: str


async def sign_in_staff(parts: Parts, username: str, password: str, totp: str) -> str:
    """Give a session token; name, password, code and lock are refused alike."""
    async with parts.database.begin() as unit:
        known = await store.staff_named(unit, username)
    stored = parts.nobodys_hash if known is None else known.password_hash
    async with parts.passwords:
        fits = await asyncio.to_thread(password_fits, password, stored)
    token = None
    if known is not None:
        async with parts.database.begin() as unit:
            person = await store.lock_staff(unit, known.person_id)
            if person is not None:
                token = await _judged(parts, unit, person, totp, password_fits=fits)
    if token is None:
        get_logger().warning("gateway.login_refused", caller_kind="staff")
        raise LoginRefused
    get_logger().info("gateway.login", caller_kind="staff")
    return token


async def _judged(
    parts: Parts, unit: Unit, person: store.Staff, totp: str, *, password_fits: bool
) -> str | None:
    """Decide under the person's row lock, so that parallel guesses are counted one by one."""
    told, now = parts.settings, clock.now()
    if person.locked_until is not None and now < person.locked_until:
        return None
    secret = parts.opener.open(TOTP_FIELD, person.person_id, b"", person.totp_sealed).decode()
    step = totp_step(secret, totp, now.timestamp(), told.totp_drift_steps)
    # A code is good once (RFC 6238, 5.2). In development programs sign in as the same person many
    # times within one step, and waiting half a minute for each would prove nothing.
    replayed = step is not None and step <= person.totp_last_step and not parts.is_development
    if not password_fits or step is None or replayed:
        failures = person.failures + 1
        locked = failures >= told.login_failures_max
        until = now + timedelta(seconds=told.login_lockout_s) if locked else None
        await store.save_staff_state(
            unit, person.person_id, 0 if locked else failures, until, person.totp_last_step
        )
        return None
    token = new_token()
    last_step = max(step, person.totp_last_step)
    await store.save_staff_state(unit, person.person_id, 0, None, last_step)
    ends = now + timedelta(seconds=told.staff_session_s)
    await store.add_staff_session(unit, fingerprint(token), person.person_id, ends)
    return token


async def sign_in_by_wechat(parts: Parts, code: str) -> MemberTokens:
    """Sign in who is bound; an openid alone proves no member, so all others get a ticket."""
    openid_sha256 = fingerprint(await parts.wechat.openid(code))
    ticket, lives_s = new_token(), parts.settings.bind_ticket_s
    async with parts.database.begin() as unit:
        member_id = await store.member_bound_to(unit, openid_sha256)
        if member_id is not None:
            return await _new_family(parts, unit, member_id)
        ends = clock.now() + timedelta(seconds=lives_s)
        await store.add_bind_ticket(unit, fingerprint(ticket), openid_sha256, ends)
    raise PhoneProofNeeded(ticket, lives_s)


async def send_code(parts: Parts, phone: str) -> None:
    """Send a login code to a member's phone; nobody learns whether it is one.

    The text goes out after the answer, or a known phone would be answered more slowly.
    """
    members = await _members_with(parts, phone)
    if members:
        errand = asyncio.create_task(_send_code(parts, phone, _login_id(members)))
        parts.errands.add(errand)
        errand.add_done_callback(parts.errands.discard)


async def _send_code(parts: Parts, phone: str, login_id: UUID) -> None:
    try:
        code = await _fresh_code(parts, login_id)
        if code is not None:
            minutes = parts.settings.login_code_s // 60
            text = {"phone": phone, "code": code, "minutes": minutes}
            desk = parts.desk(_GATEWAY)
            await desk.send(desk.notify, "POST", "/codes", Nothing, text)
    except (DomainError, ServiceRefused, *TRANSIENT) as error:
        get_logger().error("gateway.code_lost", error=error)


async def _fresh_code(parts: Parts, login_id: UUID) -> str | None:
    """Make a code unless the phone has had one just now, or enough of them today."""
    told, now, code, salt = parts.settings, clock.now(), new_code(), new_salt()
    async with parts.database.begin() as unit:
        last = await store.lock_login_code(unit, login_id)
        sent_today = 0
        if last is not None:
            if now - last.sent_at < timedelta(seconds=told.login_code_interval_s):
                return None
            sent_today = last.sent_today if _day(last.sent_at) == _day(now) else 0
            if sent_today >= told.login_codes_per_day:
                return None
        fresh = store.LoginCode(
            login_id=login_id,
            salt=salt,
            code_hash=code_hash(login_id, code, salt),
            tries_left=told.login_code_tries_max,
            sent_at=now,
            sent_today=sent_today + 1,
            expires_at=now + timedelta(seconds=told.login_code_s),
        )
        await store.put_login_code(unit, fresh)
    return code


async def sign_in_by_code(
    parts: Parts, phone: str, code: str, bind_ticket: str | None
) -> MemberTokens:
    """Sign in who has the code, and bind the WeChat account that the ticket stands for."""
    members = await _members_with(parts, phone)
    async with parts.database.begin() as unit:
        proved = bool(members) and await _code_fits(unit, _login_id(members), code)
    if not proved:
        raise CodeRefused
    if len(members) > 1:
        raise PhoneNotUnique
    async with parts.database.begin() as unit:
        if bind_ticket is not None:
            openid_sha256 = await store.take_bind_ticket(unit, fingerprint(bind_ticket))
            if openid_sha256 is None:
                raise TicketRefused
            await store.bind_member(unit, openid_sha256, members[0])
        return await _new_family(parts, unit, members[0])


async def _code_fits(unit: Unit, login_id: UUID, code: str) -> bool:
    """Use up the code, or one of its tries."""
    sent = await store.lock_login_code(unit, login_id)
    if sent is None or sent.tries_left <= 0 or sent.expires_at <= clock.now():
        return False
    fits = hmac.compare_digest(code_hash(login_id, code, sent.salt), sent.code_hash)
    await store.set_code_tries(unit, login_id, 0 if fits else sent.tries_left - 1)
    return fits


async def refresh(parts: Parts, refresh_token: str) -> MemberTokens:
    """Change a refresh token for a new pair; one used before was stolen, and ends its family."""
    token_sha256 = fingerprint(refresh_token)
    async with parts.database.begin() as unit:
        known = await store.lock_refresh_token(unit, token_sha256)
        if known is not None and known.used:
            await store.end_family(unit, known.family_id)
        elif known is not None and known.expires_at > clock.now():
            await store.mark_used(unit, token_sha256)
            return await _new_pair(parts, unit, known.family_id)
    raise RefreshRefused


async def _new_family(parts: Parts, unit: Unit, member_id: UUID) -> MemberTokens:
    family_id = new_id()
    ends = clock.now() + timedelta(seconds=parts.settings.refresh_token_s)
    await store.add_token_family(unit, family_id, member_id, ends)
    get_logger().info("gateway.login", caller_kind="member")
    return await _new_pair(parts, unit, family_id)


async def _new_pair(parts: Parts, unit: Unit, family_id: UUID) -> MemberTokens:
    pair, told, now = MemberTokens(new_token(), new_token()), parts.settings, clock.now()
    access_ends = now + timedelta(seconds=told.access_token_s)
    refresh_ends = now + timedelta(seconds=told.refresh_token_s)
    await store.add_member_tokens(
        unit,
        family_id,
        [
            ("access", fingerprint(pair.access), access_ends),
            ("refresh", fingerprint(pair.refresh), refresh_ends),
        ],
    )
    return pair


async def _members_with(parts: Parts, phone: str) -> Sequence[UUID]:
    desk, asked = parts.desk(_GATEWAY), {"phone": phone}
    found = await desk.send(desk.enrollment, "POST", "/members/by-phone", MembersFound, asked)
    return sorted(found.member_ids)


def _login_id(members: Sequence[UUID]) -> UUID:
    """Name a phone by who has it, so that the phone itself need not be kept."""
    return derived_id(*members)


def _day(moment: datetime) -> str:
    return moment.astimezone(clock.BUSINESS_ZONE).date().isoformat()
