"""Key files: who holds which key, and making the ones that are missing.

A key is a line of hex in a file of mode 0600. The first line of a private key file is the key in
use; older keys below it still open what was sealed to them.
"""

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

RECIPIENTS: Final = ("enrollment", "claims", "payments", "notify", "gateway")
INTERNAL_TOKEN: Final = "internal.token"  # noqa: S105 - the name of the file, not the token
IDENTITY_INDEX: Final = "identity.index.key"
PHONE_INDEX: Final = "phone.index.key"
MEND_CODES: Final = "mend.codes.key"
SECRET_BYTES: Final = 32


def ensure_keys(keys_dir: Path) -> list[str]:
    """Make every key file that is missing; what is there stays. Gives the names of the new."""
    keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = [
        name
        for name in (INTERNAL_TOKEN, IDENTITY_INDEX, PHONE_INDEX, MEND_CODES)
        if write_new(keys_dir / name, secrets.token_hex(SECRET_BYTES))
    ]
    for recipient in RECIPIENTS:
        private_file = keys_dir / f"{recipient}.x25519"
        if write_new(private_file, X25519PrivateKey.generate().private_bytes_raw().hex()):
            made.append(private_file.name)
        public_file = keys_dir / f"{recipient}.x25519.pub"
        public = private_keys(keys_dir, recipient)[0].public_key()
        if write_new(public_file, public.public_bytes_raw().hex()):
            made.append(public_file.name)
    return made


def secret(keys_dir: Path, name: str) -> bytes:
    """Read a key shared by those who hold its file."""
    return _lines(keys_dir / name)[0]


def private_keys(keys_dir: Path, recipient: str) -> list[X25519PrivateKey]:
    """Read a recipient's private keys, the one in use first."""
    lines = _lines(keys_dir / f"{recipient}.x25519")
    return [X25519PrivateKey.from_private_bytes(line) for line in lines]


def public_key(keys_dir: Path, recipient: str) -> X25519PublicKey:
    return X25519PublicKey.from_public_bytes(_lines(keys_dir / f"{recipient}.x25519.pub")[0])


def public_keys(keys_dir: Path) -> dict[str, X25519PublicKey]:
    """Read the public key of every recipient."""
    return {recipient: public_key(keys_dir, recipient) for recipient in RECIPIENTS}


def _lines(file: Path) -> list[bytes]:
    return [bytes.fromhex(line) for line in file.read_text(encoding="ascii").split()]


def write_new(file: Path, text: str) -> bool:
    """Write a key whole or not at all, and never over one that is there; tell whether it is new."""
    if file.exists():
        return False
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    try:
        os.write(descriptor, f"{text}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(draft, file)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True
