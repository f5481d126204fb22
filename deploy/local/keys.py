"""The keys of an installation: made once, readable by their owner alone, never replaced."""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

RECIPIENTS = ("enrollment", "claims", "payments", "notify", "gateway")
SECRETS = ("internal.token", "identity.index.key", "phone.index.key")


def make_keys(folder: Path) -> list[str]:
    """Make what is missing; give the names of what was made."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = [name for name in SECRETS if _write(folder / name, secrets.token_hex(32))]
    for recipient in RECIPIENTS:
        private = folder / f"{recipient}.x25519"
        if _write(private, X25519PrivateKey.generate().private_bytes_raw().hex()):
            made.append(private.name)
        if _write(folder / f"{private.name}.pub", _public(private).public_bytes_raw().hex()):
            made.append(f"{private.name}.pub")
    return made


def _public(private: Path) -> X25519PublicKey:
    raw = bytes.fromhex(private.read_text())
    return X25519PrivateKey.from_private_bytes(raw).public_key()


def _write(path: Path, content: str) -> bool:
    """Put a whole file in place at once, unless one stands there already."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        return False
    finally:
        fresh.unlink()
    return True
