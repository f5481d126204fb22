"""When each online settlement passed which place, as the services' own tables and the log tell."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from deploy.demo.actors import Json
from deploy.local.platform import Platform
from services.common.kit.db import driver_dsn

# In the order in which a settlement passes them.
STAGES = (
    "sent",
    "answered",
    "granted",
    "payout made",
    "batch cut",
    "result taken in",
    "message written",
    "call written down",
    "text accepted",
)
Moments = dict[str, float]

_GRANTED = "select claim_id, decided_at from settlement where claim_id = any($1)"
_PAYOUTS = """
    select p.claim_id, p.payout_id, p.created_at, a.made_at, a.decided_at
    from payout p left join lateral (
        select * from attempt t where t.payout_id = p.payout_id and t.attempt_no = 1 offset 0
    ) a on true
    where p.claim_id = any($1)
    """
_MESSAGES = "select message_id, payout_id, created_at from message where payout_id = any($1)"
_CALLS = """
    select m as message_id, dispatch_id, signed_at from dispatch, unnest(message_ids) as m
    where signed_at >= $1
    """


async def follow(
    platform: Platform, claims: Collection[UUID], texts: Sequence[Json], since: datetime
) -> dict[UUID, Moments]:
    """Give the moments (seconds since 1970) of each claim by stage; what has not come is missing.

    `texts` is the provider's log; `since` is before the first of these claims.
    """
    found: dict[UUID, Moments] = {claim_id: {} for claim_id in claims}
    for row in await _rows(platform, "claims", _GRANTED, list(claims)):
        _note(found[row["claim_id"]], {"granted": row["decided_at"]})
    claim_of: dict[UUID, UUID] = {}
    for row in await _rows(platform, "payments", _PAYOUTS, list(claims)):
        claim_of[row["payout_id"]] = row["claim_id"]
        moments = {
            "payout made": row["created_at"],
            "batch cut": row["made_at"],
            "result taken in": row["decided_at"],
        }
        _note(found[row["claim_id"]], moments)
    said: dict[UUID, UUID] = {}
    for row in await _rows(platform, "notify", _MESSAGES, list(claim_of)):
        said[row["message_id"]] = claim_of[row["payout_id"]]
        _note(found[said[row["message_id"]]], {"message written": row["created_at"]})
    accepted = {text["out_id"]: datetime.fromisoformat(text["at"]) for text in texts}
    for row in await _rows(platform, "notify", _CALLS, since):
        claim_id = said.get(row["message_id"])
        if claim_id is not None:
            moments = {
                "call written down": row["signed_at"],
                "text accepted": accepted.get(str(row["dispatch_id"])),
            }
            _note(found[claim_id], moments)
    return found


def _note(moments: Moments, told: Mapping[str, datetime | None]) -> None:
    """Keep the moments that are known; of several of one stage the last."""
    for stage, moment in told.items():
        if moment is not None:
            moments[stage] = max(moments.get(stage, 0.0), moment.timestamp())


async def _rows(platform: Platform, service: str, sql: str, asked: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(driver_dsn(platform.database_url(service)))
    try:
        return await connection.fetch(sql, asked)
    finally:
        await connection.close()
