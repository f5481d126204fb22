"""What the use cases of claims work with, and what comes in before it is judged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

import msgspec

from services.claims.model import Refusal, Settlement
from services.claims.store.settlements import Claim, Member
from services.common.kit.sealing import UNSALTED, BlindIndex, Opener, Sealer
from services.common.schemes.load import DATA, load_rulebook
from services.common.schemes.rulebook import Rulebook

SEALED_FIELD = "settlement"

Reader = Callable[[Sequence[str]], Settlement | Refusal]


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """One row: its texts in the order of `rows.COLUMNS`, and what was read from them."""

    texts: Sequence[str]
    read: Settlement | Refusal


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

    def seal(self, claims: Sequence[tuple[Claim, Member | None, Sequence[str]]]) -> None:
        """Seal the texts of claims' rows into them.

        Before its member is known the claim's own id stands for one.
        """
        encode, open_salt = msgspec.json.encode, self.opener.open_salt
        sealed = self.sealer.seal_all(
            "claims",
            SEALED_FIELD,
            [
                (claim.claim_id, UNSALTED, encode(texts))
                if owner is None
                else (owner.member_id, open_salt(owner.member_id, owner.salt), encode(texts))
                for claim, owner, texts in claims
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
        return msgspec.json.decode(plain, type=list[str])
