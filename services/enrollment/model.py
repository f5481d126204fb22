"""The nouns: units and their officers, members and their cards, cover, rosters and their rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from services.common.identity import CardNumber, IdNumber, PersonName, Phone

# How much of an identity number its owner is asked for.
ID_TAIL_SIGNS: Final = 4


class Officer(msgspec.Struct, frozen=True):
    """Who files for a unit and is told when a payout is refused."""

    name: PersonName
    phone: Phone


@dataclass(frozen=True, slots=True)
class UnitEntry:
    """What is stated about a unit; `officers` None leaves them as they are."""

    code: str
    name: str
    staff_count: int
    officers: tuple[Officer, ...] | None = None


@dataclass(frozen=True, slots=True)
class WorkplaceUnion:
    """A unit: the workplace union that enrolls its members and is told of refused payouts."""

    unit_id: UUID
    code: str
    name: str
    staff_count: int
    officers: tuple[Officer, ...]
    officers_version: int

    def restated(self, entry: UnitEntry) -> "WorkplaceUnion":
        officers = self.officers if entry.officers is None else entry.officers
        return replace(
            self,
            name=entry.name,
            staff_count=entry.staff_count,
            officers=officers,
            officers_version=self.officers_version + (officers != self.officers),
        )


class Payee(msgspec.Struct, frozen=True):
    """The account that benefits are paid to."""

    name: PersonName
    card: CardNumber
    bank: str


class Contact(msgspec.Struct, frozen=True):
    """What a text to the member needs."""

    surname: str
    phone: Phone


class PersonFacts(msgspec.Struct, frozen=True):
    """What the rules of schemes ask of a member; None where the papers do not tell."""

    born: date | None
    sex: str | None
    groups: tuple[str, ...]


class Person(msgspec.Struct, frozen=True):
    """What a unit's roster states about somebody, and the payee that was corrected since.

    A correction holds until a roster states another card than the one that was corrected.
    """

    name: PersonName
    id_type: str
    id_number: IdNumber
    phone: Phone
    stated: Payee
    hired_on: date | None
    groups: tuple[str, ...]
    corrected: Payee | None = None

    @property
    def payee(self) -> Payee:
        return self.corrected or self.stated


@dataclass(frozen=True, slots=True)
class Coverage:
    """A member is covered by a scheme from a day on, both days inclusive; None = open end."""

    coverage_id: UUID
    scheme_id: str
    starts_on: date
    ends_on: date | None
    units: int
    version: int


@dataclass(frozen=True, slots=True)
class Member:
    """A member as the row in the database has it, opened.

    The three versions count what other services keep apart: who and where, the card, the contact.
    """

    member_id: UUID
    identity_index: bytes
    salt: bytes = field(repr=False)
    unit_code: str
    person: Person = field(repr=False)
    coverages: Mapping[str, Coverage]
    version: int = 1
    payee_version: int = 1
    contact_version: int = 1

    def with_payee(self, payee: Payee) -> "Member":
        """Correct the card; the card that is there already changes nothing."""
        if payee == self.person.payee:
            return self
        corrected = msgspec.structs.replace(self.person, corrected=payee)
        return replace(self, person=corrected, payee_version=self.payee_version + 1)


@dataclass(frozen=True, slots=True)
class Correction:
    """A new card for a member; what is None stays as it is.

    `instead_of` is the version of the card that it takes the place of; None: whichever is there.
    """

    member_id: UUID
    card: CardNumber
    bank: str | None = None
    account_name: PersonName | None = None
    instead_of: int | None = None

    def of(self, payee: Payee) -> Payee:
        same_card = self.card == payee.card
        kept_bank = payee.bank if same_card else ""
        return Payee(
            name=self.account_name or payee.name,
            card=self.card,
            bank=kept_bank if self.bank is None else self.bank,
        )


class RowCode(StrEnum):
    """Why a roster row was refused."""

    MISSING_FIELD = "MISSING_FIELD"
    EXTRA_FIELD = "EXTRA_FIELD"
    BAD_NAME = "BAD_NAME"
    ID_CHECK_DIGIT = "ID_CHECK_DIGIT"
    BAD_ID_NUMBER = "BAD_ID_NUMBER"
    BAD_PHONE = "BAD_PHONE"
    BAD_CARD = "BAD_CARD"
    BAD_DATE = "BAD_DATE"
    BAD_SCHEME = "BAD_SCHEME"
    BAD_UNITS = "BAD_UNITS"
    BAD_GROUP = "BAD_GROUP"
    DUPLICATE_ROW = "DUPLICATE_ROW"
    NOT_IN_SERVICE = "NOT_IN_SERVICE"
    NOT_PROCESSED = "NOT_PROCESSED"


class FileCode(StrEnum):
    """Why a roster was refused whole."""

    UNREADABLE_FILE = "UNREADABLE_FILE"
    EMPTY_FILE = "EMPTY_FILE"
    MISSING_COLUMN = "MISSING_COLUMN"
    DUPLICATE_COLUMN = "DUPLICATE_COLUMN"
    FILE_LOST = "FILE_LOST"


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """One thing wrong with a row, counted as a spreadsheet counts: the header is row 1."""

    row: int
    column: str
    code: RowCode


class Cover(msgspec.Struct, frozen=True, gc=False):
    """A scheme that a row asks for, and how many units of it."""

    scheme_id: str
    units: int


class RosterRow(msgspec.Struct, frozen=True):
    """A row that may be enrolled."""

    row: int
    person: Person
    covers: tuple[Cover, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next rows of a roster, read and judged."""

    rows: tuple[RosterRow, ...]
    refusals: tuple[Refusal, ...]
    count: int


class RosterStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Roster:
    """An upload and how far it has got: `accepted + refused + unchanged = done`."""

    roster_id: UUID
    unit_code: str
    starts_on: date
    status: RosterStatus = RosterStatus.QUEUED
    code: FileCode | None = None
    encoding: str = ""
    rows: int = 0
    done: int = 0
    accepted: int = 0
    refused: int = 0
    unchanged: int = 0

    def begun(self, encoding: str, rows: int) -> "Roster":
        return replace(self, status=RosterStatus.RUNNING, encoding=encoding, rows=rows)

    def refused_whole(self, code: FileCode) -> "Roster":
        return replace(self, status=RosterStatus.REFUSED, code=code)

    def advanced(self, *, accepted: int, refused: int, unchanged: int) -> "Roster":
        done = self.done + accepted + refused + unchanged
        return replace(
            self,
            status=RosterStatus.DONE if done == self.rows else self.status,
            done=done,
            accepted=self.accepted + accepted,
            refused=self.refused + refused,
            unchanged=self.unchanged + unchanged,
        )
