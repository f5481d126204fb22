"""A desk at ten in the morning of 3 November 2026, with one fund, or also an association's."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.common.kit import clock
from services.common.kit.clock import SetClock
from services.common.kit.db import Database
from services.common.kit.sealing import Opener, Sealer
from services.payments.model.funds import read_funds
from services.payments.settings import Settings
from services.payments.usecases.desk import Desk
from services.payments.usecases.fund import open_funds
from tests.payments.bank import ToldBank
from tests.payments.conftest import ONE_FUND
from tests.servers import PostgresServer

TWO_FUNDS = Path(__file__).with_name("two_funds.yaml")

AsSuperuser = Callable[..., Awaitable[None]]


@pytest.fixture
def hands() -> Generator[SetClock]:
    with clock.set_to(datetime(2026, 11, 3, 2, tzinfo=UTC)) as hands:
        yield hands


@asynccontextmanager
async def open_desk(knobs: Settings, bank: ToldBank, funds_file: Path) -> AsyncGenerator[Desk]:
    funds = read_funds(funds_file)
    desk = Desk(
        knobs,
        Database(knobs, application="payments"),
        funds,
        {fund.fund_id: replace(bank) for fund in funds.funds},
        Sealer.from_dir(knobs.keys_dir),
        Opener.from_dir(knobs.keys_dir, "payments"),
    )
    await open_funds(desk)
    yield desk
    await desk.database.close()


@pytest.fixture
async def desk(hands: SetClock, knobs: Settings, bank: ToldBank) -> AsyncGenerator[Desk]:
    """Give a desk of one fund; no association waits for its months."""
    assert hands
    async with open_desk(knobs, bank, ONE_FUND) as desk:
        yield desk


@pytest.fixture
async def house(hands: SetClock, knobs: Settings, bank: ToldBank) -> AsyncGenerator[Desk]:
    """Give a desk of two funds, one of which is the association's."""
    assert hands
    async with open_desk(knobs, bank, TWO_FUNDS) as desk:
        yield desk


@pytest.fixture
def as_superuser(postgres_server: PostgresServer, knobs: Settings) -> AsSuperuser:
    """Do what nobody who may only pay may do."""

    async def run(*statements: str) -> None:
        await postgres_server.run_as_superuser(
            knobs.database_url,
            "alter table ledger disable trigger all",
            *statements,
            "alter table ledger enable trigger all",
        )

    return run
