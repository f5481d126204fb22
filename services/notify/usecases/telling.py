"""What is to be said, and to whom: events become messages, each as soon as it has its address.

The member is told of every payout that was paid, refused or returned; of one that did not arrive
the filing officers of the member's unit too, and again when it waits too long. A payout that only
the union's finance can mend is told to nobody: there is nothing for them to correct. Events come in
any order, so a message waits for the contact, the card's tail or the unit. An officers' text waits
for the unit's list at most `officers_wait_s`: officers who are named later than that are not told
of what lies behind them.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from msgspec.structs import replace

from services.common.contracts.enrollment import (
    ContactChanged,
    MemberRegistered,
    OfficersChanged,
    PayeeChanged,
)
from services.common.contracts.event import Event
from services.common.contracts.payments import (
    PayoutOverdue,
    PayoutPaid,
    PayoutRefused,
    PayoutReturned,
)
from services.common.ids import as_drivers
from services.common.kit import clock
from services.common.kit.db import Database, Unit
from services.notify.model import (
    FIRST_OFFICER,
    THE_MEMBER,
    MendCode,
    MessageState,
    Notice,
    Placed,
    TemplateName,
    text_id,
)
from services.notify.settings import Settings
from services.notify.store import contacts, mend_codes, messages
from services.notify.store.contacts import Known, Officers
from services.notify.usecases.at_hand import AtHand
from services.notify.usecases.composing import Composer

E = TypeVar("E", bound=Event)
PayoutEvent = PayoutPaid | PayoutRefused | PayoutReturned | PayoutOverdue


@dataclass(frozen=True, slots=True)
class Teller:
    settings: Settings
    composer: Composer
    texts_queued: asyncio.Event
    at_hand: AtHand

    async def tell(self, unit: Unit, events: Sequence[Event]) -> None:
        """Keep what the events say of people, and write the messages about the payouts."""
        moment = clock.now()
        registered = _only(events, MemberRegistered)
        changed = _only(events, ContactChanged)
        paid_to = _only(events, PayeeChanged)
        staffed = _only(events, OfficersChanged)
        await contacts.save_people(unit, registered, changed, paid_to)
        await contacts.save_officers(unit, staffed)
        notices = [notice for event in events for notice in _notices(event)]
        members = {event.member_id for event in (*registered, *changed, *paid_to)}
        units = {event.unit_code for event in staffed}
        if members or units:
            notices += await messages.waiting_for(unit, members, units)
        distinct = {notice.message_id: notice for notice in notices}
        placed = await self._placed(unit, list(distinct.values()), moment)
        await self._write(unit, placed, moment)
        unit.wakes.add(self.texts_queued)

    async def stop_waiting(self, database: Database, rows_max: int) -> None:
        """Close the officers' texts whose unit has named nobody in time."""
        moment = clock.now()
        async with database.begin() as unit:
            notices = await messages.waited_out(unit, moment, rows_max)
            if not notices:
                return
            placed = await self._placed(unit, notices, moment)
            # A member who is not known yet may still come, and the unit with them.
            awaiting = MessageState.AWAITING_CONTACT
            open_ = [p for p in placed if p.state is awaiting and p.unit_code is None]
            late = [p for p in placed if p.state is awaiting and p.unit_code is not None]
            closed = [replace(p, state=MessageState.NO_RECIPIENT) for p in late]
            addressed = [p for p in placed if p.state is not awaiting]
            await messages.wait_longer(unit, open_)
            await self._write(unit, [*closed, *addressed], moment)
            unit.wakes.add(self.texts_queued)

    async def _write(self, unit: Unit, placed: Sequence[Placed], moment: datetime) -> None:
        """Write a notice's first message, and those to further officers only along with it.

        So a repeated event tells nothing to an officer who was named after the first time.
        """
        per_call = self.settings.texts_per_call_max
        first = [one for one in placed if one.notice.recipient_no <= FIRST_OFFICER]
        written, rows_of_call = await messages.write(unit, first, moment, per_call)
        self.at_hand.keep(rows_of_call)
        await mend_codes.write(unit, self._mend_codes(first, written, moment))
        further = [
            one
            for one in placed
            if one.notice.recipient_no > FIRST_OFFICER
            and one.notice.to(FIRST_OFFICER).message_id in written
        ]
        if further:
            await messages.write(unit, further, moment, per_call)

    def _mend_codes(
        self, placed: Sequence[Placed], written: Collection[UUID], moment: datetime
    ) -> list[MendCode]:
        """Give the codes in the texts that may go from now on: a code ages from here."""
        codes, templates = self.composer.mend_codes, self.composer.wording.templates
        expires_at = moment + timedelta(days=self.settings.mend_code_days)
        return [
            MendCode(
                codes.index(codes.of(one.notice.payout_id, one.notice.attempt_no)),
                one.notice.message_id,
                expires_at,
            )
            for one in placed
            if "mend" in templates[one.notice.template].fields
            and one.state is MessageState.READY
            and one.notice.message_id in written
        ]

    async def _placed(
        self, unit: Unit, notices: Sequence[Notice], moment: datetime
    ) -> list[Placed]:
        """Address each notice; an officers' notice becomes one for each of them."""
        if not notices:
            return []
        cards = [(notice.member_id, notice.payee_version) for notice in notices]
        of_card = await contacts.known(unit, dict.fromkeys(cards))
        known = [of_card[card] for card in cards]
        codes = {
            k.unit_code
            for n, k in zip(notices, known, strict=True)
            if n.recipient_no != THE_MEMBER and k.unit_code is not None
        }
        officers = await contacts.officers_of(unit, codes)
        until = moment + timedelta(seconds=self.settings.officers_wait_s)
        return [
            placed
            for notice, k in zip(notices, known, strict=True)
            for placed in (
                [self._to_member(notice, k)]
                if notice.recipient_no == THE_MEMBER
                else self._to_officers(notice, k, officers, until)
            )
        ]

    def _to_member(self, notice: Notice, known: Known) -> Placed:
        if not self._speaks(notice.template, known):
            return Placed(notice, MessageState.AWAITING_CONTACT)
        return Placed(notice, MessageState.READY, known.contact_version)

    def _to_officers(
        self, notice: Notice, known: Known, lists: Mapping[str, Officers], until: datetime
    ) -> list[Placed]:
        newest = lists.get(known.unit_code or "")
        if not self._speaks(notice.template, known):
            return [Placed(notice, MessageState.AWAITING_CONTACT, until=until)]
        if newest is None:
            return [
                Placed(
                    notice,
                    MessageState.AWAITING_CONTACT,
                    unit_code=known.unit_code,
                    until=until,
                )
            ]
        officers = self.composer.officers(newest.unit_id, newest.sealed)
        if not officers:
            return [Placed(notice, MessageState.NO_RECIPIENT)]
        return [
            Placed(
                notice.to(number),
                MessageState.READY,
                known.contact_version,
                known.unit_code,
                newest.version,
            )
            for number, _ in enumerate(officers, FIRST_OFFICER)
        ]

    def _speaks(self, template: TemplateName, known: Known) -> bool:
        """Tell whether all that the template says of the member is known."""
        needs_tail = "tail" in self.composer.wording.templates[template].fields
        return (
            known.has_salt
            and known.contact_version is not None
            and (known.has_tail or not needs_tail)
        )


def _notices(event: Event) -> list[Notice]:
    match event:
        case PayoutPaid():
            return [_notice(event, "payout_paid", THE_MEMBER, booked_on=event.paid_on)]
        case PayoutRefused() if event.actor != "finance":
            return [
                _notice(event, "payout_refused_member", THE_MEMBER, event.reason),
                _notice(event, "payout_refused_officer", FIRST_OFFICER, event.reason),
            ]
        case PayoutReturned() if event.actor != "finance":
            reason, booked_on = event.reason, event.returned_on
            return [
                _notice(event, "payout_returned_member", THE_MEMBER, reason, booked_on),
                _notice(event, "payout_returned_officer", FIRST_OFFICER, reason, booked_on),
            ]
        case PayoutOverdue() if event.actor != "finance":
            reason, days = event.reason, event.days
            return [_notice(event, "payout_overdue_officer", FIRST_OFFICER, reason, days=days)]
        case _:
            return []


def _notice(
    event: PayoutEvent,
    template: TemplateName,
    recipient_no: int,
    reason: str | None = None,
    booked_on: date | None = None,
    *,
    days: int | None = None,
) -> Notice:
    # Both are hashed, compared and sent several times until the text is gone.
    member_id, payout_id = as_drivers(event.member_id), as_drivers(event.payout_id)
    return Notice(
        message_id=text_id(payout_id, event.attempt_no, template, recipient_no, days),
        member_id=member_id,
        payout_id=payout_id,
        attempt_no=event.attempt_no,
        template=template,
        recipient_no=recipient_no,
        payee_version=event.payee_version,
        amount_fen=event.amount_fen,
        reason=reason,
        booked_on=booked_on,
        days=days,
    )


def _only(events: Sequence[Event], kind: type[E]) -> list[E]:
    # Nobody inherits from an event; to ask that of a class takes ten times as long.
    return [event for event in events if type(event) is kind]
