"""What the database itself refuses, whoever writes to it."""

from collections.abc import Callable

import asyncpg
import pytest

from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.db import Argument
from services.common.money import Fen
from services.payments.rules import postings
from services.payments.store import ledger
from services.payments.usecases.desk import Desk
from services.payments.usecases.fund import open_funds
from tests.payments.people import Member, deliver
from tests.payments.steps import cut
from tests.servers import PostgresServer

NewMember = Callable[..., Member]


async def run(desk: Desk, sql: str, *args: Argument) -> None:
    async with desk.database.begin() as unit:
        await unit.execute(sql, *args)


@pytest.mark.parametrize(
    "sql",
    [
        "update ledger set amount_fen = amount_fen + 1",
        "delete from ledger",
        "update ledger set debit = debit where false",
    ],
)
async def test_a_ledger_row_is_never_changed_or_deleted_not_even_by_its_owner(
    desk: Desk, postgres_server: PostgresServer, new_member: NewMember, sql: str
) -> None:
    await deliver(desk, new_member().grant(1_00))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(desk, sql)
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await postgres_server.run_as_superuser(desk.settings.database_url, sql)


@pytest.mark.parametrize(
    ("debit", "credit", "amount_fen"),
    [("bank", "bank", 1), ("bank", "fund", 0), ("bank", "fund", -1)],
)
async def test_an_entry_moves_money_between_two_accounts(
    desk: Desk, debit: str, credit: str, amount_fen: int
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await run(
            desk,
            "insert into ledger (source_id, leg, fund_id, scheme_id, debit, credit, amount_fen,"
            " booked_at, day) values ($1, 'x', 'union', '*', $2, $3, $4, now(), current_date)",
            new_id(),
            debit,
            credit,
            amount_fen,
        )


async def test_the_same_leg_of_the_same_source_is_booked_once(desk: Desk) -> None:
    posting = postings.reserved(new_id(), "union", "bj.mutual", Fen(1))
    async with desk.database.begin() as unit:
        await ledger.post(unit, [posting], clock.now())
    with pytest.raises(asyncpg.UniqueViolationError):
        async with desk.database.begin() as unit:
            await ledger.post(unit, [posting], clock.now())


@pytest.mark.parametrize(
    "sql",
    [
        "update balance set open_fen = open_fen + 1",
        "update balance set open_fen = open_fen - 1",
        "update balance set in_flight_fen = in_flight_fen + 1",
        "update balance set granted_fen = granted_fen - 1",
        "update payout set amount_fen = grant_fen + 1",
        "update payout set amount_fen = 0",
    ],
)
async def test_open_payouts_are_never_other_than_what_is_owed(
    desk: Desk, new_member: NewMember, sql: str
) -> None:
    await deliver(desk, new_member().grant(1_00))
    with pytest.raises(asyncpg.CheckViolationError):
        await run(desk, sql)


async def test_a_payout_is_tried_once_per_card_and_a_line_belongs_to_one_attempt(
    desk: Desk, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(1_00))
    await cut(desk)
    await run(
        desk,
        "insert into past_attempt (payout_id, attempt_no, payee_version, batch_id, line,"
        " amount_fen, state, made_at)"
        " select payout_id, attempt_no, payee_version, batch_id, line, amount_fen, 'refused',"
        " made_at from attempt",
    )
    for attempts, lines in ((1, 0), (0, 1)):
        with pytest.raises(asyncpg.UniqueViolationError):
            await run(
                desk,
                "insert into past_attempt (payout_id, attempt_no, payee_version, batch_id, line,"
                " amount_fen, state, made_at)"
                " select payout_id, attempt_no + $1, payee_version, batch_id, line + $2,"
                " amount_fen, state, made_at from past_attempt",
                attempts,
                lines,
            )
    with pytest.raises(asyncpg.UniqueViolationError, match="this card has been tried"):
        await run(desk, "update payout set attempt_no = attempt_no + 1")
    await run(desk, "update payout set attempt_no = attempt_no + 1, payee_version = 7")
    with pytest.raises(asyncpg.UniqueViolationError):
        await run(desk, "insert into batch_lines select * from batch_lines")


@pytest.mark.parametrize(
    "sql",
    [
        "update payout set state = 'refused'",
        "update payout set state = 'paid'",
        "update payout set line = null",
        "update payout set batch_id = null, line = null",
        "update payout set bank_serial = '1', paid_on = current_date",
    ],
)
async def test_a_payout_holds_the_attempt_that_is_under_way_or_paid_and_no_other(
    desk: Desk, new_member: NewMember, sql: str
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(1_00))
    await cut(desk)
    with pytest.raises(asyncpg.CheckViolationError):
        await run(desk, sql)


async def test_a_batch_is_not_closed_before_its_lines_add_up(
    desk: Desk, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(1_00))
    await cut(desk)
    with pytest.raises(asyncpg.CheckViolationError, match="batch_closed_adds_up"):
        await run(desk, "update batch set state = 'closed', sealed_file = null")


async def test_the_fund_opens_once(desk: Desk) -> None:
    for _ in range(2):
        await open_funds(desk)
    async with desk.database.begin() as unit:
        assert await unit.fetchval("select sum(amount_fen) from ledger") == 1_000_000_000_000
    assert desk.settings.fund_opening_fen == 1_000_000_000_000
