"""Calls to the provider: written down before a byte leaves, settled when their fate is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from services.common.kit.db import Unit
from services.notify.model import DispatchState, TemplateName


@dataclass(frozen=True, slots=True)
class Kept:
    """A dispatch as it is written down."""

    dispatch_id: UUID
    template: TemplateName
    message_ids: Sequence[UUID]
    phone_indexes: Sequence[bytes]
    tries: int
    signed_at: datetime


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What the provider reports of one text; `source` is a message or a login code."""

    source_id: UUID
    delivered: bool
    code: str
    at: datetime


async def write(unit: Unit, dispatches: Sequence[Kept]) -> None:
    """Write the dispatches down: their messages may be on their way from now on."""
    await unit.copy(
        "dispatch",
        [
            "dispatch_id",
            "template",
            "message_ids",
            "phone_indexes",
            "tries",
            "signed_at",
            "state",
        ],
        [
            (
                kept.dispatch_id,
                kept.template,
                kept.message_ids,
                kept.phone_indexes,
                kept.tries,
                kept.signed_at,
                DispatchState.SUBMITTING,
            )
            for kept in dispatches
        ],
    )


async def abandon(unit: Unit, signed_before: datetime) -> int:
    """Take what a dead sender left: all that it was submitting by then has an unknown fate."""
    return await unit.fetchval(
        """
        with left_over as (
            update dispatch set state = 'unknown'
            where state <> 'done' and state = 'submitting' and signed_at <= $1
            returning message_ids
        ), lost as (
            update message set state = 'unknown'
            where state in ('ready', 'submitting')
              and message_id in (select unnest(message_ids) from left_over)
            returning 1
        )
        select count(*) from lost
        """,
        signed_before,
    )


async def lock(unit: Unit, dispatch_ids: Sequence[UUID]) -> set[UUID]:
    """Lock the dispatches; give those whose fate is not known already."""
    rows = await unit.fetch(
        """
        select dispatch_id, state from dispatch where dispatch_id = any($1)
        order by dispatch_id for update
        """,
        dispatch_ids,
    )
    return {row["dispatch_id"] for row in rows if row["state"] != DispatchState.DONE}


async def move(unit: Unit, dispatch_ids: Sequence[UUID], state: DispatchState) -> None:
    if dispatch_ids:
        await unit.execute(
            "update dispatch set state = $2 where dispatch_id = any($1)", dispatch_ids, state
        )


async def unknown(unit: Unit, rows_max: int) -> list[Kept]:
    """Give the calls whose fate is unknown, the oldest first."""
    rows = await unit.fetch(
        """
        select dispatch_id, template, message_ids, phone_indexes, tries, signed_at
        from dispatch where state <> 'done' and state = 'unknown' order by signed_at limit $1
        """,
        rows_max,
    )
    return [Kept(**row) for row in rows]


async def recipients(
    unit: Unit, dispatch_ids: Sequence[UUID]
) -> Mapping[tuple[UUID, bytes], Sequence[UUID]]:
    """Lock the dispatches; tell which messages each (dispatch, phone) was.

    Two texts of one call to one phone have their receipts in common: the provider tells no more.
    """
    rows = await unit.fetch(
        """
        select dispatch_id, message_ids, phone_indexes from dispatch
        where dispatch_id = any($1) order by dispatch_id for update
        """,
        dispatch_ids,
    )
    found: dict[tuple[UUID, bytes], list[UUID]] = {}
    for dispatch_id, message_ids, phone_indexes in rows:
        for message_id, index in zip(message_ids, phone_indexes, strict=True):
            found.setdefault((dispatch_id, index), []).append(message_id)
    return found


async def save_receipts(unit: Unit, receipts: Sequence[Receipt]) -> None:
    """Keep the newest receipt of each message; the same again changes nothing."""
    if not receipts:
        return
    newest: dict[UUID, Receipt] = {}
    for receipt in sorted(receipts, key=lambda one: one.at):
        newest[receipt.source_id] = receipt
    await unit.execute(
        """
        update message g
        set receipt = case when u.delivered then 'delivered' else 'undelivered' end,
            receipt_code = u.code, receipt_at = u.at
        from unnest($1::uuid[], $2::bool[], $3::text[], $4::timestamptz[])
             as u(message_id, delivered, code, at)
        where g.message_id = u.message_id
          and (g.receipt_at is null or g.receipt_at < u.at)
        """,
        list(newest),
        [receipt.delivered for receipt in newest.values()],
        [receipt.code for receipt in newest.values()],
        [receipt.at for receipt in newest.values()],
    )
