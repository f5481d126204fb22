"""How texts go out: written down, handed over, settled; and asked about where that is not known.

Texts are put into a call when they are told. Before a byte leaves, the call is committed as
`submitting`. A call whose answer is lost is unknown and asked about by its id until the provider
knows it; only when the request has expired there and is still not found, its texts are queued
again, for another call.
"""

import asyncio
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

from services.common.contracts.notify import ReminderSent
from services.common.ids import new_ids
from services.common.kit import clock, metrics
from services.common.kit.crash import crashpoint
from services.common.kit.db import Database, Unit
from services.common.kit.gathering import Gathering
from services.common.kit.logs import get_logger
from services.common.kit.sealing import BlindIndex
from services.notify.channels.base import NOT_FOUND, Outcome, Remedy, SmsChannel, Verdict
from services.notify.model import Dispatch, DispatchState, Material, MessageState, Text
from services.notify.settings import Settings
from services.notify.store import dispatches, messages
from services.notify.store.dispatches import NO_PHONE, Kept, Queued, Settled, Signed
from services.notify.usecases.at_hand import AtHand
from services.notify.usecases.composing import Composer, texts

log = get_logger()

# A message goes out once, so its one fact is its first version.
SENT_VERSION: Final = 1
UNREADABLE: Final = "UNREADABLE"
UNKNOWN: Final = Verdict(Outcome.UNKNOWN)
# Calls that are answered while others are being written down are settled together.
SETTLED_TEXTS_MAX: Final = 2_000
# Nobody waits for it, and a transaction costs as much as some fifty texts.
SETTLING_LINGER_S: Final = 0.02
# Longer than any wait may be; by 1,024 a number would be more than a float holds.
DOUBLINGS_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class Answered:
    """A call and what is known of its texts: those of each verdict, and those that do not open."""

    dispatch: Dispatch
    by_verdict: Mapping[Verdict, Sequence[Text]]
    unreadable: Collection[UUID]

    @property
    def state(self) -> DispatchState:
        is_open = any(verdict.outcome is Outcome.UNKNOWN for verdict in self.by_verdict)
        return DispatchState.UNKNOWN if is_open else DispatchState.DONE

    def of(self, outcome: Outcome) -> list[Text]:
        """Give the texts that came to this."""
        return [
            text
            for verdict, some in self.by_verdict.items()
            if verdict.outcome is outcome
            for text in some
        ]

    def only(self, message_ids: Container[UUID]) -> "Answered":
        """Give the same of no more than these texts."""
        left = {
            verdict: [text for text in some if text.message_id in message_ids]
            for verdict, some in self.by_verdict.items()
        }
        by_verdict = {verdict: some for verdict, some in left.items() if some}
        unreadable = [key for key in self.unreadable if key in message_ids]
        return Answered(self.dispatch, by_verdict, unreadable)


@dataclass(eq=False)
class Sending:
    """`texts_queued` and `doubts` wake whoever sends, and whoever asks what became of texts."""

    settings: Settings
    database: Database
    channel: SmsChannel
    composer: Composer
    phones: BlindIndex
    texts_queued: asyncio.Event
    doubts: asyncio.Event
    at_hand: AtHand

    def __post_init__(self) -> None:
        self._settling = Gathering[Answered, None](
            self._settle_all,
            rows_of=lambda answered: len(answered.dispatch.texts),
            rows_max=SETTLED_TEXTS_MAX,
            sets_at_once=1,
            linger_s=SETTLING_LINGER_S,
        )

    async def abandon(self) -> int:
        """Whoever sent before is gone: what was being submitted has an unknown fate."""
        async with self.database.begin() as unit:
            return await dispatches.abandon(unit, clock.now())

    async def abandon_expired(self) -> int:
        """Give up waiting for answers that cannot come any more, left by whoever lost the lead."""
        patience = timedelta(seconds=self.settings.sms_request_expiry_s)
        async with self.database.begin() as unit:
            return await dispatches.abandon(unit, clock.now() - patience)

    async def take(self, calls: int, *, retries_first: bool) -> list[Dispatch]:
        """Write down the next calls; from here on each may have been made.

        What was refused in company goes alone, for the provider refuses a call as a whole.
        """
        moment = clock.now()
        async with self.database.begin() as unit:
            due: list[Queued] = []
            for again in (retries_first, not retries_first):
                due += await dispatches.take(unit, moment, calls - len(due), again=again)
            if not due:
                return []
            made, unreadable = texts(self.composer, await self._materials(unit, due))
            await self._give_up(unit, unreadable, UNREADABLE)
            readable = {text.message_id: text for text in made}
            taken = [self._dispatch(call, readable, moment) for call in due]
            written = [dispatch for dispatch in taken if dispatch.texts]
            empty = [dispatch.dispatch_id for dispatch in taken if not dispatch.texts]
            await dispatches.sign(unit, self._signed(due, readable), moment)
            await dispatches.settle(unit, [Settled(key, DispatchState.DONE) for key in empty])
        crashpoint("notify.submitting")
        return written

    async def _materials(self, unit: Unit, due: Sequence[Queued]) -> list[Material]:
        """Give what the texts of these calls are made of; what is at hand is not read again."""
        at_hand = [(call, self.at_hand.take(call)) for call in due]
        absent = [key for call, rows in at_hand if rows is None for key in call.message_ids]
        rows = [row for _, some in at_hand if some is not None for row in some]
        rows += await messages.material_rows(unit, absent)
        return await messages.with_sealed(unit, rows)

    async def hand_over(self, dispatch: Dispatch) -> bool:
        """Make the call and settle it; tell whether the provider takes texts at present."""
        verdicts = await self.channel.send(dispatch.call)
        crashpoint("notify.text_sent")
        await self._settle(dispatch, verdicts)
        return not any(
            verdict.outcome is Outcome.REFUSED and verdict.remedy in (Remedy.PAUSE, Remedy.OPERATOR)
            for verdict in verdicts
        )

    async def unknown(self) -> list[Kept]:
        async with self.database.begin() as unit:
            return await dispatches.unknown(unit, self.settings.ask_dispatches_max)

    async def ask(self, kept: Kept) -> bool:
        """Ask what became of the texts of a call, by phone; tell whether the provider answers.

        Once it does not, the other phones are not asked about: they will be another time.
        """
        expired = clock.now() > self.expires_at(kept)
        async with self.database.begin() as unit:
            materials = await messages.material_of_open(unit, kept.dispatch_id, kept.message_ids)
        made, unreadable = texts(self.composer, materials)
        bound, silent = asyncio.Semaphore(self.settings.asks_in_flight), asyncio.Event()

        async def fate(text: Text) -> Verdict:
            async with bound:
                if silent.is_set():
                    return UNKNOWN
                verdict = await self.channel.ask(kept.dispatch_id, text.phone, kept.signed_at)
                if verdict == UNKNOWN:
                    silent.set()
            return UNKNOWN if verdict == NOT_FOUND and not expired else verdict

        verdicts = await asyncio.gather(*map(fate, made))
        if unreadable or not materials or any(verdict != UNKNOWN for verdict in verdicts):
            dispatch = Dispatch(kept.dispatch_id, kept.template, made, kept.signed_at, kept.tries)
            await self._settle(dispatch, verdicts, unreadable)
        return not silent.is_set()

    def expires_at(self, kept: Kept) -> datetime:
        """Say from when on the provider surely takes the request no more."""
        settings = self.settings
        return kept.signed_at + timedelta(
            seconds=settings.sms_request_expiry_s + settings.sms_request_expiry_margin_s
        )

    def _dispatch(self, call: Queued, readable: Mapping[UUID, Text], moment: datetime) -> Dispatch:
        together = [readable[key] for key in call.message_ids if key in readable]
        return Dispatch(call.dispatch_id, call.template, together, moment, call.tries)

    def _signed(self, due: Sequence[Queued], readable: Mapping[UUID, Text]) -> list[Signed]:
        """Give the calls with the blind indexes of their phones; each phone is hashed once."""
        index_of = lru_cache(None)(self.phones.of)
        return [
            Signed(
                call.dispatch_id,
                [
                    index_of(readable[key].phone.open()) if key in readable else NO_PHONE
                    for key in call.message_ids
                ],
            )
            for call in due
        ]

    async def _settle(
        self,
        dispatch: Dispatch,
        verdicts: Sequence[Verdict],
        unreadable: Collection[UUID] = (),
    ) -> None:
        """Write down what became of a call's texts, with the calls answered at the same time."""
        await self._settling.done(
            Answered(dispatch, _by_verdict(dispatch.texts, verdicts), unreadable)
        )

    async def _settle_all(self, answers: Sequence[Answered]) -> Sequence[None]:
        """Write down what became of calls, each once: whoever comes later changes nothing."""
        moment = clock.now()
        calls: dict[UUID, Answered] = {}
        for answer in answers:
            calls.setdefault(answer.dispatch.dispatch_id, answer)
        async with self.database.begin() as unit:
            settled = await self._still_open(unit, calls)
            unreadable = [key for one in settled for key in one.unreadable]
            await self._give_up(unit, unreadable, UNREADABLE)
            await self._sent(unit, settled, moment)
            ends: list[Settled] = []
            for one in settled:
                retried = False
                for verdict, some in one.by_verdict.items():
                    if verdict.outcome is Outcome.REFUSED:
                        retried |= await self._refused(unit, one.dispatch, some, verdict, moment)
                sent_at = moment if one.of(Outcome.ACCEPTED) else None
                ends.append(Settled(one.dispatch.dispatch_id, one.state, sent_at, retried))
            await dispatches.settle(unit, ends)
            if any(one.state is DispatchState.UNKNOWN for one in settled):
                unit.wakes.add(self.doubts)
        for one in settled:
            for verdict, some in one.by_verdict.items():
                self._tell(one.dispatch, verdict, len(some))
        return [None] * len(answers)

    async def _still_open(self, unit: Unit, calls: Mapping[UUID, Answered]) -> list[Answered]:
        """Lock the calls; give those that are open, with their texts that are.

        Of a call that was asked about, some texts may have come to their end before.
        """
        states = await dispatches.lock(unit, list(calls))
        found = [calls[dispatch_id] for dispatch_id in calls if dispatch_id in states]
        doubted = [key for key, state in states.items() if state == DispatchState.UNKNOWN]
        if not doubted:
            return found
        told = [text.message_id for key in doubted for text in calls[key].dispatch.texts]
        left = await messages.still_open(unit, doubted, told)
        return [
            one.only(left) if states[one.dispatch.dispatch_id] == DispatchState.UNKNOWN else one
            for one in found
        ]

    async def _sent(self, unit: Unit, settled: Iterable[Answered], moment: datetime) -> None:
        """Publish what was sent; write down what is known to be while its call stays open."""
        sent = [text for one in settled for text in one.of(Outcome.ACCEPTED)]
        early = [
            text.message_id
            for one in settled
            if one.state is DispatchState.UNKNOWN
            for text in one.of(Outcome.ACCEPTED)
        ]
        await messages.end(unit, early, MessageState.SENT, sent_at=moment)
        templates, provider = self.composer.wording.templates, self.channel.provider
        await unit.publish(
            [
                ReminderSent(
                    event_id=event_id,
                    at=moment,
                    version=SENT_VERSION,
                    member_id=text.material.member_id,
                    message_id=text.message_id,
                    source_id=text.material.payout_id,
                    template=text.material.template,
                    recipient=templates[text.material.template].recipient,
                    provider=provider,
                    parts=text.parts,
                )
                for event_id, text in zip(new_ids(len(sent)), sent, strict=True)
            ]
        )

    async def _refused(
        self,
        unit: Unit,
        dispatch: Dispatch,
        some: Sequence[Text],
        verdict: Verdict,
        moment: datetime,
    ) -> bool:
        """Queue what may still be taken, each refusal by its remedy; give up the rest.

        Tells whether anything goes again.
        """
        settings, tries = self.settings, dispatch.tries
        again, wait_s = list(some), settings.channel_pause_s
        if verdict.remedy is Remedy.NONE:
            # One bad phone spoils a whole call, so all of them are tried alone.
            again, tries, wait_s = (again, 1, 0.0) if len(dispatch.texts) > 1 else ([], tries, 0.0)
        elif verdict.remedy is Remedy.LATER:
            doublings = min(tries, DOUBLINGS_MAX)
            wait_s = min(settings.retry_first_s * 2**doublings, settings.retry_max_s)
            tries += 1
        if verdict.remedy is Remedy.LATER or verdict == NOT_FOUND:
            oldest = moment - timedelta(hours=settings.retry_age_max_h)
            again = [text for text in again if text.material.created_at > oldest]
        message_ids = [text.message_id for text in again]
        # What was refused before goes alone.
        size = 1 if tries else self.settings.texts_per_call_max
        sets = [message_ids[at : at + size] for at in range(0, len(message_ids), size)]
        queued = [
            Queued(dispatch_id, dispatch.template, together, tries)
            for dispatch_id, together in zip(new_ids(len(sets)), sets, strict=True)
        ]
        ready_at = moment + timedelta(seconds=wait_s)
        await messages.send_again(unit, queued, ready_at, verdict.code)
        unit.wakes.add(self.texts_queued)
        kept = set(message_ids)
        lost = [text.message_id for text in some if text.message_id not in kept]
        await self._give_up(unit, lost, verdict.code)
        return bool(message_ids)

    async def _give_up(self, unit: Unit, message_ids: Sequence[UUID], code: str) -> None:
        if message_ids:
            await messages.end(unit, message_ids, MessageState.REFUSED, code=code)
            metrics.texts.labels(MessageState.REFUSED).inc(len(message_ids))
            log.warning("text.refused", code=code, count=len(message_ids))

    def _tell(self, dispatch: Dispatch, verdict: Verdict, count: int) -> None:
        batch, template = dispatch.dispatch_id, dispatch.template
        match verdict.outcome, verdict.remedy:
            case Outcome.ACCEPTED, _:
                metrics.texts.labels(MessageState.SENT).inc(count)
                log.info("text.sent", batch_id=batch, template=template, count=count)
            case Outcome.UNKNOWN, _:
                log.warning("text.unknown", batch_id=batch, template=template, count=count)
            case Outcome.REFUSED, Remedy.OPERATOR:
                log.error("text.refused", batch_id=batch, template=template, code=verdict.code)
            case Outcome.REFUSED, _:
                log.warning("text.refused", batch_id=batch, template=template, code=verdict.code)


def _by_verdict(
    some: Iterable[Text], verdicts: Iterable[Verdict]
) -> Mapping[Verdict, Sequence[Text]]:
    """Give the texts of each verdict; mostly all of a call have one and the same."""
    found: dict[Verdict, list[Text]] = {}
    last: Verdict | None = None
    together: list[Text] = []
    for text, verdict in zip(some, verdicts, strict=True):
        if verdict is not last:
            last, together = verdict, found.setdefault(verdict, [])
        together.append(text)
    return found
