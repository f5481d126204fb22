"""Books of an earlier shape are carried over: what was granted stays granted and explained."""

import json
from datetime import date
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from services.claims.main import new_desk
from services.claims.model import Counted, PeriodKey, SettlementKey, Totals
from services.claims.settings import Settings
from services.claims.store import settlements as store
from services.claims.usecases import views
from services.common.kit import keys, migrate
from services.common.kit.db import Database
from services.common.money import Fen
from tests.conftest import MakeDatabase

MEMBER, CLAIM, GRANT = UUID(int=1), UUID(int=2), UUID(int=3)
STARTS: Final = date(2024, 1, 1)
STEPS: Final = [
    ["deductible", "para. 2", "BJ18, assumed", 200000, 70000, [130000]],
    ["share", "para. 2", "BJ18, assumed", 70000, 56000, ["0.80"]],
]


async def fill(url: str, sealed: bytes) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute(
            "insert into member values ($1, '\\x01', 'unit-01', '\\x02', 1)", MEMBER
        )
        await connection.execute(
            "insert into settlement values ($1, 'H1', 'S1', false, 'settled', null, $2, '\\x01',"
            " $3, 56000, '\\x03', '\\x04', $4, $5, $6, now(), now())",
            CLAIM,
            MEMBER,
            date(2024, 3, 9),
            json.dumps([["bj.mutual", "2024-01-01", {"kind": "inpatient", "burden": 200000}]]),
            json.dumps([["bj.mutual", STEPS]]),
            sealed,
        )
        await connection.execute(
            "insert into settlement values ($1, 'H1', 'S2', false, 'rejected', 'OUTSIDE_COVERAGE',"
            " $2, '\\x01', $3, 0, '\\x03', '\\x04', '[]', $4, $5, now(), now())",
            UUID(int=4),
            MEMBER,
            date(2011, 3, 9),
            json.dumps([["", [["coverage", "", "", 200000, 0, ["2011-03-09"]]]]]),
            sealed,
        )
        await connection.execute(
            "insert into accumulator values ($1, 'bj.mutual', $2, $3, 56000, 1)",
            MEMBER,
            STARTS,
            json.dumps({"inpatient": 200000}),
        )
        await connection.execute(
            "insert into benefit_grant values"
            " ($1, 'bj.mutual', $2, 1, $3, $4, 56000, 'reassessed', $5, now())",
            MEMBER,
            STARTS,
            GRANT,
            CLAIM,
            json.dumps([["bj.mutual", STEPS]]),
        )
    finally:
        await connection.close()


async def test_books_of_one_plan_become_books_of_many(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    keys.ensure_keys(tmp_path / "keys")
    url = await make_database("claims")
    await migrate.upgrade("services.claims", url, "0001")
    desk = new_desk(Settings(database_url=url, var_dir=tmp_path))
    await fill(url, b"sealed")
    await migrate.upgrade("services.claims", url)
    database = Database(Settings(database_url=url, var_dir=tmp_path), application="tests")
    try:
        async with database.begin() as unit:
            keyed = [SettlementKey("H1", setl_id, refund=False) for setl_id in ("S1", "S2")]
            known = await store.known_claims(unit, keyed)
            totals = await store.totals(unit, [MEMBER])
            grants = await unit.fetch("select working from benefit_grant")
    finally:
        await database.close()
    (plan,) = known[keyed[0]].plans
    assert (plan.scheme_id, plan.benefit_name, plan.benefit) == ("bj.mutual", "medical", 560_00)
    assert plan.starts == STARTS
    assert plan.counted == Counted("inpatient", Fen(2000_00), Fen(2000_00))
    assert known[keyed[1]].plans == ()
    assert totals[PeriodKey(MEMBER, "bj.mutual", STARTS)] == Totals(
        {"inpatient": Fen(2000_00)}, {"medical": Fen(560_00)}, {}, 1, cost=Fen(2000_00)
    ), "what the bills cost at least, so that other plans leave what was granted"
    decoder = msgspec.json.Decoder(views.Working)
    ((scheme_id, benefit, steps),) = decoder.decode(known[keyed[0]].working)
    assert (scheme_id, benefit, [step.step for step in steps]) == (
        "bj.mutual",
        "medical",
        ["floor", "share"],
    )
    assert [step.amount_out for step in steps] == [700_00, 560_00]
    assert decoder.decode(grants[0]["working"]) == ((scheme_id, benefit, steps),)
    assert desk.rulebook.scheme(scheme_id).benefits[benefit]


async def test_a_feed_under_way_begins_again_where_its_rows_come_in_another_order(
    make_database: MakeDatabase,
) -> None:
    url = await make_database("claims")
    await migrate.upgrade("services.claims", url, "0009")
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        for number, status in enumerate(["done", "running"], 1):
            await connection.execute(
                "insert into feed values ($1, $2, null, 9, 5, 4, 0, 0, 0, 1, 56000, now())",
                UUID(int=number),
                status,
            )
            await connection.execute(
                "insert into feed_refusal values ($1, 3, 'S3', 'SUMS_MISMATCH')", UUID(int=number)
            )
        await migrate.upgrade("services.claims", url)
        found = await connection.fetch(
            "select status, lines, done, settled, refused, benefit_fen from feed order by feed_id"
        )
        refused = await connection.fetchval("select array_agg(feed_id) from feed_refusal")
    finally:
        await connection.close()
    assert [tuple(row) for row in found] == [("done", 9, 5, 4, 1, 56000), ("queued", *[0] * 5)]
    assert refused == [UUID(int=1)]
