"""Crash points: nothing when unarmed, once and durably when armed."""

import signal
import subprocess
import sys
from pathlib import Path

PROGRAM = """
from services.common.kit.crash import crashpoint
for number in range(1, 5):
    crashpoint("batch fixed")
    print(number, flush=True)
"""


def run(folder: Path, **armed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"CRASH_DIR": str(folder), "PYTHONPATH": str(Path.cwd()), **armed},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unarmed_point_does_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, CRASHPOINTS="another").returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_an_armed_point_kills_at_once_and_only_once(tmp_path: Path) -> None:
    first = run(tmp_path, CRASHPOINTS="batch fixed,another")
    assert (first.returncode, first.stdout) == (-signal.SIGKILL, "")
    assert "pass 1" in (tmp_path / "batch fixed").read_text()
    assert run(tmp_path, CRASHPOINTS="batch fixed,another").returncode == 0


def test_the_seed_picks_one_of_the_first_three_passes(tmp_path: Path) -> None:
    deadly: set[int] = set()
    for seed in range(6):
        folder = tmp_path / str(seed)
        folder.mkdir()
        ran = run(folder, CRASHPOINTS="batch fixed", CRASH_SEED=str(seed))
        assert ran.returncode == -signal.SIGKILL
        deadly.add(len(ran.stdout.split()) + 1)
    assert deadly <= {1, 2, 3}
    assert len(deadly) > 1
