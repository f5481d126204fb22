"""A drop folder of its own for each test."""

from pathlib import Path

import pytest

from tests.payments.iso.papers import Drop


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    return Drop(tmp_path / "drop")
