"""What enrollment is asked over HTTP, and how it answers; persons are shown as masks."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.common.identity import CardNumber, PersonName, Phone, card_number, mobile_phone
from services.enrollment.errors import BadCard, BadDate, BadName, BadPhone, MissingField
from services.enrollment.model import (
    ID_TAIL_SIGNS,
    Correction,
    Coverage,
    Member,
    Officer,
    Refusal,
    Roster,
    UnitEntry,
    WorkplaceUnion,
)
from services.enrollment.rows import TEXT_CHARACTERS_MAX, day, person_name, plain

UNIT_CODE = r"^[A-Za-z0-9_.-]{1,64}$"
OFFICERS_MAX = 20
STAFF_COUNT_MAX = 10_000_000

UnitCode = Annotated[str, StringConstraints(pattern=UNIT_CODE)]
Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TEXT_CHARACTERS_MAX)
]
# Long enough for any way of writing a number, short enough to be no burden.
Number = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class OfficerIn(Asked):
    name: Words
    phone: Number

    def officer(self) -> Officer:
        return Officer(_name(self.name), _phone(self.phone))


class UnitIn(Asked):
    """A unit as it is now; officers left out stay as they are."""

    name: Annotated[Words, Field(max_length=200)]
    staff_count: Annotated[int, Field(ge=0, le=STAFF_COUNT_MAX)]
    officers: Annotated[list[OfficerIn], Field(max_length=OFFICERS_MAX)] | None = None

    def entry(self, code: str) -> UnitEntry:
        officers = self.officers
        told = None if officers is None else tuple(officer.officer() for officer in officers)
        return UnitEntry(code, self.name, self.staff_count, told)


class OfficerOut(BaseModel):
    name: str
    phone: str


class UnitOut(BaseModel):
    code: str
    name: str
    staff_count: int
    officers: list[OfficerOut]

    @classmethod
    def of(cls, union: WorkplaceUnion) -> "UnitOut":
        return cls(
            code=union.code,
            name=union.name,
            staff_count=union.staff_count,
            officers=[
                OfficerOut(name=officer.name.mask(), phone=officer.phone.mask())
                for officer in union.officers
            ],
        )


class RosterForm(BaseModel):
    """The fields beside the file of a roster."""

    unit: str
    starts_on: date

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> "RosterForm":
        unit, starts = fields.get("unit", "").strip(), fields.get("from", "").strip()
        if not unit or not starts:
            raise MissingField
        starts_on = day(starts)
        if starts_on is None:
            raise BadDate
        return cls(unit=unit, starts_on=starts_on)


class RosterReceived(BaseModel):
    roster_id: UUID


class RefusalOut(BaseModel):
    row: int
    column: str
    code: str


class RosterOut(BaseModel):
    """How far a roster is: at the end `accepted + refused + unchanged = rows`."""

    status: str
    code: str | None = None
    rows: int
    accepted: int
    refused: int
    unchanged: int
    errors: list[RefusalOut]

    @classmethod
    def of(cls, roster: Roster, refusals: Sequence[Refusal]) -> "RosterOut":
        return cls(
            status=roster.status,
            code=roster.code,
            rows=roster.rows,
            accepted=roster.accepted,
            refused=roster.refused,
            unchanged=roster.unchanged,
            errors=[
                RefusalOut(row=refusal.row, column=refusal.column, code=refusal.code)
                for refusal in refusals
            ],
        )


class MemberSearch(Asked):
    id_number: Number

    def normal(self) -> str:
        return plain(self.id_number).upper()


class ProofIn(Asked):
    """The end of an identity number, as its owner knows it."""

    id_tail: Annotated[str, StringConstraints(min_length=ID_TAIL_SIGNS, max_length=ID_TAIL_SIGNS)]

    def normal(self) -> str:
        return plain(self.id_tail).upper()


class PhoneSearch(Asked):
    phone: Number

    def normal(self) -> Phone:
        return _phone(self.phone)


class MemberFound(BaseModel):
    member_id: UUID


class MembersFound(BaseModel):
    member_ids: list[UUID]


class MemberOut(BaseModel):
    member_id: UUID
    name: str
    phone: str
    unit_code: str
    unit_name: str
    card_tail: str
    card_bank: str
    payee_version: int

    @classmethod
    def of(cls, member: Member, unit_name: str) -> "MemberOut":
        person, payee = member.person, member.person.payee
        return cls(
            member_id=member.member_id,
            name=person.name.mask(),
            phone=person.phone.mask(),
            unit_code=member.unit_code,
            unit_name=unit_name,
            card_tail=payee.card.tail(),
            card_bank=payee.bank,
            payee_version=member.payee_version,
        )


class CoverageOut(BaseModel):
    scheme_id: str
    starts_on: date
    ends_on: date | None
    units: int

    @classmethod
    def of(cls, coverage: Coverage) -> "CoverageOut":
        return cls(
            scheme_id=coverage.scheme_id,
            starts_on=coverage.starts_on,
            ends_on=coverage.ends_on,
            units=coverage.units,
        )


class CoveragesOut(BaseModel):
    coverages: list[CoverageOut]

    @classmethod
    def of(cls, member: Member) -> "CoveragesOut":
        ordered = sorted(member.coverages.values(), key=lambda c: (c.starts_on, c.scheme_id))
        return cls(coverages=[CoverageOut.of(coverage) for coverage in ordered])


class PayeeIn(Asked):
    """A member's card as it should be; what is left out stays as it is.

    With `instead_of` it takes the place of that version of the card and of no later one.
    """

    card_number: Number
    card_bank: Words | None = None
    account_name: Words | None = None
    instead_of: Annotated[int, Field(ge=1)] | None = None

    def correction(self, member_id: UUID) -> Correction:
        return Correction(
            member_id,
            _card(self.card_number),
            self.card_bank,
            None if self.account_name is None else _name(self.account_name),
            self.instead_of,
        )


class PayeeOut(BaseModel):
    member_id: UUID
    payee_version: int
    card_tail: str

    @classmethod
    def of(cls, member: Member) -> "PayeeOut":
        return cls(
            member_id=member.member_id,
            payee_version=member.payee_version,
            card_tail=member.person.payee.card.tail(),
        )


class Books(BaseModel):
    members: int
    coverages: int
    events_pending: int
    dead_letters: int


def _name(text: str) -> PersonName:
    name = person_name(text)
    if name is None:
        raise BadName
    return name


def _phone(text: str) -> Phone:
    phone = mobile_phone(plain(text))
    if phone is None:
        raise BadPhone
    return phone


def _card(text: str) -> CardNumber:
    card = card_number(plain(text))
    if card is None:
        raise BadCard
    return card
