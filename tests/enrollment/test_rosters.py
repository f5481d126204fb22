"""Rosters taken in for real: what is counted, what is kept, what the others are told."""

import asyncio
import os
import pickle
import signal
import sys
from uuid import UUID

import pytest
from msgspec import structs

from services.common.contracts.enrollment import (
    ContactChanged,
    CoverageActivated,
    MemberRegistered,
    PayeeChanged,
)
from services.common.contracts.event import MemberEvent
from services.common.kit.db import Database
from services.common.kit.health import Health
from services.common.kit.sealing import Opener
from services.enrollment.errors import RosterMoved
from services.enrollment.model import Roster
from services.enrollment.timers import RosterClerk
from services.enrollment.usecases import rosters
from tests.enrollment.conftest import EnrollmentDesk
from tests.enrollment.people import Worker, csv_of, worker, workers
from tests.servers import PostgresServer
from tests.told import ROWS, events_in


def counts(roster: dict[str, object]) -> tuple[object, ...]:
    return tuple(roster[name] for name in ("status", "rows", "accepted", "refused", "unchanged"))


async def test_a_roster_makes_members_who_can_be_found(enrollment: EnrollmentDesk) -> None:
    await enrollment.make_unit()
    assert counts(await enrollment.upload(workers(25))) == ("done", 25, 25, 0, 0)
    shown = await enrollment.ask("GET", f"/members/{await enrollment.member_id(worker(7))}")
    assert shown.json()["card_tail"] == worker(7).card_number[-4:]
    assert shown.json()["unit_name"] == "第一机床厂工会"
    assert await enrollment.coverages(worker(7)) == [
        {"scheme_id": "bj.mutual", "starts_on": "2012-05-01", "ends_on": None, "units": 1}
    ]


async def test_the_same_roster_again_changes_nothing(enrollment: EnrollmentDesk) -> None:
    await enrollment.make_unit()
    await enrollment.upload(workers(25))
    told = len(await enrollment.events())
    assert counts(await enrollment.upload(workers(25))) == ("done", 25, 0, 0, 25)
    assert await enrollment.events(after=told) == []


async def test_bad_rows_are_told_and_the_rest_goes_on(enrollment: EnrollmentDesk) -> None:
    await enrollment.make_unit()
    rows = [worker(1), worker(2).but(phone="1", hired_on="x"), worker(3), worker(1)]
    roster = await enrollment.upload(rows)
    assert counts(roster) == ("done", 4, 2, 2, 0)
    assert roster["errors"] == [
        {"row": 3, "column": "hired_on", "code": "BAD_DATE"},
        {"row": 3, "column": "phone", "code": "BAD_PHONE"},
        {"row": 5, "column": "id_number", "code": "DUPLICATE_ROW"},
    ]


async def test_a_file_that_is_no_roster_is_refused_with_its_reason(
    enrollment: EnrollmentDesk,
) -> None:
    await enrollment.make_unit()
    roster = await enrollment.upload(b"name,phone\n1,2\n")
    assert (roster["status"], roster["code"], roster["rows"]) == ("refused", "MISSING_COLUMN", 0)


async def test_a_file_that_was_lost_is_refused_and_holds_up_nobody(
    enrollment: EnrollmentDesk,
) -> None:
    await enrollment.make_unit()
    posted = await enrollment.post_roster(workers(2))
    for file in enrollment.settings.rosters_dir.iterdir():
        file.unlink()
    assert counts(await enrollment.upload(workers(3))) == ("done", 3, 3, 0, 0)
    lost = await enrollment.ask("GET", f"/rosters/{posted.json()['roster_id']}")
    assert (lost.json()["status"], lost.json()["code"]) == ("refused", "FILE_LOST")


async def test_each_part_of_a_member_opens_for_its_recipient(enrollment: EnrollmentDesk) -> None:
    await enrollment.make_unit()
    one = worker(1)
    await enrollment.upload([one])
    registered, payee, contact, coverage = (
        e for e in await enrollment.events() if isinstance(e, MemberEvent)
    )
    assert isinstance(registered, MemberRegistered)
    assert isinstance(payee, PayeeChanged)
    assert isinstance(contact, ContactChanged)
    assert isinstance(coverage, CoverageActivated)
    assert {e.version for e in (registered, payee, contact, coverage)} == {1}
    assert registered.identity_index == enrollment.desk.vault.identity.of(one.id_number)
    salts = {
        Opener.from_dir(enrollment.settings.keys_dir, name).open_salt(registered.member_id, wrapped)
        for name, wrapped in registered.salts.items()
    }
    assert registered.salts.keys() == {"claims", "payments", "notify"}
    [salt] = salts
    assert enrollment.opened("payments", "payee", payee, salt, payee.payee) == {
        "name": one.name,
        "card": one.card_number,
        "bank": one.card_bank,
    }
    assert enrollment.opened("notify", "contact", contact, salt, contact.contact) == {
        "surname": one.name[0],
        "phone": one.phone,
    }
    tail = Opener.from_dir(enrollment.settings.keys_dir, "notify")
    assert tail.open("tail", payee.member_id, salt, payee.tail) == one.card_number[-4:].encode()


async def test_events_stand_in_the_order_of_the_members_that_were_locked(
    enrollment: EnrollmentDesk,
) -> None:
    await enrollment.make_unit()
    await enrollment.upload(workers(9))
    rows = await enrollment.fetch(ROWS)
    for row in rows:
        ids = [event["member_id"] for event in events_in([row]) if "member_id" in event]
        assert ids == sorted(ids)
    assert sum(row.get("member_id") is not None for row in events_in(rows)) == 9 * 4


async def test_a_later_roster_carries_cover_back_and_tells_so(enrollment: EnrollmentDesk) -> None:
    await enrollment.make_unit()
    one = worker(1).but(hired_on="")
    await enrollment.upload([one], starts="2015-01-01")
    told = len(await enrollment.events())
    assert counts(await enrollment.upload([one], starts="2016-01-01"))[2:] == (0, 0, 1)
    assert counts(await enrollment.upload([one], starts="2013-01-01"))[2:] == (1, 0, 0)
    [again] = await enrollment.events(after=told)
    assert isinstance(again, CoverageActivated)
    assert (again.starts_on.isoformat(), again.version) == ("2013-01-01", 2)
    assert (await enrollment.coverages(one))[0]["starts_on"] == "2013-01-01"


async def test_a_member_named_by_another_unit_moves_there(enrollment: EnrollmentDesk) -> None:
    await enrollment.make_unit("unit-01")
    await enrollment.make_unit("unit-02", name="第二纺织厂工会")
    await enrollment.upload([worker(1)])
    told = len(await enrollment.events())
    await enrollment.upload([worker(1)], unit="unit-02")
    events = await enrollment.events(after=told)
    assert [type(e) for e in events] == [MemberRegistered, ContactChanged]
    assert [e.version for e in events] == [2, 2]
    shown = await enrollment.ask("GET", f"/members/{await enrollment.member_id(worker(1))}")
    assert shown.json()["unit_code"] == "unit-02"


async def test_a_new_phone_is_found_and_the_old_one_is_not(enrollment: EnrollmentDesk) -> None:
    await enrollment.make_unit()
    one = worker(1)
    await enrollment.upload([one, worker(2)])
    await enrollment.upload([one.but(phone="13712345678")])
    index = enrollment.desk.vault.phone.of
    found = "select member_id from member_phones where phone_index = $1"
    assert await enrollment.value(found, index("13712345678")) == await enrollment.member_id(one)
    assert await enrollment.fetch(found, index(one.phone)) == []


async def test_nothing_readable_of_a_person_lies_in_the_database_or_the_file(
    enrollment: EnrollmentDesk,
) -> None:
    await enrollment.make_unit(officers=[{"name": "赵主席", "phone": "13888888888"}])
    one = worker(1).but(name="欧阳娜娜")
    await enrollment.upload([one, worker(2).but(id_number="x")])
    plain = [one.name, one.id_number, one.phone, one.card_number, "赵主席", "13888888888"]
    tables = await enrollment.fetch(
        "select relname from pg_class where relkind in ('r', 'p')"
        " and relnamespace = 'public'::regnamespace and not relispartition"
        " and relname not in ('alembic_version', 'append_only')"
    )
    kept = b""
    for table in tables:
        for row in await enrollment.fetch(f'select * from "{table["relname"]}"'):  # noqa: S608 (a name from the catalogue)
            for value in row.values():
                kept += value if isinstance(value, bytes) else str(value).encode()
    # In a payload the sealed parts are Base64, under which a readable one would hide.
    for event in await enrollment.events():
        kept += pickle.dumps(structs.astuple(event))
    for file in enrollment.settings.rosters_dir.iterdir():
        kept += file.read_bytes()
    assert "第一机床厂工会".encode() in kept
    assert [text for text in plain if text.encode() in kept] == []


async def test_a_row_that_cannot_be_written_is_found_and_the_rest_goes_on(
    enrollment: EnrollmentDesk, postgres_server: PostgresServer
) -> None:
    await enrollment.make_unit()
    spoilt = enrollment.desk.vault.identity.of(worker(5).id_number)
    await postgres_server.run_as_superuser(
        enrollment.settings.database_url,
        "alter table members add check (identity_index <> decode('" + spoilt.hex() + "', 'hex'))",
    )
    roster = await enrollment.upload(workers(9))
    assert counts(roster) == ("done", 9, 8, 1, 0)
    assert roster["errors"] == [{"row": 6, "column": "", "code": "NOT_PROCESSED"}]


async def test_a_roster_that_was_stopped_goes_on_where_it_was(enrollment: EnrollmentDesk) -> None:
    await enrollment.make_unit()
    posted = await enrollment.post_roster(workers(35))
    roster_id = UUID(posted.json()["roster_id"])
    stop = asyncio.Event()
    clerk = RosterClerk(enrollment.settings, enrollment.desk, Health())
    working = asyncio.create_task(clerk.run(stop))
    progress = "select done from rosters where roster_id = $1"
    while not await enrollment.value(progress, roster_id):
        assert not working.done()
    stop.set()
    await working
    assert await enrollment.value(progress, roster_id) in (10, 20, 30, 35)
    await enrollment.work_off()
    await enrollment.publish_all()
    ended = (await enrollment.ask("GET", f"/rosters/{roster_id}")).json()
    assert counts(ended) == ("done", 35, 35, 0, 0)
    assert len(await enrollment.events()) == 35 * 4


async def test_a_worker_that_lost_its_roster_writes_nothing(enrollment: EnrollmentDesk) -> None:
    await enrollment.make_unit()
    await enrollment.post_roster(workers(3))
    seen = await rosters.next_roster(enrollment.desk)
    assert isinstance(seen, Roster)
    await enrollment.work_off()
    with pytest.raises(RosterMoved):
        await rosters.begin_roster(enrollment.desk, seen, "utf-8-sig", 3)


async def test_kill_9_in_the_middle_of_a_roster_loses_and_doubles_nothing(
    enrollment: EnrollmentDesk,
) -> None:
    await enrollment.make_unit()
    posted = await enrollment.post_roster([*workers(44), worker(3).but(phone="1")])
    crash_dir = enrollment.settings.var_dir / "crash"
    crash_dir.mkdir()
    killed = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.enrollment",
        "--role",
        "worker",
        env={
            **os.environ,
            "ENROLLMENT_DATABASE_URL": enrollment.settings.database_url,
            "ENROLLMENT_PORT": "0",
            "ENROLLMENT_ROSTER_CHUNK_ROWS": "10",
            "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
            "VAR_DIR": str(enrollment.settings.var_dir),
            "CRASHPOINTS": "enrollment.chunk_committed",
            "CRASH_DIR": str(crash_dir),
        },
        stdout=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(60):
        assert await killed.wait() == -signal.SIGKILL
    assert (crash_dir / "enrollment.chunk_committed").exists()
    assert await enrollment.value("select done from rosters") == 10
    await enrollment.work_off()
    await enrollment.publish_all()
    ended = (await enrollment.ask("GET", f"/rosters/{posted.json()['roster_id']}")).json()
    assert counts(ended) == ("done", 45, 44, 1, 0)
    assert len(await enrollment.events()) == 44 * 4
    assert counts(await enrollment.upload(csv_of(workers(44))))[4] == 44


async def test_an_old_card_repeated_by_the_roster_does_not_undo_a_correction(
    enrollment: EnrollmentDesk,
) -> None:
    await enrollment.make_unit()
    one: Worker = worker(1)
    await enrollment.upload([one])
    path = f"/members/{await enrollment.member_id(one)}/payee"
    await enrollment.ask("PUT", path, json={"card_number": "6217000000000009999"})
    assert counts(await enrollment.upload([one]))[4] == 1
    shown = (await enrollment.ask("GET", path.removesuffix("/payee"))).json()
    assert (shown["card_tail"], shown["payee_version"]) == ("9999", 2)


async def test_two_workers_at_once_enroll_everybody_once(enrollment: EnrollmentDesk) -> None:
    await enrollment.make_unit()
    await enrollment.post_roster(workers(60))
    await asyncio.gather(enrollment.work_off(), enrollment.work_off())
    assert len(await enrollment.events()) == 60 * 4


async def test_a_database_that_drops_its_connections_only_delays_a_roster(
    enrollment: EnrollmentDesk,
) -> None:
    await enrollment.make_unit()
    await enrollment.post_roster(workers(200))
    stop = asyncio.Event()
    clerk = RosterClerk(enrollment.settings, enrollment.desk, Health())
    working = asyncio.create_task(clerk.run(stop))
    watcher = Database(enrollment.settings, application="watcher")
    drop = (
        "select count(pg_terminate_backend(pid)) from pg_stat_activity"
        " where datname = current_database() and usename = current_user"
        " and pid <> pg_backend_pid()"
    )
    dropped, done = 0, False
    async with asyncio.timeout(60):
        while not done:
            await asyncio.sleep(0.02)
            async with watcher.begin() as unit:
                if dropped < 5:
                    dropped += await unit.fetchval(drop) > 0
                done = await unit.fetchval("select status = 'done' from rosters")
    async with watcher.begin() as unit:
        told = await unit.fetchval("select sum(events) from outbox")
    stop.set()
    await working
    await watcher.close()
    assert dropped > 0
    assert told == 200 * 4
