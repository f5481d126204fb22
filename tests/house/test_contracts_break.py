"""Every border of the house is guarded: one forbidden import, and the linter names the contract.

A contract that names a module wrongly, or trips over nothing, passes for ever; so each is broken
once, in a copy of the tree.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.settings import ROOT

LINTER = Path(sys.executable).with_name("lint-imports")
# What a contract lets pass is told behind its verdict.
VERDICT = re.compile(r"^(\d+ .+) (KEPT|BROKEN)(?: \(1 ignored import\))?$", re.MULTILINE)

# Contract, file of the copy, and what is written at its end.
BREAKS = [
    ("1", "services/common/period.py", "import services.claims.errors"),
    ("1", "services/ledger/__init__.py", '"""A service that no contract knows."""'),
    ("2", "gateway/parts.py", "import services.claims.model"),
    ("2", "services/claims/model.py", "import services.payments.model"),
    ("3", "services/claims/store/feeds.py", "import services.claims.usecases.feeds"),
    ("3", "services/notify/utils.py", '"""A room that no contract knows."""'),
    ("4", "services/claims/rules.py", "import sqlalchemy"),
    ("4", "services/common/contracts/event.py", "import fastapi"),
    ("5", "services/common/ids.py", "import services.common.kit.clock"),
    ("6", "services/notify/events.py", "import aiokafka"),
    ("7", "services/payments/usecases/reading.py", "import services.payments.tables"),
    ("8", "deploy/sandbox/books.py", "import services.common.money"),
]


@pytest.fixture(scope="module")
def copy_of_the_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("house")
    for top in ("services", "gateway", "deploy"):
        shutil.copytree(ROOT / top, copy / top, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


@contextmanager
def broken(file: Path, line: str) -> Generator[None]:
    """Write the line at the end of a file, or into a new one, for as long as the block lasts."""
    before = file.read_bytes() if file.exists() else None
    file.parent.mkdir(exist_ok=True)
    with file.open("a", encoding="utf-8") as opened:
        opened.write(f"\n{line}\n")
    try:
        yield
    finally:
        if before is None:
            file.unlink()
            if not any(file.parent.iterdir()):
                file.parent.rmdir()
        else:
            file.write_bytes(before)


def verdicts(tree: Path) -> dict[str, str]:
    """Run the linter; give its word on each contract."""
    done = subprocess.run(
        [str(LINTER), "--no-logo"],
        cwd=tree,
        env={**os.environ, "COLUMNS": "200"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    found = dict(VERDICT.findall(done.stdout))
    assert found, done.stdout + done.stderr
    assert done.returncode == ("BROKEN" in found.values()), done.stdout
    return found


def contract_names() -> list[str]:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [contract["name"] for contract in told["tool"]["importlinter"]["contracts"]]


def test_every_contract_is_broken_once_here() -> None:
    numbers = {name.partition(" ")[0] for name in contract_names()}
    assert numbers == {number for number, _, _ in BREAKS}


def test_the_tree_as_it_is_keeps_every_contract(copy_of_the_tree: Path) -> None:
    assert verdicts(copy_of_the_tree) == dict.fromkeys(contract_names(), "KEPT")


@pytest.mark.parametrize(("number", "file", "line"), BREAKS)
def test_a_forbidden_import_is_reported_under_its_contract(
    copy_of_the_tree: Path, number: str, file: str, line: str
) -> None:
    with broken(copy_of_the_tree / file, line):
        found = verdicts(copy_of_the_tree)
    (verdict,) = (said for name, said in found.items() if name.startswith(f"{number} "))
    assert verdict == "BROKEN", found
