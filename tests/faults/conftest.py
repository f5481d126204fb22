"""One platform for the whole folder; every test leaves it at rest, with books that hold."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from deploy.local.settings import ROOT
from tests.faults.installation import Record
from tests.faults.town import Town

HERE = Path(__file__).parent
FIRST = HERE / "test_crash_points.py"
SEEDS_VARIABLE = "FAULT_SEEDS"  # set by `make faults`: how many rounds, and that a report is wanted
REPORT = ROOT / "var" / "faults" / "report.json"

_record = Record()
_began = time.monotonic()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(1, int(os.environ.get(SEEDS_VARIABLE, "1")) + 1))


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the platform to one worker, first of all; and crash points to its very first start."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("faults"))
    items.sort(key=lambda item: (HERE not in item.path.parents, item.path != FIRST))


@pytest.fixture(scope="session")
async def town(unopened_town: Town) -> Town:
    await unopened_town.open()
    return unopened_town


@pytest.fixture(scope="session")
async def unopened_town() -> AsyncGenerator[Town]:
    var_dir = Path(tempfile.mkdtemp(prefix="mutual-aid-faults-"))
    town = Town(var_dir, _record)
    try:
        yield town
    finally:
        await town.close()
        if not os.environ.get("FAULTS_KEEP"):
            shutil.rmtree(var_dir, ignore_errors=True)


def pytest_sessionfinish(exitstatus: int) -> None:
    if SEEDS_VARIABLE not in os.environ:
        return
    report = {
        "seeds": int(os.environ[SEEDS_VARIABLE]),
        "rounds": _record.rounds,
        "points": dict(sorted(_record.points.items())),
        "kills": dict(sorted(_record.kills.items())),
        "seconds": round(time.monotonic() - _began, 1),
        "verdict": "held" if exitstatus == 0 else "broken",
    }
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=1) + "\n")
