"""The first credentials: made once, kept in a file for their owner, loaded again when lacking."""

import asyncio
import json
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from deploy.clients.hospital import HospitalAuth
from deploy.clients.staff import StaffAuth
from deploy.local.settings import free_ports
from gateway.bootstrap import bootstrap
from gateway.settings import Settings
from services.common.kit import keys
from tests.conftest import MakeDatabase
from tests.gateway.house import CHEAP, House

ROLES = ["admin", "filing_officer", "reviewer", "finance_maker", "finance_checker", "auditor"]


def _file(house: House) -> Path:
    return house.settings.var_dir / "dev" / "credentials.json"


def _settings(house: House, **given: str) -> Settings:
    told = {"database_url": house.settings.database_url, "var_dir": house.settings.var_dir}
    return Settings.model_validate({**told, "profile": "development", **CHEAP, **given})


async def test_the_file_is_what_the_design_says_and_private(house: House) -> None:
    told = json.loads(_file(house).read_text())
    assert (told["gateway"], told["sandbox"]) == ("http://127.0.0.1:8080", "http://127.0.0.1:8190")
    assert [one["role"] for one in told["staff"]] == ROLES
    assert {"role", "username", "password", "totp_secret"} <= set(told["staff"][0])
    assert [one["fixmedins_code"] for one in told["hospitals"]] == ["H11010000001", "H11010000002"]
    assert {"keyid", "secret", "fixmedins_code"} == set(told["hospitals"][0])
    assert stat.S_IMODE(_file(house).stat().st_mode) == 0o600


async def test_once_more_changes_nothing(house: House) -> None:
    before = _file(house).read_text()
    await bootstrap(_settings(house))
    assert _file(house).read_text() == before
    assert await house.count("staff") == len(ROLES)
    await house.staff("admin")


async def test_an_emptied_database_gets_the_same_credentials_again(house: House) -> None:
    async with house.database.begin() as unit:
        await unit.execute("delete from staff")
        await unit.execute("delete from partner_key")
    await bootstrap(_settings(house))
    await house.staff("admin")
    answer = await house.signed().get("/api/v1/hospital/settlements/S1")
    assert answer.status_code == 404


async def test_a_lost_file_is_replaced_and_the_database_follows(house: House) -> None:
    _file(house).unlink()
    await bootstrap(_settings(house))
    house.credentials = json.loads(_file(house).read_text())
    await house.staff("admin")


async def test_there_are_no_first_credentials_under_strict(house: House) -> None:
    before = _file(house).read_text()
    assert await bootstrap(_settings(house, profile="strict")) == 1
    assert _file(house).read_text() == before


async def test_the_process_serves_its_people_and_stops_when_told(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url, [port] = await make_database("gateway_process"), free_ports(1)
    keys.ensure_keys(tmp_path / "keys")
    told = {"GATEWAY_DATABASE_URL": url, "VAR_DIR": str(tmp_path), "PROFILE": "development"}
    env = os.environ | told | {"GATEWAY_PORT": str(port)}
    for command in ("migrate", "bootstrap"):
        await _run(env, command)
    credentials = json.loads((tmp_path / "dev" / "credentials.json").read_text())
    admin = next(one for one in credentials["staff"] if one["role"] == "admin")
    gateway: str = credentials["gateway"]
    signed_in = StaffAuth(gateway, admin["username"], admin["password"], admin["totp_secret"])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", env=env, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with httpx.AsyncClient(base_url=gateway, auth=signed_in, trust_env=False) as client:
            await _ready(client)
            answer = await client.get("/api/v1/staff/reports/books")
            assert answer.status_code == 503  # signed in; there is no service behind
            hospital = credentials["hospitals"][0]
            sign = HospitalAuth(hospital["keyid"], hospital["secret"])
            answer = await client.get("/api/v1/hospital/settlements/S1?a=%20b", auth=sign)
            assert answer.status_code == 503
    finally:
        process.terminate()
        status = await asyncio.wait_for(process.wait(), 30)
    assert status == 0


async def _run(env: Mapping[str, str], command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", command, env=env, stdout=asyncio.subprocess.DEVNULL
    )
    assert await asyncio.wait_for(process.wait(), 60) == 0


async def _ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                if (await client.get("/readyz", auth=None)).is_success:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)
