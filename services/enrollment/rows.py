"""Roster rows: from the bytes of a CSV file to persons and covers, or to what is wrong."""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache, partial
from itertools import islice
from typing import BinaryIO, Final

from services.common.identity import (
    IdNumber,
    PersonName,
    card_number,
    mobile_phone,
    resident_id,
)
from services.enrollment.model import (
    Chunk,
    Cover,
    FileCode,
    Payee,
    Person,
    Refusal,
    RosterRow,
    RowCode,
)

REQUIRED: Final[tuple[str, ...]] = (
    "name",
    "id_number",
    "phone",
    "card_number",
    "employment_status",
    "schemes",
)
COLUMNS: Final[tuple[str, ...]] = (*REQUIRED, "id_type", "card_bank", "hired_on", "groups")
ENCODINGS: Final = ("utf-8-sig", "gb18030")
RESIDENT_ID: Final = "01"
IN_SERVICE: Final = "in_service"
TEXT_CHARACTERS_MAX: Final = 64
_VALUES_KEPT_MAX: Final = 4_096

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OTHER_PAPER = re.compile(r"[0-9A-Z]{5,20}")
_UNITS = re.compile(r"[1-9][0-9]{0,2}")
_GROUP = re.compile(r"[a-z_]{1,32}(?::[a-z_]{1,32})?")

_NOTHING: Final[list[str]] = []

Covers = tuple[Cover, ...]


class FileRefused(Exception):
    """The file cannot be read as a roster; nothing of it is taken."""

    def __init__(self, code: FileCode) -> None:
        super().__init__(code)
        self.code = code


def measured(reopen: Callable[[], BinaryIO]) -> tuple[str, int]:
    """Read the whole file once; give its encoding and how many rows it has, or refuse it."""
    for encoding in ENCODINGS:
        try:
            with reopen() as file:
                _, rows = table(file, encoding)
                count = sum(1 for _ in rows)
        except UnicodeDecodeError:
            continue
        except csv.Error as error:
            raise FileRefused(FileCode.UNREADABLE_FILE) from error
        if count == 0:
            raise FileRefused(FileCode.EMPTY_FILE)
        return encoding, count
    raise FileRefused(FileCode.UNREADABLE_FILE)


def table(file: BinaryIO, encoding: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Give the header, and the rows that are not blank with their numbers."""
    lines = csv.reader(io.TextIOWrapper(file, encoding=encoding, newline=""), strict=True)
    header = [name.strip() for name in next(lines, _NOTHING)]
    if not any(header):
        raise FileRefused(FileCode.EMPTY_FILE)
    if any("\0" in name for name in header):
        raise FileRefused(FileCode.UNREADABLE_FILE)
    if any(column not in header for column in REQUIRED):
        raise FileRefused(FileCode.MISSING_COLUMN)
    if any(header.count(column) > 1 for column in COLUMNS):
        raise FileRefused(FileCode.DUPLICATE_COLUMN)
    return header, ((row, cells) for row, cells in enumerate(lines, start=2) if any(cells))


class RosterReader:
    """Reads one roster from its first row on, chunk by chunk.

    It remembers whom it has met: the second row of one person is refused wherever it stands.
    """

    def __init__(
        self, file: BinaryIO, encoding: str, *, schemes: Mapping[str, int], today: date
    ) -> None:
        header, self._rows = table(file, encoding)
        self._width = len(header)
        # The last cell of a padded row is empty: there stands what the file has no column for.
        self._places = [header.index(name) if name in header else -1 for name in COLUMNS]
        self._today = today
        self._met: set[str] = set()
        self._covers = lru_cache(_VALUES_KEPT_MAX)(partial(covers, schemes))

    def skip(self, rows: int) -> None:
        """Pass over rows that were taken before, yet remember whom they name."""
        for row, cells in islice(self._rows, rows):
            self._judged(row, cells)

    def next_chunk(self, rows: int) -> Chunk:
        good: list[RosterRow] = []
        refusals: list[Refusal] = []
        count = 0
        for row, cells in islice(self._rows, rows):
            count += 1
            judged = self._judged(row, cells)
            if isinstance(judged, RosterRow):
                good.append(judged)
            else:
                refusals += judged
        return Chunk(tuple(good), tuple(refusals), count)

    def _judged(self, row: int, cells: list[str]) -> RosterRow | list[Refusal]:
        surplus = any(cells[self._width :])
        padded = [*cells[: self._width], *[""] * (self._width - len(cells)), ""]
        texts = [padded[place].strip() for place in self._places]
        name_, number_, phone_, card_, status, schemes, type_, bank_, hired_, groups_ = texts

        id_type = type_ or RESIDENT_ID
        number = id_number(number_, id_type, self._today)
        name, bank = person_name(name_), words(bank_)
        phone, card = mobile_phone(plain(phone_)), card_number(plain(card_))
        hired_on, groups, asked = day(hired_), read_groups(groups_), self._covers(schemes)
        met = number is not None and self._met_before(number)
        if (
            name is not None
            and number is not None
            and phone is not None
            and card is not None
            and bank is not None
            and groups is not None
            and (hired_on is not None or not hired_)
            and not isinstance(asked, RowCode)
            and status == IN_SERVICE
            and not met
            and not surplus
        ):
            stated = Payee(name, card, bank)
            person = Person(name, id_type, number, phone, stated, hired_on, groups)
            return RosterRow(row, person, asked)

        cell = dict(zip(COLUMNS, texts, strict=True))
        found: tuple[tuple[str, object, RowCode], ...] = (
            ("name", name, RowCode.BAD_NAME),
            ("id_number", number, _bad_number(id_type)),
            ("phone", phone, RowCode.BAD_PHONE),
            ("card_number", card, RowCode.BAD_CARD),
            ("card_bank", bank, RowCode.BAD_CARD),
            ("hired_on", hired_on or not hired_ or None, RowCode.BAD_DATE),
            ("groups", groups, RowCode.BAD_GROUP),
        )
        wrong = {
            column: code if cell[column] else RowCode.MISSING_FIELD
            for column, value, code in found
            if value is None
        }
        if met:
            wrong["id_number"] = RowCode.DUPLICATE_ROW
        if status != IN_SERVICE:
            wrong["employment_status"] = RowCode.NOT_IN_SERVICE if status else RowCode.MISSING_FIELD
        if isinstance(asked, RowCode):
            wrong["schemes"] = asked
        if surplus:
            wrong[""] = RowCode.EXTRA_FIELD
        return [Refusal(row, column, code) for column, code in wrong.items()]

    def _met_before(self, number: IdNumber) -> bool:
        met = number.open() in self._met
        self._met.add(number.open())
        return met


def _bad_number(id_type: str) -> RowCode:
    return RowCode.ID_CHECK_DIGIT if id_type == RESIDENT_ID else RowCode.BAD_ID_NUMBER


def id_number(text: str, id_type: str, born_by: date) -> IdNumber | None:
    """Check a resident's number by its digits, any other paper by its form alone."""
    number = plain(text).upper()
    if id_type == RESIDENT_ID:
        return resident_id(number, born_by=born_by)
    return IdNumber(number) if _OTHER_PAPER.fullmatch(number) else None


def plain(text: str) -> str:
    """Write full-width signs as what they are, and leave out blanks inside a number."""
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).replace(" ", "")


def person_name(text: str) -> PersonName | None:
    name = words(text)
    return PersonName(name) if name else None


def words(text: str) -> str | None:
    """Take a short text in one form of Unicode; signs that do not print are no text."""
    normal = unicodedata.normalize("NFC", text)
    return normal if len(normal) <= TEXT_CHARACTERS_MAX and normal.isprintable() else None


@lru_cache(_VALUES_KEPT_MAX)
def day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


@lru_cache(_VALUES_KEPT_MAX)
def read_groups(text: str) -> tuple[str, ...] | None:
    """`hardship; gig:courier` are two groups."""
    groups = [group.strip() for group in text.split(";") if group.strip()]
    if all(_GROUP.fullmatch(group) for group in groups):
        return tuple(sorted(set(groups)))
    return None


def covers(schemes: Mapping[str, int], text: str) -> Covers | RowCode:
    """`bj.mutual:1;ct.women:2` asks for two schemes, each with its units.

    `schemes` holds how many units of each one member may have.
    """
    if not text:
        return RowCode.MISSING_FIELD
    asked: list[Cover] = []
    for part in text.split(";"):
        scheme_id, _, units = (word.strip() for word in part.partition(":"))
        if scheme_id not in schemes or scheme_id in [cover.scheme_id for cover in asked]:
            return RowCode.BAD_SCHEME
        if not _UNITS.fullmatch(units) or int(units) > schemes[scheme_id]:
            return RowCode.BAD_UNITS
        asked.append(Cover(scheme_id, int(units)))
    return tuple(asked)
