"""What is shown: pages of payouts, refusals and batches, and the sums of the books."""

from datetime import datetime
from uuid import UUID

from services.common.kit.backlog import backlog
from services.common.kit.db import Row, Unit
from services.common.money import Fen

# The moment and the id that the page before ended with.
After = tuple[datetime, UUID] | None
NOTHING_BEFORE = (None, None)


async def payouts(
    unit: Unit, member_id: UUID, claim_id: UUID | None, after: After, rows_max: int
) -> list[Row]:
    """Give a member's payouts, newest first; `tail_known` where the payee kept is the one tried."""
    return await unit.fetch(
        """
        select p.payout_id, p.member_id, p.claim_id, p.scheme_id, p.amount_fen, p.state,
               p.created_at, p.changed_at, r.reason, r.actor, b.state as batch_state,
               d.payout_id is not null as in_doubt,
               coalesce(e.version > 0 and p.payee_version in (0, e.version), false) as tail_known
        from payout p left join refusal r using (payout_id)
            left join payee e on e.member_id = p.member_id
            left join doubt d using (payout_id)
            left join batch b on b.batch_id = p.batch_id
        where p.member_id = $1 and ($2::uuid is null or p.claim_id = $2)
          and ($3::timestamptz is null or (p.created_at, p.payout_id) < ($3, $4::uuid))
        order by p.created_at desc, p.payout_id desc limit $5
        """,
        member_id,
        claim_id,
        *(after or NOTHING_BEFORE),
        rows_max,
    )


async def attempts(unit: Unit, payout_ids: list[UUID]) -> list[Row]:
    return await unit.fetch(
        """
        select payout_id, attempt_no, batch_id, state, made_at, decided_at, paid_on, returned_at
        from attempt
        where payout_id = any($1) order by payout_id, attempt_no
        """,
        payout_ids,
    )


async def refused(unit: Unit, unit_code: str | None, after: After, rows_max: int) -> list[Row]:
    """Give the payouts that wait for somebody to act, longest first."""
    return await unit.fetch(
        """
        select r.payout_id, r.member_id, r.reason, r.actor, r.since, p.amount_fen, e.unit_code
        from refusal r join payout p using (payout_id)
            left join payee e on e.member_id = r.member_id
        where ($1::text is null or e.unit_code = $1)
          and ($2::timestamptz is null or (r.since, r.payout_id) > ($2, $3::uuid))
        order by r.since, r.payout_id limit $4
        """,
        unit_code,
        *(after or NOTHING_BEFORE),
        rows_max,
    )


async def batches(unit: Unit, cursor: UUID | None, rows_max: int) -> list[Row]:
    """Give batches, newest first; their ids come in the order of time."""
    return await unit.fetch(
        """
        select batch_id, fund_id, tier, batch_no, business_day, state, bank_code, lines,
               total_fen, cut_at, submitted_at, closed_at, paid_lines, paid_fen, refused_lines,
               refused_fen
        from batch where $1::uuid is null or batch_id < $1 order by batch_id desc limit $2
        """,
        cursor,
        rows_max,
    )


async def granted_and_paid(unit: Unit, member_id: UUID) -> dict[str, dict[int, tuple[Fen, Fen]]]:
    """Give what a member was granted and paid, per scheme and year."""
    rows = await unit.fetch(
        """
        select scheme_id, period, sum(grant_fen)::bigint as granted,
               coalesce(sum(amount_fen) filter (where state = 'paid'), 0)::bigint as paid
        from payout where member_id = $1 group by scheme_id, period
        """,
        member_id,
    )
    found: dict[str, dict[int, tuple[Fen, Fen]]] = {}
    for row in rows:
        found.setdefault(row["scheme_id"], {})[row["period"]] = (row["granted"], row["paid"])
    return found


async def balances(unit: Unit) -> dict[str, int]:
    row = await unit.fetchrow(
        """
        select coalesce(sum(granted_fen), 0)::bigint as granted_fen,
               coalesce(sum(paid_fen), 0)::bigint as paid_fen,
               coalesce(sum(in_flight_fen), 0)::bigint as in_flight_fen,
               coalesce(sum(open_fen), 0)::bigint as open_fen,
               coalesce(sum(greatest(0, paid_fen - granted_fen)), 0)::bigint as to_recover_fen
        from balance
        """
    )
    assert row is not None, "an aggregate has a row"
    return dict(row)


async def under_way(unit: Unit) -> dict[str, int]:
    """Count what is still to be done, and what needs a person."""
    row = await unit.fetchrow(
        """
        select (select coalesce(sum(payouts), 0) from ready_queue) as payouts_queued,
               (select count(*) from batch where state not in ('closed', 'voided'))
                   as batches_open,
               (select count(*) from bank_exception where settled_at is null)
                   as bank_exceptions,
               (select count(*) from doubt) as payouts_in_doubt,
               (select count(*) from held) as payouts_held,
               (select count(*) from fund where low_since is not null) as funds_low
        """
    )
    assert row is not None, "an aggregate has a row"
    return {**row, **await backlog(unit)}


async def payouts_by_state(unit: Unit) -> dict[str, int]:
    rows = await unit.fetch("select state, count(*) as payouts from payout group by state")
    return {row["state"]: row["payouts"] for row in rows}
