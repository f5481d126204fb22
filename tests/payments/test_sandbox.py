"""The whole desk against the other side as a program of its own, well and badly behaved."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from services.common.kit.db import Database
from services.common.kit.health import Health
from services.payments.main import Office, new_office
from services.payments.settings import Settings
from services.payments.timers import Timers
from services.payments.usecases import reading
from services.payments.usecases.cut import cut_batch
from services.payments.usecases.desk import Desk
from tests.payments.conftest import ONE_FUND
from tests.payments.people import CARD, Member, deliver, states
from tests.payments.steps import UNION, check_books
from tests.sandbox.conftest import Sandbox
from tests.servers import PostgresServer

NewMember = Callable[..., Member]
WITHIN_S = 30.0


@asynccontextmanager
async def at_work(desk: Desk) -> AsyncGenerator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(Timers(desk, Health()).run(stop))
    yield
    stop.set()
    await asyncio.wait_for(running, WITHIN_S)


@pytest.fixture
def sandbox(other_side: Sandbox) -> Iterator[Sandbox]:
    yield other_side
    other_side.http.delete("/faults")


@pytest.fixture
async def office(knobs: Settings, sandbox: Sandbox) -> AsyncGenerator[Office]:
    bank_url = f"http://127.0.0.1:{sandbox.port}"
    office = new_office(knobs.model_copy(update={"bank_url": bank_url, "funds_file": ONE_FUND}))
    yield office
    await office.close()


async def until(reached: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not await reached():  # noqa: ASYNC110 - another process changes what is asked
            await asyncio.sleep(0.02)


async def until_states(desk: Desk, member: Member, expected: Sequence[tuple[str, int]]) -> None:
    async def reached() -> bool:
        return await states(desk, member) == expected

    await until(reached)


async def booked(sandbox: Sandbox, desk: Desk) -> list[tuple[str, str]]:
    """Give account and amount of what the bank has booked for this desk's payouts."""
    async with desk.database.begin() as unit:
        mine = {row["payout_id"].hex for row in await unit.fetch("select payout_id from payout")}
    lines = map(json.loads, sandbox.http.get("/bank/book").text.splitlines())
    return [
        (line["account"], line["amount"])
        for line in lines
        if line["status"] == "booked" and line["instruction_id"][:32] in mine
    ]


@pytest.mark.parametrize(
    "fault",
    [
        None,
        {"target": "bank_upload", "kind": "drop_request", "times": 2},
        {"target": "bank_upload", "kind": "drop_answer", "times": 2},
        {"target": "bank_upload", "kind": "status_500", "times": 2},
        {"target": "bank_upload", "kind": "delay", "delay_s": 0.8, "times": 1},
        {"target": "bank_result", "kind": "never_ready", "times": 3},
        {"target": "bank_result", "kind": "truncated", "times": 3},
        {"target": "bank_result", "kind": "wrong_control_sum", "times": 3},
        {"target": "bank_result", "kind": "line_in_process", "times": 3},
        {"target": "bank_result", "kind": "garbage", "times": 3},
    ],
    ids=lambda fault: fault["kind"] if fault else "well",
)
async def test_every_payout_is_booked_once_however_the_bank_behaves(
    office: Office, sandbox: Sandbox, new_member: NewMember, fault: dict[str, object] | None
) -> None:
    desk = office.desk
    if fault is not None:
        sandbox.order(**fault)
    members = [new_member() for _ in range(3)]
    async with at_work(desk):
        for amount_fen, member in enumerate(members, 1):
            await deliver(desk, member.registered(), member.payee(), member.grant(amount_fen))
            desk.payouts_ready.set()
        for amount_fen, member in enumerate(members, 1):
            await until_states(desk, member, [("paid", amount_fen)])
    assert sorted(await booked(sandbox, desk)) == [(CARD, "0.01"), (CARD, "0.02"), (CARD, "0.03")]
    await check_books(desk)


async def test_a_card_under_another_name_is_refused_corrected_and_paid_once(
    office: Office, sandbox: Sandbox, new_member: NewMember
) -> None:
    sandbox.http.post("/bank/accounts", json=[{"account": "62220001", "name": "李四"}])
    member = new_member("王小明")
    desk = office.desk
    async with at_work(desk):
        await deliver(
            desk, member.registered(), member.payee(card="62220001"), member.grant(129_34)
        )
        desk.payouts_ready.set()
        await until_states(desk, member, [("refused", 129_34)])
        [refusal] = await reading.refused_payouts(desk, "BJ-0001", None)
        assert (refusal.name, refusal.card_tail) == ("王*", "0001")
        assert (refusal.reason, refusal.actor) == ("NAME_DIFFERS", "unit")
        await deliver(desk, member.payee(2, card="62220002"))
        desk.payouts_ready.set()
        await until_states(desk, member, [("paid", 129_34)])
    assert await booked(sandbox, desk) == [("62220002", "129.34")]


async def test_a_bank_that_is_away_is_waited_for_and_a_restart_goes_on_where_it_was(
    office: Office, sandbox: Sandbox, new_member: NewMember
) -> None:
    member, desk = new_member(), office.desk
    sandbox.kill()
    await deliver(desk, member.registered(), member.payee(), member.grant(5_00))
    async with at_work(desk):
        await asyncio.sleep(0.3)
        assert await states(desk, member) == [("batched", 5_00)]
    sandbox.start()
    async with at_work(desk):
        await until_states(desk, member, [("paid", 5_00)])
    assert len(await booked(sandbox, desk)) == 1


async def test_a_restored_database_pays_nobody_twice(
    office: Office,
    sandbox: Sandbox,
    new_member: NewMember,
    knobs: Settings,
    postgres_server: PostgresServer,
) -> None:
    """The bank has paid; the books are set back to before the batch and cut it anew."""
    member, desk = new_member(), office.desk
    await deliver(desk, member.registered(), member.payee(), member.grant(5_00))
    async with at_work(desk):
        await until_states(desk, member, [("paid", 5_00)])
    database = Database(knobs, application="restored")
    restored = replace(desk, database=database)
    owner = knobs.model_copy(
        update={"database_url": postgres_server.as_superuser(knobs.database_url)}
    )
    backup = Database(owner, application="backup")
    async with backup.begin() as unit:
        await unit.execute("alter table ledger disable trigger ledger_stays")
        await unit.execute("delete from ledger where leg <> 'granted'")
        await unit.execute("delete from batch_lines")
        await unit.execute("delete from batch")
        await unit.execute(
            "update payout set state = 'ready', attempt_no = 0, payee_version = 0,"
            " batch_id = null, line = null, bank_serial = null, paid_on = null"
        )
        await unit.execute("update balance set paid_fen = 0, open_fen = granted_fen")
        await unit.execute(
            "insert into ready_queue (lane, payouts, payout_ids, member_ids, ready_at)"
            " select 'union.0', 1, array[payout_id], array[member_id], now() from payout"
        )
        await unit.execute("update fund set bank_fen = bank_fen + 500")
    await backup.close()
    assert await cut_batch(restored, UNION, 10) is not None

    async def listed() -> bool:
        return bool((await reading.books(restored))["bank_exceptions"])

    async with at_work(restored):
        await until(listed)
    assert await states(restored, member) == [("batched", 5_00)], "unknown, never sent anew"
    assert len(await booked(sandbox, desk)) == 1
    await database.close()


async def test_a_batch_that_is_too_large_for_a_slow_server_is_made_smaller(
    office: Office, knobs: Settings, new_member: NewMember, postgres_server: PostgresServer
) -> None:
    await postgres_server.run_as_superuser(
        knobs.database_url,
        "create function slowly() returns trigger language plpgsql as"
        " $$ begin perform pg_sleep(0.2); return new; end $$",
        "create trigger slowly before update on payout for each row"
        " when (new.state = 'batched') execute function slowly()",
    )
    members = [new_member() for _ in range(8)]
    for member in members:
        await deliver(office.desk, member.registered(), member.payee(), member.grant(5_00))
    knobs = knobs.model_copy(update={"statement_timeout_ms": 1_200, "batch_payouts_max": 8})
    slow = Database(knobs, application="payments")
    desk = replace(office.desk, settings=knobs, database=slow)
    async with at_work(desk):
        for member in members:
            await until_states(desk, member, [("paid", 5_00)])
    await slow.close()
    assert len(await reading.batches(desk, None)) == 2
