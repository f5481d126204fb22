"""What the routes work with, and who may see whose claims."""

from dataclasses import dataclass
from uuid import UUID

from services.claims.errors import UnknownClaim
from services.claims.settings import Settings
from services.claims.usecases.posts import Counter
from services.common.kit.auth import Caller, NotAllowed


@dataclass(frozen=True, slots=True)
class Door:
    """What the routes work with."""

    settings: Settings
    counter: Counter


def own(caller: Caller, member_id: UUID) -> None:
    """Let a member see only what is theirs; for anybody else's id there is nothing."""
    if caller.kind == "member" and caller.uuid != member_id:
        raise UnknownClaim
    if caller.kind == "hospital":
        raise NotAllowed
