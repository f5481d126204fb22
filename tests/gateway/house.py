"""A gateway put together for one test: real database, stand-ins behind it, clients before it."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from deploy.clients.hospital import HospitalAuth
from deploy.clients.staff import totp
from deploy.sandbox.faults import Faults
from deploy.sandbox.settings import SandboxSettings
from deploy.sandbox.wechat import WeChat as SandboxWeChat
from gateway.bootstrap import bootstrap
from gateway.main import build_app
from gateway.parts import Parts
from gateway.settings import Settings
from gateway.upstream import Services
from gateway.wechat import WeChat
from services.common.kit import clock, keys
from services.common.kit.auth import internal_token
from services.common.kit.db import Database
from services.common.kit.http import Client, ClientBounds
from services.common.kit.settings import Profile
from tests.fakes.services import FakeService

ORIGIN = "http://gateway.test"
# As cheap as Argon2id can be: what a password costs is not what most tests are about.
CHEAP = {"password_memory_kib": 8, "password_iterations": 1}


@dataclass
class House:
    settings: Settings
    database: Database
    parts: Parts
    app: FastAPI
    credentials: dict[str, Any]
    fakes: dict[str, FakeService]
    wechat: httpx.AsyncClient
    open_clients: list[httpx.AsyncClient] = field(default_factory=list[httpx.AsyncClient])

    def client(self, **given: Any) -> httpx.AsyncClient:  # noqa: ANN401 - whatever httpx takes
        transport = httpx.ASGITransport(self.app, client=("192.0.2.7", 4711))
        client = httpx.AsyncClient(transport=transport, base_url=ORIGIN, **given)
        self.open_clients.append(client)
        return client

    def person(self, role: str) -> dict[str, str]:
        return next(one for one in self.credentials["staff"] if one["role"] == role)

    def hospital(self, number: int = 0) -> dict[str, str]:
        return self.credentials["hospitals"][number]

    def signed(self, number: int = 0) -> httpx.AsyncClient:
        told = self.hospital(number)
        return self.client(auth=HospitalAuth(told["keyid"], told["secret"]))

    def login_of(self, role: str) -> dict[str, str]:
        told = self.person(role)
        return {
            "username": told["username"],
            "password": told["password"],
            "totp": totp(told["totp_secret"], clock.now().timestamp()),
        }

    async def staff(self, role: str) -> httpx.AsyncClient:
        """Give a client that is signed in."""
        client = self.client()
        answer = await client.post("/api/v1/staff/login", json=self.login_of(role))
        assert answer.status_code == 200, answer.text
        client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        return client

    async def count(self, table: str) -> int:
        async with self.database.begin() as unit:
            return await unit.fetchval(f"select count(*) from {table}")  # noqa: S608 - a table's name in a test

    async def close(self) -> None:
        for client in self.open_clients:
            await client.aclose()
        await self.wechat.aclose()
        await self.parts.close()
        await self.database.close()


async def build(url: str, folder: Path, profile: Profile, **given: Any) -> House:  # noqa: ANN401 - settings
    """Build a gateway over a migrated database, with the people of a development installation."""
    keys.ensure_keys(folder / "keys")
    told: dict[str, Any] = {"database_url": url, "var_dir": folder, **CHEAP, **given}
    assert await bootstrap(Settings(**told, profile="development")) == 0
    credentials = json.loads((folder / "dev" / "credentials.json").read_text())
    settings = Settings(**told, profile=profile)
    names = ("enrollment", "claims", "payments", "notify")
    fakes = {name: FakeService(name, settings) for name in names}
    bounds = ClientBounds(timeout_s=5)
    token = internal_token(settings)
    services = Services(*(fakes[name].client(token, bounds) for name in names))
    sandbox = _sandbox_wechat(folder)
    wechat = WeChat(settings)
    wechat.client = Client("wechat", "http://wechat", bounds, None, httpx.ASGITransport(sandbox))
    database = Database(settings, application="gateway test")
    parts = Parts.of(settings, database, services, wechat)
    phones = httpx.AsyncClient(transport=httpx.ASGITransport(sandbox), base_url="http://wechat")
    return House(settings, database, parts, build_app(parts), credentials, fakes, phones)


def _sandbox_wechat(folder: Path) -> FastAPI:
    """Give the sandbox's own WeChat, books and all."""
    (folder / "sandbox" / "wechat").mkdir(parents=True, exist_ok=True)
    settings = SandboxSettings(data_dir=folder / "sandbox")
    app = FastAPI()
    app.include_router(SandboxWeChat(settings, Faults()).routes())
    return app
