"""PostgreSQL gets huge pages where the machine gives them, and runs without where it does not."""

import os
from pathlib import Path

import asyncpg
import pytest

from deploy.local.huge_pages import LIMIT, MEMINFO, allow
from deploy.local.platform import Platform
from deploy.local.postgres import SUPERUSER
from tests.deploy.test_embedded import platform_env

_MACHINE = """\
MemAvailable:    {available} kB
HugePages_Total:     {total}
HugePages_Free:      {free}
HugePages_Rsvd:        0
HugePages_Surp:      {surplus}
Hugepagesize:       2048 kB
"""


def machine(folder: Path, *, limit: int = 0, **has: int) -> tuple[Path, Path]:
    """Write the kernel's two files as a machine has them."""
    numbers = {"available": 8 << 20, "total": 0, "free": 0, "surplus": 0, **has}
    (folder / "meminfo").write_text(_MACHINE.format(**numbers))
    (folder / "limit").write_text(str(limit))
    return folder / "limit", folder / "meminfo"


def test_the_kernel_may_make_as_many_more_as_are_asked_for(tmp_path: Path) -> None:
    limit, meminfo = machine(tmp_path, total=700, surplus=700, limit=700)
    assert allow(1_000, limit, meminfo) == ""
    assert limit.read_text() == "1700"


def test_a_permission_that_is_wide_enough_stays_as_it_is(tmp_path: Path) -> None:
    limit, meminfo = machine(tmp_path, limit=5_000)
    assert allow(1_000, limit, meminfo) == ""
    assert limit.read_text() == "5000"


def test_pages_that_are_reserved_already_need_no_permission(tmp_path: Path) -> None:
    limit, meminfo = machine(tmp_path, total=1_000, free=1_000, available=1)
    assert allow(1_000, limit, meminfo) == ""
    assert limit.read_text() == "0"


def test_half_of_what_is_free_is_the_most_that_is_taken(tmp_path: Path) -> None:
    limit, meminfo = machine(tmp_path, available=4 << 20)
    assert "2050 MB of them asked for, 4096 MB free" in allow(1_025, limit, meminfo)
    assert limit.read_text() == "0"
    assert allow(1_024, limit, meminfo) == ""


def test_a_machine_that_gives_none_is_told_of_in_one_line(tmp_path: Path) -> None:
    limit, meminfo = machine(tmp_path)
    limit.unlink()
    limit.mkdir()  # neither read nor written, by root either
    assert allow(1_000, limit, meminfo).startswith("no huge pages: this machine does not give")
    meminfo.write_text("MemAvailable: 1 kB\n")
    assert "\n" not in allow(1_000, limit, meminfo)


async def huge_pages_of(var_dir: Path, **env: str) -> tuple[str, list[str]]:
    """Start a server with little memory; give what it says of huge pages, and what was said."""
    said: list[str] = []
    told = {**platform_env(var_dir), "POSTGRES_SHARED_BUFFERS_MB": "64", **env}
    platform = Platform(var_dir, told, only=["postgres"], say=said.append)
    await platform.start()
    try:
        url = platform.database_url("postgres", "postgresql")
        connection = await asyncpg.connect(url.replace("//postgres@", f"//{SUPERUSER}@"))
        status = await connection.fetchval("show huge_pages_status")
        await connection.close()
    finally:
        await platform.stop()
    return status, [line for line in said if "huge" in line]


@pytest.mark.skipif(
    not (os.access(LIMIT, os.W_OK) and "HugePages_Surp" in MEMINFO.read_text()),
    reason="this machine gives no huge pages",
)
async def test_a_server_that_is_to_have_huge_pages_has_them_or_it_is_said(tmp_path: Path) -> None:
    status, said = await huge_pages_of(tmp_path, POSTGRES_HUGE_PAGES="1")
    assert (status, len(said)) in (("on", 0), ("off", 1))


async def test_a_server_takes_no_huge_pages_unasked(tmp_path: Path) -> None:
    assert await huge_pages_of(tmp_path) == ("off", [])
