"""A desk over a real database, a bank that does as it is told, and the sandbox's bank."""

from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from services.common.kit import auth, keys, migrate
from services.common.kit.db import Database
from services.common.kit.http import Client
from services.common.kit.sealing import Opener, Sealer
from services.payments.channels.p1_file import P1File
from services.payments.main import new_app
from services.payments.model.funds import read_funds
from services.payments.settings import Settings
from services.payments.usecases.desk import Desk
from services.payments.usecases.fund import open_funds
from tests.conftest import MakeDatabase
from tests.payments.bank import PAYER, ToldBank
from tests.payments.people import Member
from tests.sandbox.conftest import Sandbox
from tests.servers import PostgresServer

ONE_FUND = Path(__file__).with_name("one_fund.yaml")


async def _migrate(url: str) -> None:
    await migrate.upgrade("services.payments", url)


@pytest.fixture(scope="session")
def keys_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    keys.ensure_keys(folder)
    return folder


@pytest.fixture
async def knobs(
    postgres_server: PostgresServer, make_database: MakeDatabase, keys_dir: Path
) -> Settings:
    template = await postgres_server.template("payments", _migrate)
    return Settings(
        database_url=await make_database("payments", template, user="payments"),
        keys_dir=keys_dir,
        profile="development",
        batch_wait_ms=20,
        result_poll_ms=20,
        result_poll_max_ms=100,
        bank_timeout_s=0.5,
    )


@pytest.fixture
async def bank() -> AsyncGenerator[ToldBank]:
    async with Client("bank", "http://127.0.0.1:9") as nobody:
        yield ToldBank(P1File(PAYER, nobody))


@pytest.fixture(scope="module")
def other_side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = Sandbox(tmp_path_factory.mktemp("bank"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def desk(knobs: Settings, bank: ToldBank) -> AsyncGenerator[Desk]:
    database = Database(knobs, application="payments")
    sealer = Sealer.from_dir(knobs.keys_dir)
    desk = Desk(
        knobs,
        database,
        read_funds(ONE_FUND),
        {"union": bank},
        sealer,
        Opener.from_dir(knobs.keys_dir, "payments"),
    )
    await open_funds(desk)
    yield desk
    await database.close()


@pytest.fixture
async def api(desk: Desk) -> AsyncGenerator[httpx.AsyncClient]:
    """Give the desk's API as the gateway reaches it; each call has to say who asks."""
    token = auth.internal_token(desk.settings)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(new_app(desk)),
        base_url="http://payments",
        headers={"authorization": f"Bearer {token}"},
    ) as client:
        yield client


@pytest.fixture
def new_member(keys_dir: Path) -> Callable[..., Member]:
    sealer = Sealer.from_dir(keys_dir)

    def make(name: str = "王小明", unit_code: str = "BJ-0001") -> Member:
        return Member(sealer, name, unit_code)

    return make
