"""What a member was told, rendered for them; and the sums that checks ask for."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.common.kit.auth import Caller, NotAllowed
from services.common.kit.db import Database
from services.notify.errors import BadCursor, UnknownMember
from services.notify.model import MessageState, Shown
from services.notify.store import books, contacts, fates, messages
from services.notify.usecases.composing import Composer


@dataclass(frozen=True, slots=True)
class Reading:
    database: Database
    composer: Composer
    page_rows_max: int

    async def of_member(
        self, caller: Caller, member_id: UUID, cursor: str | None, limit: int
    ) -> tuple[Sequence[Shown], str | None]:
        """Give a page of the texts to a member, the newest first, and where the next begins."""
        rows_max = min(limit, self.page_rows_max)
        before = _place(cursor)
        async with self.database.begin() as unit:
            _may_read(caller, member_id, await contacts.unit_of(unit, member_id))
            found = await fates.page_of_member(unit, member_id, before, rows_max + 1)
            page = found[:rows_max]
            materials = await messages.material(unit, [fate.message_id for fate in page])
        shown = [
            Shown(
                message_id=fate.message_id,
                template=material.template,
                text=self.composer.content(material, to_owner=caller.kind == "member"),
                status=fate.state,
                receipt=fate.receipt,
                created_at=fate.created_at,
                sent_at=fate.sent_at,
                source_id=material.payout_id,
            )
            for fate, material in zip(page, materials, strict=True)
        ]
        more = len(found) > rows_max
        return shown, _cursor(page[-1].created_at, page[-1].message_id) if more else None

    async def books(self) -> dict[str, int | dict[str, int]]:
        async with self.database.report() as unit:
            by_state = await books.messages_by_state(unit)
            counts = await books.counts(unit)
        return {"messages_by_state": by_state, "sent": by_state.get(MessageState.SENT, 0), **counts}


def _may_read(caller: Caller, member_id: UUID, unit_code: str | None) -> None:
    """Let members read their own and staff those of the units they see; others learn nothing."""
    match caller.kind:
        case "member":
            if caller.uuid != member_id:
                raise UnknownMember
        case "staff":
            if unit_code is None or not caller.sees_unit(unit_code):
                raise UnknownMember
        case _:
            raise NotAllowed


def _cursor(moment: datetime, message_id: UUID) -> str:
    return base64.urlsafe_b64encode(f"{moment.isoformat()} {message_id}".encode()).decode()


def _place(cursor: str | None) -> tuple[datetime, UUID] | None:
    if cursor is None:
        return None
    try:
        moment, _, message_id = base64.urlsafe_b64decode(cursor).decode().partition(" ")
        return datetime.fromisoformat(moment), UUID(message_id)
    except (ValueError, binascii.Error) as unreadable:
        raise BadCursor from unreadable
