"""`Idempotency-Key`: the same request, sent again, gets the same answer and does nothing twice.

One transaction claims the key, the work is done, another stores the answer. Answers of 5xx are not
kept: the key is let go and the next attempt works again.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.common.errors import Conflict, Invalid
from services.common.kit import clock
from services.common.kit.db import Unit

KEY_CHARACTERS_MAX: Final = 128
# Longer than any request may take: whoever claimed the key before that is dead.
ABANDONED_AFTER: Final = timedelta(seconds=60)

DDL: Final[Sequence[str]] = (
    """
    create table idempotency (
        caller text not null,
        key text not null,
        body_sha256 bytea not null,
        claimed_at timestamptz not null,
        status smallint,
        body bytea,
        primary key (caller, key)
    )
    """,
    "create index idempotency_claimed_at on idempotency (claimed_at)",
)


class KeyMalformed(Invalid):
    """The Idempotency-Key is missing, too long or not printable ASCII."""

    code = "IDEMPOTENCY_KEY_MALFORMED"


class KeyReused(Invalid):
    """This Idempotency-Key has been used with another request."""

    code = "IDEMPOTENCY_KEY_REUSED"


class StillWorking(Conflict):
    """The first request with this Idempotency-Key is still being worked on."""

    code = "IDEMPOTENCY_KEY_IN_PROGRESS"
    retry_after_s = 1


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    status: int
    body: bytes


def checked(key: str | None) -> str:
    """Give the key as sent, or refuse it."""
    if not key or len(key) > KEY_CHARACTERS_MAX or not (key.isascii() and key.isprintable()):
        raise KeyMalformed
    return key


def digest(method: str, path: str, body: bytes) -> bytes:
    """Tell requests apart: the same key on another route is another request."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).digest()


async def claim(unit: Unit, caller: str, key: str, body_sha256: bytes) -> StoredAnswer | None:
    """Take the key for this request, or give the answer of the one that had it before."""
    now = clock.now()
    taken = await unit.fetch(
        """
        insert into idempotency (caller, key, body_sha256, claimed_at) values ($1, $2, $3, $4)
        on conflict (caller, key) do update set claimed_at = excluded.claimed_at
            where idempotency.status is null and idempotency.claimed_at < $5
              and idempotency.body_sha256 = excluded.body_sha256
        returning key
        """,
        caller,
        key,
        body_sha256,
        now,
        now - ABANDONED_AFTER,
    )
    if taken:
        return None
    rows = await unit.fetch(
        "select body_sha256, status, body from idempotency where caller = $1 and key = $2",
        caller,
        key,
    )
    if rows and rows[0]["body_sha256"] != body_sha256:
        raise KeyReused
    if not rows or rows[0]["status"] is None:
        raise StillWorking
    return StoredAnswer(rows[0]["status"], rows[0]["body"])


async def settle(unit: Unit, caller: str, key: str, answer: StoredAnswer) -> None:
    """Keep the answer for the next time; one of 5xx lets the key go."""
    if answer.status >= 500:  # noqa: PLR2004 - the class of statuses that say "not done"
        await let_go(unit, caller, key)
        return
    await unit.execute(
        "update idempotency set status = $3, body = $4"
        " where caller = $1 and key = $2 and status is null",
        caller,
        key,
        answer.status,
        answer.body,
    )


async def let_go(unit: Unit, caller: str, key: str) -> None:
    """Forget that the request was begun, so that it can be tried anew."""
    await unit.execute(
        "delete from idempotency where caller = $1 and key = $2 and status is null", caller, key
    )


async def forget(unit: Unit, older_than: timedelta) -> int:
    """Delete keys claimed longer ago; gives how many."""
    return await unit.execute(
        "delete from idempotency where claimed_at < $1", clock.now() - older_than
    )
