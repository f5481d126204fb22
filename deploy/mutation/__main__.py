"""Change the engine line by line and run its tests on every change; list what none noticed.

A survivor that docs/mutation.md explains is accepted; any other ends the run with exit status 1.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from deploy.local.settings import ROOT

_MUTMUT: Final = "mutmut==3.8.1"
_HOME: Final = ROOT / "var" / "mutation"
_VENV: Final = _HOME / "venv"
_STAGE: Final = _HOME / "stage"
_PAGE: Final = ROOT / "docs" / "mutation.md"
# All that the engine and its tests stand on: no servers, no other rooms of the services.
_PARTS: Final = (
    "services/__init__.py",
    "services/common",
    "services/claims/__init__.py",
    "services/claims/model.py",
    "services/claims/rules",
    "services/claims/usecases/__init__.py",
    "services/claims/usecases/bills.py",
    "tests/__init__.py",
    "tests/schemes/__init__.py",
    "tests/schemes/changes.py",
    "tests/schemes/test_worked_cases.py",
    "tests/schemes/test_figures_matter.py",
    "tests/claims/__init__.py",
    "tests/claims/rules",
)
_CONFIG: Final = """\
[tool.pytest.ini_options]
addopts = "-p no:asyncio -p no:xdist -p no:timeout -p no:cacheprovider"

[tool.mutmut]
source_paths = ["services"]
only_mutate = ["services/claims/rules/*.py"]
pytest_add_cli_args = ["--hypothesis-profile=mutants"]
pytest_add_cli_args_test_selection = ["tests/claims/rules", "tests/schemes"]
"""
# Few examples, always the same: whether a change is noticed must not be a matter of luck.
_CONFTEST: Final = '''\
"""The profile under which the engine's properties run once for every change."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "mutants",
    max_examples=10,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
'''
# As mutmut names them in its books; a test that stops the interpreter has noticed too.
_NOTICED: Final = {1: "killed", 3: "killed", 36: "timeout", 24: "timeout", -24: "timeout"}


class Mutant(NamedTuple):
    """A change of one function: in short, and what became of it."""

    name: str
    status: str
    change: str


def main() -> int:
    _install()
    _stage()
    done = subprocess.run(
        [_VENV / "bin" / "mutmut", "run", "--max-children", "1"],
        cwd=_STAGE,
        env=os.environ | {"PYTHONPATH": "."},
        check=False,
    )
    if done.returncode:
        return done.returncode
    mutants = list(_results())
    for status, number in sorted(Counter(mutant.status for mutant in mutants).items()):
        print(f"{number:6} {status}")
    explained = _PAGE.read_text("utf-8") if _PAGE.exists() else ""
    unexplained = [m for m in mutants if m.status == "survived" and m.change not in explained]
    for mutant in unexplained:
        print(f"{mutant.name}\n  {mutant.change}")
    print(f"{len(mutants)} changes, {len(unexplained)} unnoticed and unexplained")
    return 1 if unexplained else 0


def _install() -> None:
    """Make an environment that has mutmut, and all else from the development environment."""
    uv, python = ROOT / ".venv" / "bin" / "uv", _VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, _VENV], check=True)
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", python, _MUTMUT],
        check=True,
    )
    (site,) = (_VENV / "lib").glob("python*/site-packages")
    (mine,) = (ROOT / ".venv" / "lib").glob("python*/site-packages")
    (site / "development.pth").write_text(f"{mine}\n", encoding="utf-8")


def _stage() -> None:
    """Copy what is needed apart, so that neither a working tree nor other tests are touched."""
    shutil.rmtree(_STAGE, ignore_errors=True)
    for part in _PARTS:
        source, target = ROOT / part, _STAGE / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    (_STAGE / "pyproject.toml").write_text(_CONFIG, encoding="utf-8")
    (_STAGE / "tests" / "conftest.py").write_text(_CONFTEST, encoding="utf-8")


def _results() -> Iterator[Mutant]:
    for books in sorted((_STAGE / "mutants").rglob("*.meta")):
        for name, code in json.loads(books.read_text("utf-8"))["exit_code_by_key"].items():
            status = "survived" if code == 0 else _NOTICED.get(code, f"not tried ({code})")
            yield Mutant(name, status, _change(name) if status != "killed" else "")


def _change(name: str) -> str:
    """Say what was changed: `cases._entry: old line → new line`."""
    shown = subprocess.run(
        [_VENV / "bin" / "mutmut", "show", name],
        cwd=_STAGE,
        env=os.environ | {"PYTHONPATH": "."},
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    lines = [line for line in shown.splitlines() if not line.startswith(("---", "+++", "#"))]
    old = " ".join(line[1:].strip() for line in lines if line.startswith("-"))
    new = " ".join(line[1:].strip() for line in lines if line.startswith("+"))
    module, _, function = name.removeprefix("services.claims.rules.").partition(".")
    function = function.removeprefix("x_").rpartition("__mutmut_")[0]
    return f"{module}.{function}: {old} → {new}"


if __name__ == "__main__":
    sys.exit(main())
