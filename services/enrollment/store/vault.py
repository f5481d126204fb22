"""Personal data at rest and on their way: sealed to their recipient, opened only for enrollment."""

from typing import Any, Final
from uuid import UUID

import msgspec

from services.common.identity import Masked
from services.common.kit import keys
from services.common.kit.sealing import UNSALTED, BlindIndex, Opener, Sealer, Suite
from services.common.kit.settings import SharedSettings
from services.enrollment.model import Officer, Person

OWN: Final = "enrollment"
SALT_HOLDERS: Final = ("claims", "payments", "notify")


def _opened(value: object) -> str:
    assert isinstance(value, Masked), type(value)
    return value.open()


def _masked(kind: type[Any], text: object) -> Masked:
    assert issubclass(kind, Masked), kind
    assert isinstance(text, str)
    return kind(text)


_encode = msgspec.json.Encoder(enc_hook=_opened).encode
_person = msgspec.json.Decoder(Person, dec_hook=_masked)
_officers = msgspec.json.Decoder(tuple[Officer, ...], dec_hook=_masked)


class Vault:
    """Seals for every recipient, opens what is enrollment's own, and finds by blind index."""

    def __init__(
        self, sealer: Sealer, opener: Opener, identity: BlindIndex, phone: BlindIndex
    ) -> None:
        self.sealer = sealer
        self.opener = opener
        self.identity = identity
        self.phone = phone

    @classmethod
    def of(cls, settings: SharedSettings) -> "Vault":
        keys_dir = settings.keys_dir
        return cls(
            Sealer.from_dir(keys_dir, Suite.named(settings.sealing_suite)),
            Opener.from_dir(keys_dir, OWN),
            BlindIndex.from_dir(keys_dir, keys.IDENTITY_INDEX, "id_number"),
            BlindIndex.from_dir(keys_dir, keys.PHONE_INDEX, "phone"),
        )

    def seal(self, recipient: str, field: str, owner: UUID, salt: bytes, content: object) -> bytes:
        """Seal words as they are, anything else as JSON."""
        plain = content.encode() if isinstance(content, str) else _encode(content)
        return self.sealer.seal(recipient, field, owner, salt, plain)

    def wrapped_salts(self, member_id: UUID, salt: bytes) -> dict[str, bytes]:
        return {name: self.sealer.seal_salt(name, member_id, salt) for name in SALT_HOLDERS}

    def person_to_keep(self, member_id: UUID, salt: bytes, person: Person) -> bytes:
        return self.seal(OWN, "person", member_id, salt, person)

    def person(self, member_id: UUID, salt: bytes, kept: bytes) -> Person:
        return _person.decode(self.opener.open("person", member_id, salt, kept))

    def officers_to_keep(self, unit_id: UUID, officers: tuple[Officer, ...]) -> bytes:
        return self.seal(OWN, "officers", unit_id, UNSALTED, officers)

    def officers(self, unit_id: UUID, kept: bytes) -> tuple[Officer, ...]:
        return _officers.decode(self.opener.open("officers", unit_id, UNSALTED, kept))
