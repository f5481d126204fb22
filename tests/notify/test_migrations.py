"""Books of an earlier shape are carried over: every text is as far as it was, and goes once."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg

from services.common.ids import derived_id, new_id
from services.common.kit import clock, keys, migrate
from services.notify.main import new_office
from services.notify.model import text_id
from services.notify.settings import Settings
from services.notify.store import dispatches
from services.notify.store.dispatches import Receipt
from services.notify.store.fates import FATE
from tests.conftest import MakeDatabase

SENT, UNDER_WAY, DOUBTED, QUEUED, WAITING, AGAIN = (UUID(int=n) for n in range(1, 7))
# A text's id begins as its payout's does, these with ten bytes of nothing.
PAYOUT: Final = UUID(int=7)
OLD_STATES: Final[Mapping[UUID, str]] = {
    SENT: "sent",
    UNDER_WAY: "ready",
    DOUBTED: "unknown",
    QUEUED: "ready",
    WAITING: "awaiting_contact",
    AGAIN: "ready",
}


async def fill(url: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    now = clock.now()
    try:
        for message_id, state in OLD_STATES.items():
            template = "payout_paid" if message_id != AGAIN else "payout_refused_member"
            await connection.execute(
                "insert into message (message_id, member_id, payout_id, attempt_no, template,"
                " recipient_no, payee_version, amount_fen, created_at, state, sent_at, receipt,"
                " receipt_at) values ($1, $2, $3, 1, $4, 0, 1, 100, $5, $6, $7, $8, $9)",
                message_id,
                new_id(),
                PAYOUT,
                template,
                now,
                state,
                now if state == "sent" else None,
                "delivered" if state == "sent" else None,
                now if state == "sent" else None,
            )
        for message_ids, state in (
            ([SENT, AGAIN], "done"),
            ([UNDER_WAY], "submitting"),
            ([DOUBTED], "unknown"),
        ):
            await connection.execute(
                "insert into dispatch values ($1, 'payout_paid', $2, $3, 0, $4, $5)",
                new_id(),
                message_ids,
                [bytes(16) for _ in message_ids],
                now - timedelta(minutes=1),
                state,
            )
        await connection.execute(
            "insert into ready (ready_at, tries, message_ids) values ($1, 0, $2)",
            now,
            [QUEUED, AGAIN],
        )
    finally:
        await connection.close()


async def test_texts_queued_under_way_and_sent_are_as_far_in_calls(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    keys.ensure_keys(tmp_path / "keys")
    url = await make_database("notify")
    await migrate.upgrade("services.notify", url, "0005")
    await fill(url)
    await migrate.upgrade("services.notify", url)
    office = new_office(Settings(database_url=url, var_dir=tmp_path, profile="development"))
    try:
        async with office.database.begin() as unit:
            rows = await unit.fetch(f"select * from ({FATE}) as fate")  # noqa: S608 - a constant query
        fates = {row["message_id"]: row for row in rows}
        assert {key: fate["state"] for key, fate in fates.items()} == OLD_STATES
        assert (fates[SENT]["sent_at"], fates[SENT]["receipt"]) != (None, None)
        assert await office.sending.abandon() == 1
        assert sorted(list(kept.message_ids) for kept in await office.sending.unknown()) == [
            [UNDER_WAY],
            [DOUBTED],
        ]
        async with office.database.begin() as unit:
            queued = await unit.fetch(
                "select template, message_ids from dispatch natural join ready"
            )
        assert sorted(map(tuple, queued)) == [
            ("payout_paid", [QUEUED]),
            ("payout_refused_member", [AGAIN]),
        ]
    finally:
        await office.close()


async def test_what_was_known_of_people_is_one_row_and_older_versions_stay_readable(
    make_database: MakeDatabase,
) -> None:
    whole, unregistered, versions = UUID(int=1), UUID(int=2), (3, 1, 2)
    url = await make_database("notify")
    await migrate.upgrade("services.notify", url, "0006")
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute("insert into member values ($1, 1, 'U-1', '\\x01')", whole)
        for table in ("contact", "card_tail"):
            await connection.executemany(
                f"insert into {table} values ($1, $2, $3)",  # noqa: S608 - one of two names
                [(key, n, bytes([n])) for key in (whole, unregistered) for n in versions],
            )
        await migrate.upgrade("services.notify", url)
        rows = await connection.fetch("select * from member order by member_id")
        assert [tuple(row) for row in rows] == [
            (whole, 1, "U-1", b"\x01", 3, b"\x03", 3, b"\x03"),
            (unregistered, None, None, None, 3, b"\x03", 3, b"\x03"),
        ]
        for table in ("contact", "card_tail"):
            older = await connection.fetch(f"select * from {table} order by 1, 2")  # noqa: S608 - one of two names
            assert [tuple(row) for row in older] == [
                (key, n, bytes([n])) for key in (whole, unregistered) for n in (1, 2)
            ]
    finally:
        await connection.close()


async def test_a_text_gets_the_id_that_its_event_gives_it_today(
    make_database: MakeDatabase,
) -> None:
    payout_id, member_id = new_id(), new_id()
    expected = text_id(payout_id, 1, "payout_paid", 0, None)
    # What the id was: all of it followed from the payout, the attempt, the outcome and the person.
    before = derived_id("text", payout_id, 1, "payout_paid", 0)
    url = await make_database("notify")
    await migrate.upgrade("services.notify", url, "0007")
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute(
            "insert into message (message_id, member_id, payout_id, attempt_no, template,"
            " recipient_no, payee_version, amount_fen, created_at, dispatch_id)"
            " values ($1, $2, $3, 1, 'payout_paid', 0, 1, 100, now(), $4)",
            before,
            member_id,
            payout_id,
            new_id(),
        )
        await connection.execute(
            "insert into dispatch (dispatch_id, template, message_ids, tries, state)"
            " values ($1, 'payout_paid', $2, 0, 'queued')",
            new_id(),
            [UUID(int=9), before],
        )
        await connection.execute("insert into waiting values ($1, $2)", member_id, before)
        await connection.execute("insert into mend_code values ('\\x01', $1, now())", before)
        await migrate.upgrade("services.notify", url)
        for table in ("message", "waiting", "mend_code"):
            assert await connection.fetchval(f"select message_id from {table}") == expected  # noqa: S608 - one of three names
        assert await connection.fetchval("select message_ids from dispatch") == [
            UUID(int=9),
            expected,
        ]
    finally:
        await connection.close()


async def test_receipts_and_phones_of_a_call_are_as_they_were_in_fewer_bytes(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    keys.ensure_keys(tmp_path / "keys")
    call_id, early, late = new_id(), clock.now() - timedelta(minutes=2), clock.now()
    texts, phones = [UUID(int=n) for n in (1, 2, 3)], [bytes([7] * 16), b"", bytes([9] * 16)]
    url = await make_database("notify")
    await migrate.upgrade("services.notify", url, "0009")
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        for dispatch_id, state, receipts in (
            (call_id, "done", ([True, None, False], ["OK", None, "LOST"], [early, None, late])),
            (new_id(), "unknown", (None, None, None)),
        ):
            await connection.execute(
                "insert into dispatch (dispatch_id, template, message_ids, phone_indexes, tries,"
                " signed_at, state, delivered, receipt_codes, receipt_ats)"
                " values ($1, 'payout_paid', $2, $3, 0, $4, $5, $6, $7, $8)",
                dispatch_id,
                texts,
                phones,
                early,
                state,
                *receipts,
            )
    finally:
        await connection.close()
    await migrate.upgrade("services.notify", url)
    office = new_office(Settings(database_url=url, var_dir=tmp_path, profile="development"))
    try:
        async with office.database.begin() as unit:
            call = (await dispatches.receipts(unit, [call_id]))[call_id]
            assert [kept.message_ids for kept in await dispatches.unknown(unit, 9)] == [texts]
        assert call.told == [Receipt(True, "OK", early), None, Receipt(False, "LOST", late)]
        assert call.places == {phones[0]: [0], phones[2]: [2]}
    finally:
        await office.close()
