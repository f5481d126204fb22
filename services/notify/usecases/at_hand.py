"""What was told just now: who sends it need not read it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from services.notify.store.dispatches import Queued
from services.notify.store.messages import MaterialRow

# Of a hundred texts each: 10 MB of memory.
CALLS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class AtHand:
    """The texts of the calls that were queued last, by their calls; nothing that is sealed.

    They stay as they are written for as long as their call is queued. What was not committed after
    all is never asked for.
    """

    _rows: dict[UUID, Sequence[MaterialRow]] = field(
        default_factory=dict[UUID, Sequence[MaterialRow]]
    )

    def keep(self, rows_of_call: Mapping[UUID, Sequence[MaterialRow]]) -> None:
        """Keep calls until they are taken, but the last ones alone."""
        self._rows.update(rows_of_call)
        while len(self._rows) > CALLS_MAX:
            del self._rows[next(iter(self._rows))]

    def take(self, call: Queued) -> Sequence[MaterialRow] | None:
        """Give all texts of a call, where they are at hand, and keep them no longer."""
        rows = self._rows.pop(call.dispatch_id, ())
        return rows if len(rows) == len(call.message_ids) else None
