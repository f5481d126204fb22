"""A day that is over is closed: no entry comes into it, and its root vouches for it."""

import asyncio
import hashlib
import json
from datetime import UTC, date, timedelta

import asyncpg
import pytest

from services.common.kit import clock
from services.common.kit.clock import SetClock
from services.common.kit.db import TRANSIENT, Row
from services.payments.model.ledger import Account, ClosedDay
from services.payments.store import days, ledger
from services.payments.usecases.days import close_days, vouch_for_days
from services.payments.usecases.desk import Desk
from services.payments.usecases.verify import verify
from tests.payments.ledger.booking import book, contributed, paid, reserved
from tests.payments.ledger.conftest import AsSuperuser

ONE_DAY = timedelta(days=1)
DAY = date(2026, 11, 3)


async def roots(desk: Desk) -> list[ClosedDay]:
    async with desk.database.begin() as unit:
        return await days.roots(unit)


async def days_of_entries(desk: Desk) -> dict[date, int]:
    async with desk.database.begin() as unit:
        rows = await unit.fetch("select day, count(*) as entries from ledger group by day")
    return {row["day"]: row["entries"] for row in rows}


async def close_upto(desk: Desk, day: date) -> None:
    """Close early what is not over yet, as the end of a month does."""
    async with desk.database.begin() as unit:
        await days.hold(unit)
        closed = (await days.reached(unit)).closed
        assert closed
        await days.close(unit, closed + ONE_DAY, day, clock.now())


async def test_a_day_is_closed_when_it_is_over(desk: Desk, hands: SetClock) -> None:
    await close_days(desk)
    assert [closed.day for closed in await roots(desk)] == [DAY - ONE_DAY]
    hands.advance(ONE_DAY)
    await close_days(desk)
    assert [(closed.day, closed.entries) for closed in await roots(desk)] == [
        (DAY - ONE_DAY, 0),
        (DAY, 1),
    ]


async def test_midnight_is_that_of_china(desk: Desk, hands: SetClock) -> None:
    hands.advance(timedelta(hours=13, minutes=59))
    await close_days(desk)
    assert len(await roots(desk)) == 1
    hands.advance(timedelta(minutes=1))
    await close_days(desk)
    assert [closed.day for closed in await roots(desk)][-1] == DAY


async def test_days_without_entries_are_closed_as_well(desk: Desk, hands: SetClock) -> None:
    hands.advance(5 * ONE_DAY)
    await close_days(desk)
    found = await roots(desk)
    assert [closed.day for closed in found] == [DAY + i * ONE_DAY for i in range(-1, 5)]
    assert [closed.entries for closed in found] == [0, 1, 0, 0, 0, 0]
    assert len({closed.root for closed in found}) == len(found)


async def test_nothing_is_closed_before_the_first_entry(
    desk: Desk, hands: SetClock, as_superuser: AsSuperuser
) -> None:
    await as_superuser("delete from ledger", "update fund set bank_fen = 0")
    await close_days(desk)
    assert await roots(desk) == []
    assert await verify(desk.database) is None
    hands.advance(3 * ONE_DAY)
    await book(desk, contributed(1_00))
    await close_days(desk)
    assert [closed.day for closed in await roots(desk)] == [DAY + 2 * ONE_DAY]


async def test_closing_again_changes_nothing(desk: Desk, hands: SetClock) -> None:
    await book(desk, contributed(5_00))
    hands.advance(ONE_DAY)
    await close_days(desk)
    before = await roots(desk)
    await close_days(desk)
    await vouch_for_days(desk.database)
    assert await roots(desk) == before
    assert await verify(desk.database) is None


async def test_a_crash_between_closing_and_the_root_is_made_good(
    desk: Desk, hands: SetClock
) -> None:
    await close_days(desk)
    await book(desk, contributed(5_00), contributed(7_00))
    hands.advance(ONE_DAY)
    await close_upto(desk, DAY)
    assert [closed.day for closed in await roots(desk)] == [DAY - ONE_DAY]
    assert await verify(desk.database) is None
    await close_days(desk)
    assert [(closed.day, closed.entries) for closed in await roots(desk)][-1] == (DAY, 3)


async def test_two_who_vouch_at_once_keep_it_once(desk: Desk, hands: SetClock) -> None:
    await book(desk, *(contributed(1_00) for _ in range(50)))
    await close_days(desk)
    hands.advance(3 * ONE_DAY)
    await close_upto(desk, DAY + 2 * ONE_DAY)
    await asyncio.gather(*(vouch_for_days(desk.database) for _ in range(4)))
    assert len(await roots(desk)) == 4
    assert await verify(desk.database) is None


async def test_the_root_is_what_its_description_says(desk: Desk, hands: SetClock) -> None:
    await book(desk, contributed(5_00), reserved(2_00), paid(2_00))
    hands.advance(ONE_DAY)
    await close_days(desk)
    async with desk.database.begin() as unit:
        rows = await unit.fetch("select * from ledger where day = $1 order by entry_no", DAY)
    first = hashlib.sha256(bytes(32) + b"2026-11-02\n").digest()
    text = "".join(f"{_written(row)}\n" for row in rows)
    expected = hashlib.sha256(first + f"2026-11-03\n{text}".encode()).digest()
    assert await roots(desk) == [
        ClosedDay(DAY - ONE_DAY, 0, first),
        ClosedDay(DAY, 4, expected),
    ]


def _written(row: Row) -> str:
    booked_at = row["booked_at"].astimezone(UTC)
    assert booked_at.microsecond == 0
    fields = [
        row["entry_no"],
        str(row["source_id"]),
        *(row[name] for name in ("leg", "fund_id", "scheme_id", "debit", "credit", "amount_fen")),
        row["day"].isoformat(),
        f"{booked_at:%Y-%m-%dT%H:%M:%SZ}",
    ]
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


async def test_the_sums_say_what_stood_against_what(desk: Desk, hands: SetClock) -> None:
    await book(desk, contributed(5_00), contributed(7_00), reserved(4_00), paid(1_00), paid(3_00))
    hands.advance(ONE_DAY)
    await close_days(desk)
    async with desk.database.begin() as unit:
        kept = await days.kept_sums(unit, DAY)
    mine = [pair for pair in kept if pair.scheme_id == "bj.mutual" and pair.account == "bank"]
    assert [pair[3:] for pair in mine] == [
        (Account.MEMBER_CONTRIBUTIONS, 2, 12_00, 0),
        (Account.PAYOUTS_IN_TRANSIT, 2, 0, 4_00),
    ]


async def test_an_entry_that_comes_after_the_day_was_closed_is_booked_into_the_next(
    desk: Desk,
) -> None:
    await close_days(desk)
    await close_upto(desk, date(2026, 11, 30))
    await book(desk, contributed(5_00))
    assert await days_of_entries(desk) == {DAY: 1, date(2026, 12, 1): 1}


async def test_a_closed_day_takes_no_entry_whoever_writes_it(desk: Desk) -> None:
    await close_days(desk)
    await close_upto(desk, DAY)
    with pytest.raises(asyncpg.SerializationError):
        async with desk.database.begin() as unit:
            await unit.copy("ledger", ledger.COLUMNS, [(*contributed(1_00), DAY, clock.now())])
    assert await days_of_entries(desk) == {DAY: 1}


async def test_of_eight_writers_and_one_who_closes_days_no_entry_is_lost_or_late(
    desk: Desk,
) -> None:
    await close_days(desk)
    written = asyncio.Event()

    async def write() -> None:
        for _ in range(20):
            sources = [contributed(1_00), reserved(1_00), paid(1_00)]
            while True:
                try:
                    await book(desk, *sources)
                except TRANSIENT:
                    continue
                break

    async def close() -> None:
        day = DAY
        while not written.is_set():
            await close_upto(desk, day)
            day += ONE_DAY
            await vouch_for_days(desk.database)

    closer = asyncio.create_task(close())
    await asyncio.gather(*(write() for _ in range(8)))
    written.set()
    await closer
    counts = await days_of_entries(desk)
    assert sum(counts.values()) == 1 + 8 * 20 * 3
    assert len(counts) > 3
    kept = {closed.day: closed.entries for closed in await roots(desk)}
    assert {day: counts.get(day, 0) for day in kept} == kept
    assert await verify(desk.database) is None
