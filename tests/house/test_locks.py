"""What is installed is pinned by hash, from nowhere in particular, and covers what is asked for."""

import re
import tomllib

import pytest

from deploy.local.settings import ROOT

RUNTIME, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)")
NAME = re.compile(r"^[A-Za-z0-9._-]+")
ADDRESS = re.compile(r"://|--(?:extra-)?index|--find-links|--trusted-host|@ file")

locks = pytest.mark.parametrize("lock", [RUNTIME, DEVELOPMENT])


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def entries(lock: str) -> dict[str, str]:
    """Give each pinned package and the lines that pin it."""
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    found = ((PINNED.match(line), line) for line in text.splitlines())
    return {normal(match[1]): line for match, line in found if match}


def versions(lock: str) -> dict[str, str]:
    matches = {name: PINNED.match(line) for name, line in entries(lock).items()}
    return {name: match[2] for name, match in matches.items() if match}


def asked_for(*groups: str) -> set[str]:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*told["project"]["dependencies"]]
    for group in groups:
        wanted += told["dependency-groups"][group]
    return {normal(match[0]) for one in wanted if (match := NAME.match(one))}


@locks
def test_every_package_is_pinned_with_hashes(lock: str) -> None:
    assert [name for name, line in entries(lock).items() if "--hash=sha256:" not in line] == []


@locks
def test_a_lock_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if ADDRESS.search(line)] == []


def test_the_locks_hold_all_that_is_asked_for() -> None:
    assert asked_for("local") - versions(RUNTIME).keys() == set()
    assert asked_for("local", "dev") - versions(DEVELOPMENT).keys() == set()


def test_what_is_tested_is_what_runs() -> None:
    runtime, development = versions(RUNTIME), versions(DEVELOPMENT)
    assert {name: development.get(name) for name in runtime} == runtime
