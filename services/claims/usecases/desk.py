"""What the use cases of claims work with, and what comes in before it is judged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

import msgspec

from services.claims.model import Refusal, Settlement
from services.claims.rows import shown
from services.claims.store.settlements import Claim, Member
from services.common.kit.sealing import UNSALTED, BlindIndex, Opener, Sealer
from services.common.schemes.load import DATA, load_rulebook
from services.common.schemes.rulebook import Rulebook

SEALED_FIELD = "settlement"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[str]).decode

Reader = Callable[[Sequence[str]], Settlement | Refusal]


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """One row: what was read from its texts, and these in the form that is sealed later on.

    Of a row that cannot be read nothing is sealed. `line` is where the row stands in a feed.
    """

    setl_id: str
    sealable: bytes
    read: Settlement | Refusal
    line: int = 0

    @classmethod
    def of(cls, texts: Sequence[str], read: Settlement | Refusal, line: int = 0) -> Self:
        """Take texts in the order of `rows.COLUMNS`."""
        if isinstance(read, Refusal):
            return cls(shown(texts[0]), b"", read, line)
        return cls(texts[0], _encode(texts), read, line)


@dataclass(slots=True)
class Shelf:
    """Where the rule books in force stand; newer ones are put there while the process runs.

    `files` are the texts of their schemes, `numbers` the editions of those that are not the
    release's own any more.
    """

    rulebook: Rulebook
    files: Mapping[str, bytes]
    numbers: Mapping[str, int] = field(default_factory=dict[str, int])

    @classmethod
    def of_release(cls) -> Self:
        rulebook = load_rulebook()
        ids = [scheme.scheme_id for scheme in rulebook]
        return cls(rulebook, {each: (DATA / f"{each}.yaml").read_bytes() for each in ids})


@dataclass(frozen=True, slots=True)
class Desk:
    """What claims works with: the rule books, the seals, the index that finds a member."""

    shelf: Shelf
    sealer: Sealer
    opener: Opener
    identity: BlindIndex

    @property
    def rulebook(self) -> Rulebook:
        return self.shelf.rulebook

    def seal(self, claims: Sequence[tuple[Claim, Member | None, bytes]]) -> None:
        """Seal the texts of claims' rows, as they came in, into them.

        Before its member is known the claim's own id stands for one.
        """
        wrapped = {owner.member_id: owner.salt for _, owner, _ in claims if owner is not None}
        salts = dict(zip(wrapped, self.opener.open_salts(wrapped.items()), strict=True))
        sealed = self.sealer.seal_all(
            "claims",
            SEALED_FIELD,
            [
                (claim.claim_id, UNSALTED, sealable)
                if owner is None
                else (owner.member_id, salts[owner.member_id], sealable)
                for claim, owner, sealable in claims
            ],
        )
        for (claim, _, _), value in zip(claims, sealed, strict=True):
            claim.sealed = value

    def unseal(self, claim: Claim, owners: Mapping[UUID, Member]) -> list[str]:
        """Give a row's texts back; `owners` holds the claim's member, once one is known."""
        member = None if claim.member_id is None else owners[claim.member_id]
        if member is None:
            plain = self.opener.open(SEALED_FIELD, claim.claim_id, UNSALTED, claim.sealed)
        else:
            salt = self.opener.open_salt(member.member_id, member.salt)
            plain = self.opener.open(SEALED_FIELD, member.member_id, salt, claim.sealed)
        return _decode(plain)
