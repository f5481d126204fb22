"""What became of texts: a message tells what is its own, its call tells the rest."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.common.kit.db import Unit
from services.notify.model import THE_MEMBER

# Of two receipts the newer.
FATE: Final = """
    select g.message_id, g.member_id, g.payout_id, g.recipient_no, g.created_at, g.dispatch_id,
           coalesce(g.state, case d.state when 'done' then 'sent' when 'unknown' then 'unknown'
                             else 'ready' end) as state,
           g.code,
           case when g.state is null then d.sent_at else g.sent_at end as sent_at,
           case when newest.is_own then g.receipt
                when d.delivered[newest.no] then 'delivered'
                when not d.delivered[newest.no] then 'undelivered' end as receipt,
           case when newest.is_own then g.receipt_code
                else d.receipt_codes[newest.no] end as receipt_code
    from message g
    left join dispatch d using (dispatch_id)
    left join lateral (
        select its.no,
               g.receipt_at is not null
               and coalesce(g.receipt_at >= d.receipt_ats[its.no], true) as is_own
        from (select get_byte(d.receipt_nos,
                              array_position(d.message_ids, g.message_id) - 1) as no) its
    ) newest on true
    """


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a message so far."""

    message_id: UUID
    state: str
    created_at: datetime
    sent_at: datetime | None
    receipt: str | None


async def page_of_member(
    unit: Unit, member_id: UUID, before: tuple[datetime, UUID] | None, rows_max: int
) -> list[Fate]:
    """Give the texts to a member, the newest first."""
    moment, message_id = before or (None, None)
    rows = await unit.fetch(
        f"""
        select message_id, state, created_at, sent_at, receipt from ({FATE}) as fate
        where member_id = $1 and recipient_no = $2
          and ($3::timestamptz is null or (created_at, message_id) < ($3, $4))
        order by created_at desc, message_id desc limit $5
        """,  # noqa: S608 - a constant query
        member_id,
        THE_MEMBER,
        moment,
        message_id,
        rows_max,
    )
    return [Fate(**row) for row in rows]
