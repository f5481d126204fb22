"""Calls to the provider: a call knows how far its texts are, for they share its fate mostly.

It is queued with its texts' ids, written down before a byte leaves, and settled when its fate is
known. Only a text that comes to another end than its call has a state of its own (messages).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from services.common.kit.db import Unit
from services.common.kit.sealing import BlindIndex
from services.notify.model import DispatchState, TemplateName

NO_PHONE: Final = bytes(BlindIndex.BYTES)


@dataclass(frozen=True, slots=True)
class Queued:
    """A call that waits for its turn; `tries` is how often its texts were refused before."""

    dispatch_id: UUID
    template: TemplateName
    message_ids: Sequence[UUID]
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Signed:
    """What is known of a call once it is written.

    The blind indexes of the phones stand in the order of the texts; a text that is not in the call
    after all, since it does not open, has `NO_PHONE`.
    """

    dispatch_id: UUID
    phone_indexes: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Kept:
    """A call whose fate is unknown, as it is written down."""

    dispatch_id: UUID
    template: TemplateName
    message_ids: Sequence[UUID]
    tries: int
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a call; `sent_at` where texts were taken, `retried` where some go again."""

    dispatch_id: UUID
    state: DispatchState
    sent_at: datetime | None = None
    retried: bool = False


class Receipt(NamedTuple):
    """What the provider reports of a text; many have one and the same."""

    delivered: bool
    code: str
    at: datetime


@dataclass(slots=True)
class Receipts:
    """The receipts of one call, in the order of its texts; None where there is none yet."""

    dispatch_id: UUID
    places: Mapping[bytes, Sequence[int]]
    told: list[Receipt | None]
    # Its texts' ids, where some of them went into another call.
    retried: Sequence[UUID] | None

    def keep(self, phone_index: bytes, receipt: Receipt) -> Sequence[int]:
        """Keep a receipt if it is the newest; give the places of the phone, none if it has none.

        Two texts of one call to one phone have their receipts in common: the provider tells no
        more.
        """
        places = self.places.get(phone_index, ())
        for place in places:
            known = self.told[place]
            if known is None or known.at < receipt.at:
                self.told[place] = receipt
        return places

    def numbered(self) -> tuple[bytes, Sequence[Receipt]]:
        """Give the number of each text's receipt, 0 for none, and the distinct ones from 1 on."""
        distinct = list(dict.fromkeys(one for one in self.told if one is not None))
        numbers: dict[Receipt | None, int] = {one: no for no, one in enumerate(distinct, 1)}
        numbers[None] = 0
        return bytes([numbers[one] for one in self.told]), distinct


async def queue(unit: Unit, calls: Sequence[Queued], ready_at: datetime) -> None:
    """Queue calls whose texts may go from then on; what was refused before queues apart."""
    if not calls:
        return
    await unit.copy(
        "dispatch",
        ["dispatch_id", "template", "message_ids", "tries", "state"],
        [
            (call.dispatch_id, call.template, call.message_ids, call.tries, DispatchState.QUEUED)
            for call in calls
        ],
    )
    await unit.execute(
        "insert into ready select u.again, $3, u.dispatch_id"
        " from unnest($1::uuid[], $2::bool[]) as u(dispatch_id, again)",
        [call.dispatch_id for call in calls],
        [call.tries > 0 for call in calls],
        ready_at,
    )


async def take(unit: Unit, moment: datetime, calls_max: int, *, again: bool) -> list[Queued]:
    """Take calls that are due, the oldest first, out of one of the two queues."""
    rows = await unit.fetch(
        """
        with taken as (
            delete from ready where ctid = any (array(
                select ctid from ready where again = $3 and ready_at <= $1
                order by ready_at, dispatch_id limit $2))
            returning ready_at, dispatch_id)
        select d.dispatch_id, d.template, d.message_ids, d.tries
        from taken t join dispatch d using (dispatch_id) order by t.ready_at, d.dispatch_id
        """,
        moment,
        calls_max,
        again,
    )
    return [Queued(*row) for row in rows]


async def sign(unit: Unit, calls: Sequence[Signed], signed_at: datetime) -> None:
    """Write calls down: their texts may be on their way from now on."""
    if not calls:
        return
    await unit.execute(
        """
        with signed as (
            select * from unnest($1::uuid[], $3::bytea[]) as u(dispatch_id, phone_indexes)
        ), opened as (
            insert into open_dispatch select dispatch_id from signed
        )
        update dispatch d
        set state = 'submitting', signed_at = $2, phone_indexes = u.phone_indexes
        from signed u where d.dispatch_id = u.dispatch_id
        """,
        [call.dispatch_id for call in calls],
        signed_at,
        [b"".join(call.phone_indexes) for call in calls],
    )


async def abandon(unit: Unit, signed_before: datetime) -> int:
    """Take what a dead sender left: all that it was submitting by then has an unknown fate.

    Gives the number of the texts.
    """
    return await unit.fetchval(
        """
        with left_over as (
            update dispatch set state = 'unknown'
            where dispatch_id = any (array(select dispatch_id from open_dispatch))
              and state = 'submitting' and signed_at <= $1
            returning message_ids
        )
        select coalesce(sum(cardinality(message_ids)), 0) from left_over
        """,
        signed_before,
    )


async def lock(unit: Unit, dispatch_ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """Lock the calls; give those whose fate is not known already, and how far they are."""
    rows = await unit.fetch(
        """
        select dispatch_id, state from dispatch where dispatch_id = any($1)
        order by dispatch_id for update
        """,
        dispatch_ids,
    )
    return {row["dispatch_id"]: row["state"] for row in rows if row["state"] != DispatchState.DONE}


async def settle(unit: Unit, calls: Sequence[Settled]) -> None:
    """Write down what became of calls, and so of all their texts without a state of their own."""
    if calls:
        await unit.execute(
            """
            with settled as (
                select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bool[])
                              as u(dispatch_id, state, sent_at, retried)
            ), closed as (
                delete from open_dispatch
                where dispatch_id = any (array(select dispatch_id from settled
                                               where state = 'done'))
            )
            update dispatch d
            set state = u.state, sent_at = u.sent_at, retried = d.retried or u.retried
            from settled u where d.dispatch_id = u.dispatch_id
            """,
            [call.dispatch_id for call in calls],
            [call.state for call in calls],
            [call.sent_at for call in calls],
            [call.retried for call in calls],
        )


async def unknown(unit: Unit, rows_max: int) -> list[Kept]:
    """Give the calls whose fate is unknown, the oldest first."""
    rows = await unit.fetch(
        """
        select dispatch_id, template, message_ids, tries, signed_at
        from open_dispatch join dispatch using (dispatch_id)
        where state = 'unknown' order by signed_at limit $1
        """,
        rows_max,
    )
    return [Kept(**row) for row in rows]


async def receipts(unit: Unit, dispatch_ids: Sequence[UUID]) -> Mapping[UUID, Receipts]:
    """Lock the calls that there are; give the receipts that each has so far."""
    rows = await unit.fetch(
        """
        select dispatch_id, phone_indexes, receipt_nos, delivered, receipt_codes, receipt_ats,
               case when retried then message_ids end as retried
        from dispatch where dispatch_id = any($1) and phone_indexes is not null
        order by dispatch_id for update
        """,
        dispatch_ids,
    )
    return {
        dispatch_id: Receipts(
            dispatch_id,
            _places(phone_indexes),
            _told(receipt_nos or bytes(len(phone_indexes) // BlindIndex.BYTES), receipts),
            retried,
        )
        for dispatch_id, phone_indexes, receipt_nos, *receipts, retried in rows
    }


def _places(phone_indexes: bytes) -> Mapping[bytes, Sequence[int]]:
    places: dict[bytes, list[int]] = {}
    for place in range(len(phone_indexes) // BlindIndex.BYTES):
        index = phone_indexes[place * BlindIndex.BYTES : (place + 1) * BlindIndex.BYTES]
        if index != NO_PHONE:
            places.setdefault(index, []).append(place)
    return places


def _told(receipt_nos: bytes, receipts: Sequence[Sequence[Any] | None]) -> list[Receipt | None]:
    """Give each text's receipt from its number and the columns of the distinct ones."""
    told = [None, *map(Receipt, *(column or () for column in receipts))]
    return [told[number] for number in receipt_nos]


async def save_receipts(unit: Unit, calls: Sequence[Receipts]) -> None:
    """Write the receipts of these calls as they are now."""
    if not calls:
        return
    numbered = [call.numbered() for call in calls]
    receipts = [receipt for _, distinct in numbered for receipt in distinct]
    ends = list(accumulate(len(distinct) for _, distinct in numbered))
    await unit.execute(
        """
        update dispatch d
        set receipt_nos = u.receipt_nos,
            delivered = ($5::bool[])[u.first:u.last],
            receipt_codes = ($6::text[])[u.first:u.last],
            receipt_ats = ($7::timestamptz[])[u.first:u.last]
        from unnest($1::uuid[], $2::bytea[], $3::int[], $4::int[])
             as u(dispatch_id, receipt_nos, first, last)
        where d.dispatch_id = u.dispatch_id
        """,
        [call.dispatch_id for call in calls],
        [numbers for numbers, _ in numbered],
        [1, *(end + 1 for end in ends[:-1])],
        ends,
        [receipt.delivered for receipt in receipts],
        [receipt.code for receipt in receipts],
        [receipt.at for receipt in receipts],
    )


async def save_newest(
    unit: Unit,
    table: Literal["message", "login_code"],
    key: Literal["message_id", "code_id"],
    receipts: Sequence[tuple[UUID, Receipt]],
) -> None:
    """Keep the newest receipt of each row that has its own; the same again changes nothing."""
    if not receipts:
        return
    newest = dict(sorted(receipts, key=lambda one: one[1].at))
    await unit.execute(
        f"""
        update {table} t
        set receipt = case when u.delivered then 'delivered' else 'undelivered' end,
            receipt_code = u.code, receipt_at = u.at
        from unnest($1::uuid[], $2::bool[], $3::text[], $4::timestamptz[])
             as u(source_id, delivered, code, at)
        where t.{key} = u.source_id and (t.receipt_at is null or t.receipt_at < u.at)
        """,  # noqa: S608 - one of two tables and its key
        list(newest),
        [receipt.delivered for receipt in newest.values()],
        [receipt.code for receipt in newest.values()],
        [receipt.at for receipt in newest.values()],
    )
