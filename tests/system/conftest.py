"""One whole platform for all system tests of a run, on free ports, reached by its public doors."""

import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from deploy.demo.actors import Cast, Json
from deploy.demo.dataset import Dataset
from deploy.demo.make_data import FIRST_DAY
from deploy.local.platform import Platform
from deploy.local.settings import free_port_env
from tests.servers import KAFKA_LIBS_DIR
from tests.system.uploads import enroll, settle

SMALL_DIR = Path(__file__).with_name("data")


@pytest.fixture(scope="package")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Platform]:
    env = {
        **os.environ,
        **free_port_env(),
        "KAFKA_LIBS_DIR": str(KAFKA_LIBS_DIR),
        "KAFKA_HEAP_MB": "256",
        "PROFILE": "development",
    }
    platform = Platform(tmp_path_factory.mktemp("platform"), env)
    await platform.start()
    yield platform
    await platform.stop()


@pytest.fixture(scope="package")
async def cast(platform: Platform) -> AsyncGenerator[Cast]:
    """Everybody who may ask the platform something."""
    async with Cast(platform.settings.var_dir) as cast:
        yield cast


@pytest.fixture(scope="package")
def small() -> Dataset:
    """Give the repository's own small set of rosters, feed and expected sums."""
    return Dataset(SMALL_DIR)


@pytest.fixture(scope="package")
async def settled_small(cast: Cast, small: Dataset) -> tuple[str, Json]:
    """Give the small feed's id and what became of it, its rosters before it."""
    admin = cast.staff("admin")
    await enroll(admin, small.rosters, FIRST_DAY.isoformat())
    return await settle(admin, small.feed_path.read_bytes())
