"""Personal data, sealed: only the recipient opens it, and only under its own field and member.

A value is `suite ‖ key id ‖ wrapped data key ‖ nonce ‖ ciphertext`. The data key is made in memory
per day and recipient and wrapped to the recipient's X25519 key, so who sealed a value cannot open
it once the day is over. The key of the value itself is derived from the data key and the member's
salt: with the salt destroyed, no value of the member opens again, wherever a copy lies.
"""

import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.common.kit import clock, keys

SALT_BYTES: Final = 16
# For what belongs to no member: nobody is forgotten with it.
UNSALTED: Final = b""
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
KEY_ID_BYTES: Final = 4
DATA_KEY_BYTES: Final = 32
PUBLIC_BYTES: Final = 32
# suite, key id, ephemeral public key, wrapped data key
HEAD_BYTES: Final = 1 + KEY_ID_BYTES + PUBLIC_BYTES + DATA_KEY_BYTES + TAG_BYTES
_NONCE_END: Final = HEAD_BYTES + NONCE_BYTES
# A recipient meets one data key per sealing process and day, so this many cover years.
KNOWN_HEADS_MAX: Final = 8_192

_SALT_FIELD: Final = "member.salt"
_NO_NONCE: Final = bytes(NONCE_BYTES)


class SealBroken(Exception):
    """The value does not open: another recipient's, member's or field's, changed, or erased."""


class Suite(IntEnum):
    AES_256_GCM = 1
    SM4_GCM = 2

    @classmethod
    def named(cls, name: str) -> "Suite":
        """Find the suite that the setting `sealing_suite` names."""
        return cls[name.replace("-", "_")]


class Aead(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


class Sm4Gcm:
    """SM4 in GCM, in the shape of `AESGCM`; its key is half as long."""

    def __init__(self, key: bytes) -> None:
        self._algorithm = SM4(key[:16])

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        encryptor = Cipher(self._algorithm, GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(associated_data or b"")
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        if len(data) < TAG_BYTES:
            raise InvalidTag
        mode = GCM(nonce, data[-TAG_BYTES:])
        decryptor = Cipher(self._algorithm, mode).decryptor()
        decryptor.authenticate_additional_data(associated_data or b"")
        return decryptor.update(data[:-TAG_BYTES]) + decryptor.finalize()


CIPHERS: Final[Mapping[int, Callable[[bytes], Aead]]] = {
    Suite.AES_256_GCM: AESGCM,
    Suite.SM4_GCM: Sm4Gcm,
}


class Mac:
    """HMAC-SHA256 under one key; its two states are made once and copied, a third of the time."""

    def __init__(self, key: bytes) -> None:
        assert len(key) <= hashlib.sha256().block_size
        padded = key.ljust(hashlib.sha256().block_size, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def of(self, message: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


class BlindIndex:
    """Finds equal values without opening them: a keyed hash, cut short, a key per column."""

    BYTES: Final = 16

    def __init__(self, key: bytes, column: str) -> None:
        self._mac = Mac(key)
        self._prefix = column.encode() + b"\0"

    @classmethod
    def from_dir(cls, keys_dir: Path, name: str, column: str) -> "BlindIndex":
        return cls(keys.secret(keys_dir, name), column)

    def of(self, normalised: str) -> bytes:
        return self._mac.of(self._prefix + normalised.encode())[: self.BYTES]


def new_salt() -> bytes:
    return os.urandom(SALT_BYTES)


@dataclass(frozen=True, slots=True)
class DataKey:
    """A fresh key and its wrapped form, which stands at the head of all that it seals."""

    suite: Suite
    key: bytes
    head: bytes


def new_data_key(suite: Suite, recipient: str, public: X25519PublicKey) -> DataKey:
    """Make a key that only the recipient can unwrap."""
    key = os.urandom(DATA_KEY_BYTES)
    once = X25519PrivateKey.generate()
    once_public, theirs = once.public_key().public_bytes_raw(), public.public_bytes_raw()
    start = bytes([suite]) + _key_id(public)
    wrapping = _wrapping_key(once.exchange(public), once_public, theirs, recipient)
    # The wrapping key serves once, so its nonce may stand still.
    wrapped = AESGCM(wrapping).encrypt(_NO_NONCE, key, start)
    return DataKey(suite, key, start + once_public + wrapped)


def _key_id(public: X25519PublicKey) -> bytes:
    return hashlib.sha256(public.public_bytes_raw()).digest()[:KEY_ID_BYTES]


def _wrapping_key(shared: bytes, once: bytes, theirs: bytes, recipient: str) -> bytes:
    info = b"mutual-aid data key 1\0" + recipient.encode()
    return HKDF(hashes.SHA256(), DATA_KEY_BYTES, salt=once + theirs, info=info).derive(shared)


class _ValueKeys:
    """Derives the keys of values from a data key; all that has no salt is under one.

    The last one is kept, for a member's values are mostly opened together.
    """

    def __init__(self, suite: int, data_key: bytes) -> None:
        self._cipher = CIPHERS[suite]
        self._mac = Mac(data_key)
        self._unsalted = self._cipher(self._mac.of(UNSALTED))
        self._last = UNSALTED, self._unsalted

    def of(self, salt: bytes) -> Aead:
        if not salt:
            return self._unsalted
        # Read and put as one: others may be at it in another thread.
        last_salt, last = self._last
        if salt != last_salt:
            last = self._cipher(self._mac.of(salt))
            self._last = salt, last
        return last


class Sealer:
    """Seals to any recipient whose public key is known; opens nothing."""

    def __init__(
        self,
        recipients: Mapping[str, X25519PublicKey],
        suite: Suite = Suite.AES_256_GCM,
    ) -> None:
        self._recipients = recipients
        self._suite = suite
        self._since = self._until = datetime.min.replace(tzinfo=UTC)
        self._by_recipient: dict[str, tuple[bytes, _ValueKeys]] = {}

    @classmethod
    def from_dir(cls, keys_dir: Path, suite: Suite = Suite.AES_256_GCM) -> "Sealer":
        return cls(keys.public_keys(keys_dir), suite)

    def seal(
        self, recipient: str, field: str, member_id: UUID, salt: bytes, plaintext: bytes
    ) -> bytes:
        """Seal one value; seal a row's fields together where they are read together."""
        return self.seal_all(recipient, field, ((member_id, salt, plaintext),))[0]

    def seal_all(
        self, recipient: str, field: str, values: Collection[tuple[UUID, bytes, bytes]]
    ) -> list[bytes]:
        """Seal a field of many, each given as member, salt and plaintext, in their order."""
        head, value_keys = self._data_key(recipient)
        named, drawn = _named(recipient, field), os.urandom(NONCE_BYTES * len(values))
        sealed: list[bytes] = []
        key_of, at = value_keys.of, 0
        for member_id, salt, plaintext in values:
            nonce = drawn[at : at + NONCE_BYTES]
            at += NONCE_BYTES
            encrypted = key_of(salt).encrypt(nonce, plaintext, named + member_id.bytes)
            sealed.append(head + nonce + encrypted)
        return sealed

    def seal_salt(self, recipient: str, member_id: UUID, salt: bytes) -> bytes:
        """Wrap a member's salt for a recipient who has to open the member's values."""
        return self.seal(recipient, _SALT_FIELD, member_id, b"", salt)

    def new_file_key(self, recipient: str) -> DataKey:
        """Make a key that serves for one file alone."""
        return new_data_key(self._suite, recipient, self._recipients[recipient])

    def _data_key(self, recipient: str) -> tuple[bytes, _ValueKeys]:
        # By the day's two ends: to ask for the date costs twice what asking for the moment does.
        if not self._since <= clock.now() < self._until:
            self._by_recipient.clear()
            self._since, self._until = clock.ends_of_today()
        known = self._by_recipient.get(recipient)
        if known is None:
            made = new_data_key(self._suite, recipient, self._recipients[recipient])
            known = made.head, _ValueKeys(self._suite, made.key)
            self._by_recipient[recipient] = known
        return known


class Opener:
    """Opens what was sealed to one recipient, by any of its keys."""

    def __init__(self, recipient: str, private_keys: Sequence[X25519PrivateKey]) -> None:
        self._recipient = recipient
        self._by_id = {_key_id(key.public_key()): key for key in private_keys}
        self._known = lru_cache(KNOWN_HEADS_MAX)(self._unwrap)

    @classmethod
    def from_dir(cls, keys_dir: Path, recipient: str) -> "Opener":
        return cls(recipient, keys.private_keys(keys_dir, recipient))

    def open(self, field: str, member_id: UUID, salt: bytes, value: bytes) -> bytes:
        """Open a value of that field of that member, or raise `SealBroken`."""
        value_keys = self._known(value[:HEAD_BYTES])
        nonce = value[HEAD_BYTES : HEAD_BYTES + NONCE_BYTES]
        bound = _bound_to(self._recipient, field, member_id)
        try:
            return value_keys.of(salt).decrypt(nonce, value[HEAD_BYTES + NONCE_BYTES :], bound)
        except (InvalidTag, ValueError) as error:
            raise SealBroken from error

    def open_salt(self, member_id: UUID, value: bytes) -> bytes:
        return self.open(_SALT_FIELD, member_id, b"", value)

    def open_salts(self, values: Iterable[tuple[UUID, bytes]]) -> list[bytes]:
        """Open the salts of many members, each given with its member, in their order."""
        named, opened = _named(self._recipient, _SALT_FIELD), list[bytes]()
        head, decrypt = b"", None
        try:
            for member_id, value in values:
                # Many were sealed by one process on one day, under one data key.
                if decrypt is None or not value.startswith(head):
                    head = value[:HEAD_BYTES]
                    decrypt = self._known(head).of(UNSALTED).decrypt
                nonce, sealed = value[HEAD_BYTES:_NONCE_END], value[_NONCE_END:]
                opened.append(decrypt(nonce, sealed, named + member_id.bytes))
        except (InvalidTag, ValueError) as error:
            raise SealBroken from error
        return opened

    def file_key(self, head: bytes) -> Aead:
        """Give the cipher of a file from the head that stands at its beginning."""
        suite, key = self._data_key(head)
        return CIPHERS[suite](key)

    def _unwrap(self, head: bytes) -> _ValueKeys:
        return _ValueKeys(*self._data_key(head))

    def _data_key(self, head: bytes) -> tuple[int, bytes]:
        start, rest = head[: 1 + KEY_ID_BYTES], head[1 + KEY_ID_BYTES :]
        private = self._by_id.get(start[1:])
        if len(head) != HEAD_BYTES or private is None or start[0] not in CIPHERS:
            raise SealBroken
        once, wrapped = rest[:PUBLIC_BYTES], rest[PUBLIC_BYTES:]
        try:
            shared = private.exchange(X25519PublicKey.from_public_bytes(once))
            theirs = private.public_key().public_bytes_raw()
            wrapping = _wrapping_key(shared, once, theirs, self._recipient)
            return start[0], AESGCM(wrapping).decrypt(_NO_NONCE, wrapped, start)
        except (InvalidTag, ValueError) as error:
            raise SealBroken from error


def _bound_to(recipient: str, field: str, member_id: UUID) -> bytes:
    return _named(recipient, field) + member_id.bytes


@cache
def _named(recipient: str, field: str) -> bytes:
    return f"{recipient}\0{field}\0".encode()
