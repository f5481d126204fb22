"""Login codes: one text at once, outside the queue, within the bounds of what a phone may get.

A code whose answer is lost is not sent again: who waits for it asks for another.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.common.identity import Phone, mobile_phone
from services.common.ids import new_id
from services.common.kit import clock, metrics
from services.common.kit.db import Database
from services.common.kit.logs import get_logger
from services.common.kit.problems import TooMany
from services.common.kit.sealing import UNSALTED, BlindIndex, Sealer
from services.notify.channels.base import Outcome, Remedy, SmsChannel, Verdict
from services.notify.errors import BadPhone, TextNotTaken
from services.notify.model import Call, CodeAsked, Envelope, MessageState
from services.notify.settings import Settings
from services.notify.store import codes
from services.notify.store.codes import Asked

log = get_logger()

TEMPLATE: Final = "login_code"
FIELD: Final = "login_code.phone"


class TooManyCodes(TooMany):
    """This phone has been sent as many codes as it may get for now."""

    code = "TOO_MANY_CODES"
    retry_after_s = 60


@dataclass(frozen=True, slots=True)
class Codes:
    settings: Settings
    database: Database
    channel: SmsChannel
    sealer: Sealer
    phones: BlindIndex

    async def send(self, asked: CodeAsked) -> None:
        """Send a code; refuses what is over the bounds or what the provider does not take."""
        phone = mobile_phone(asked.phone)
        if phone is None:
            raise BadPhone
        code_id, moment = new_id(), clock.now()
        await self._write(code_id, phone)
        values = {"code": asked.code, "minutes": str(asked.minutes)}
        [verdict] = await self.channel.send(
            Call(code_id, TEMPLATE, [Envelope(phone, values)], moment)
        )
        await self._settle(code_id, verdict)
        if verdict.outcome is Outcome.REFUSED:
            raise _refusal(verdict)

    async def _write(self, code_id: UUID, phone: Phone) -> None:
        """Count the code against its phone before it leaves."""
        index = self.phones.of(phone.open())
        sealed = self.sealer.seal("notify", FIELD, code_id, UNSALTED, phone.open().encode())
        async with self.database.begin() as unit:
            moment = clock.now()
            if self._is_over(await codes.asked(unit, index, moment)):
                raise TooManyCodes
            await codes.write(unit, code_id, index, sealed, moment)

    def _is_over(self, asked: Asked) -> bool:
        settings = self.settings
        return (
            asked.minute >= settings.codes_per_minute_max
            or asked.hour >= settings.codes_per_hour_max
            or asked.day >= settings.codes_per_day_max
        )

    async def _settle(self, code_id: UUID, verdict: Verdict) -> None:
        state = {
            Outcome.ACCEPTED: MessageState.SENT,
            Outcome.REFUSED: MessageState.REFUSED,
            Outcome.UNKNOWN: MessageState.UNKNOWN,
        }[verdict.outcome]
        async with self.database.begin() as unit:
            await codes.settle(unit, code_id, state, verdict.code or None)
        metrics.texts.labels(state).inc()
        if verdict.outcome is Outcome.REFUSED:
            log.warning("text.refused", text_id=code_id, template=TEMPLATE, code=verdict.code)
        else:
            log.info("text.sent", text_id=code_id, template=TEMPLATE, state=state)


def _refusal(verdict: Verdict) -> Exception:
    match verdict.remedy:
        case Remedy.LATER:
            return TooManyCodes()
        case Remedy.NONE:
            return BadPhone()
        case Remedy.PAUSE | Remedy.OPERATOR:
            return TextNotTaken()
