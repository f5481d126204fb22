"""Opens what a text is made of and fills it in: the one place where names and phones are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec

from services.common.identity import PersonName, Phone, mobile_phone
from services.common.kit.sealing import UNSALTED, Opener, SealBroken
from services.notify.model import FIRST_OFFICER, THE_MEMBER, Material, Sealed, Text
from services.notify.rules import MendCodes
from services.notify.texts.wording import Template, Wording, day, money, short_name


class Unreadable(Exception):
    """The sealed values do not open (the member was erased) or hold no phone to write to."""


class _Contact(msgspec.Struct):
    surname: str
    phone: str


class _Officer(msgspec.Struct):
    name: str
    phone: str


class _Opened(msgspec.Struct, frozen=True, gc=False):
    """What of a member opens for a text; beside it, of which sealed values it is."""

    sealed: Sealed
    with_tail: bool
    name: str
    phone: Phone | None
    tail: str


HIDDEN: Final = "**********"
_CONTACT = msgspec.json.Decoder(_Contact)
_OFFICERS = msgspec.json.Decoder(list[_Officer])


@dataclass(frozen=True, slots=True)
class Person:
    name: PersonName
    phone: Phone


@dataclass(frozen=True, slots=True)
class Composer:
    opener: Opener
    wording: Wording
    mend_codes: MendCodes
    mend_code_days: int

    def content(self, material: Material, *, to_owner: bool) -> str | None:
        """Say the text as it is sent; None where its values are not there or do not open.

        The code that mends a card is for the member alone.
        """
        try:
            variables, _ = self.fill(material, self.open(material))
        except Unreadable:
            return None
        if "mend" in variables and not to_owner:
            variables["mend"] = HIDDEN
        return self.wording.content(material.template, variables)

    def officers(self, unit_id: UUID, sealed: bytes) -> list[Person]:
        """Give a unit's officers who have a phone, in the list's order, each phone once."""
        try:
            entries = _OFFICERS.decode(self.opener.open("officers", unit_id, UNSALTED, sealed))
        except (SealBroken, msgspec.MsgspecError):
            return []
        people: dict[Phone, Person] = {}
        for entry in entries:
            phone = mobile_phone(entry.phone)
            if phone is not None:
                people.setdefault(phone, Person(PersonName(entry.name), phone))
        return list(people.values())

    def open(self, material: Material, before: _Opened | None = None) -> _Opened:
        """Open what a text says of its member, or raise `Unreadable`.

        `before` is what was opened for another text: where it is of the same sealed values, it is
        given again, for the texts of a member stand side by side.
        """
        sealed, member_id = material.sealed, material.member_id
        needs_tail = "tail" in self.wording.templates[material.template].fields
        if before is not None and before.sealed is sealed and before.with_tail == needs_tail:
            return before
        salt, contact, tail = sealed.salt, sealed.contact, sealed.tail if needs_tail else b""
        if salt is None or contact is None or tail is None:
            raise Unreadable
        try:
            opened_salt = self.opener.open_salt(member_id, salt)
            known = _CONTACT.decode(self.opener.open("contact", member_id, opened_salt, contact))
            last = self.opener.open("tail", member_id, opened_salt, tail) if needs_tail else b""
            name, phone = short_name(known.surname), mobile_phone(known.phone)
            return _Opened(sealed, needs_tail, name, phone, last.decode("ascii"))
        except (SealBroken, msgspec.MsgspecError, UnicodeDecodeError) as broken:
            raise Unreadable from broken

    def fill(self, material: Material, opened: _Opened) -> tuple[dict[str, str], Phone]:
        """Give the values that a text says, and where it goes, or raise `Unreadable`."""
        template = self.wording.templates[material.template]
        values = self._plain(template, material)
        values["name"] = opened.name
        values["tail"] = opened.tail
        if material.recipient_no == THE_MEMBER:
            phone = opened.phone
        else:
            officer = self._officer(material)
            phone = officer.phone
            values["officer"] = short_name(officer.name.open()[:1])
        if phone is None:
            raise Unreadable
        return template.variables(values), phone

    def _plain(self, template: Template, material: Material) -> dict[str, str]:
        """Say what is not sealed."""
        values = {"amount": money(material.amount_fen)}
        if material.reason is not None:
            values["reason"] = self.wording.reason(material.reason)
        if material.booked_on is not None:
            values["date"] = day(material.booked_on)
        if material.days is not None:
            values["days"] = str(material.days)
        if "mend" in template.fields:
            values["mend"] = self.mend_codes.of(material.payout_id, material.attempt_no)
            values["life"] = str(self.mend_code_days)
        return values

    def _officer(self, material: Material) -> Person:
        unit_id, sealed = material.sealed.unit_id, material.sealed.officers
        if unit_id is None or sealed is None:
            raise Unreadable
        officers = self.officers(unit_id, sealed)
        if material.recipient_no > len(officers):
            raise Unreadable
        return officers[material.recipient_no - FIRST_OFFICER]


def texts(composer: Composer, materials: Sequence[Material]) -> tuple[list[Text], list[UUID]]:
    """Make all texts that can be made; give the ids of those that cannot beside them."""
    made: list[Text] = []
    unreadable: list[UUID] = []
    opened: _Opened | None = None
    for material in materials:
        try:
            opened = composer.open(material, opened)
            variables, phone = composer.fill(material, opened)
        except Unreadable:
            unreadable.append(material.message_id)
            continue
        parts = composer.wording.parts(material.template, variables)
        made.append(Text(phone, variables, material.message_id, material, parts))
    return made, unreadable
