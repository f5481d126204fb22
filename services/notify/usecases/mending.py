"""Codes that mend a card: tried, given back, used up; the gateway asks and has the end proved.

A try is counted before it is judged, so that guesses side by side are counted too; whoever had the
right end of the identity number has theirs given back.
"""

from dataclasses import dataclass

from services.common.kit import clock
from services.common.kit.db import Database
from services.notify.errors import MendCodeUnknown
from services.notify.model import Mendable
from services.notify.rules import MendCodes, read_code
from services.notify.store import mend_codes
from services.notify.texts.wording import Wording


@dataclass(frozen=True, slots=True)
class Mending:
    database: Database
    codes: MendCodes
    wording: Wording
    tries_max: int

    async def try_code(self, typed: str) -> tuple[Mendable, str]:
        """Count a try; give what the code stands for, and the bank's reason in words."""
        index = self._index(typed)
        async with self.database.begin() as unit:
            mendable = await mend_codes.count_try(unit, index, self.tries_max, clock.now())
        if mendable is None:
            raise MendCodeUnknown
        return mendable, self.wording.reason(mendable.reason)

    async def give_back(self, typed: str) -> None:
        """Take one try off again."""
        index = self._index(typed)
        async with self.database.begin() as unit:
            await mend_codes.give_back(unit, index)

    async def use(self, typed: str) -> None:
        """Use the code up, once."""
        index = self._index(typed)
        async with self.database.begin() as unit:
            if not await mend_codes.use(unit, index, clock.now()):
                raise MendCodeUnknown

    def _index(self, typed: str) -> bytes:
        code = read_code(typed)
        if code is None:
            raise MendCodeUnknown
        return self.codes.index(code)
