"""The keys are made once; what stands there is never replaced."""

import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from services.common.kit.keys import RECIPIENTS, ensure_keys


def test_every_key_is_32_bytes_in_hex_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    made = ensure_keys(folder)
    assert len(made) == 4 + 2 * len(RECIPIENTS)
    for path in folder.iterdir():
        assert len(bytes.fromhex(path.read_text())) == 32
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_public_key_belongs_to_its_private_key(tmp_path: Path) -> None:
    ensure_keys(tmp_path)
    for name in RECIPIENTS:
        private = bytes.fromhex((tmp_path / f"{name}.x25519").read_text())
        public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
        assert (tmp_path / f"{name}.x25519.pub").read_text().strip() == public.hex()


def test_a_second_time_changes_nothing_and_fills_gaps(tmp_path: Path) -> None:
    ensure_keys(tmp_path)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    (tmp_path / "claims.x25519.pub").unlink()
    assert ensure_keys(tmp_path) == ["claims.x25519.pub"]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before
