"""From the texts of a row to a settlement, or to the reason why it is none."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from hashlib import blake2b
from operator import itemgetter
from typing import Final

from services.claims.errors import FeedMissingColumn
from services.claims.model import Facts, Refusal, RefusalCode, Settlement, SettlementKey
from services.common.identity import Diagnosis, is_resident_id
from services.common.kit.sealing import BlindIndex
from services.common.money import BadAmount, Fen, parse_yuan_row

AMOUNTS: Final = (
    "medfee_sumamt",
    "fulamt_ownpay_amt",
    "overlmt_selfpay",
    "preselfpay_amt",
    "inscp_scp_amt",
    "act_pay_dedc",
    "hifp_pay",
    "hifob_pay",
    "fund_pay_sumamt",
    "psn_part_amt",
    "copay_pooled",
    "copay_large_sum",
)
REQUIRED: Final = (
    "setl_id",
    "certno",
    "psn_name",
    "insutype",
    "psn_type",
    "fixmedins_code",
    "hosp_lv",
    "med_type",
    "begndate",
    "enddate",
    "setl_time",
    *AMOUNTS,
)
OPTIONAL: Final = (
    "mdtrt_id",
    "psn_cert_type",
    "fixmedins_name",
    "dise_codg",
    "dise_name",
    "refd_setl_flag",
)
COLUMNS: Final = REQUIRED + OPTIONAL
_TIMES_FROM: Final = REQUIRED.index("begndate")
_AMOUNTS_FROM: Final = REQUIRED.index(AMOUNTS[0])
_AMOUNTS_TO: Final = len(REQUIRED)

# An index entry of PostgreSQL holds 2.7 kB; the key of a settlement has to fit with room to spare.
KEY_CHARS_MAX: Final = 64
TEXT_CHARS_MAX: Final = 512
HASH_BYTES: Final = 16
# Control signs break files and protocols further on; halves of a sign cannot be written at all.
_UNUSABLE: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_RESIDENT: Final = "01"
_REFUND: Final = "1"
_REFUND_FLAGS: Final = ("", "0", _REFUND)
_NOT_TEXT: Final = "\x00"
_SHORTEST_TIME: Final = len("YYYY-MM-DDTHH:MM:SS")
_CHINA: Final = timezone(timedelta(hours=8))
# Outside these years a time zone's shift no longer fits the calendars further on.
_FIRST_DAY: Final = date(1900, 1, 1)
_LAST_DAY: Final = date(2199, 12, 31)
_YEAR_DAY: Final = "2000-01-01"
_PEOPLE_KEPT_MAX: Final = 256
# A feed's rows name the days of a few years, the seconds of a day and the illnesses of a list again
# and again.
_DAYS_KEPT_MAX: Final = 4_096
_TIMES_KEPT_MAX: Final = 65_536
_WORDS_KEPT_MAX: Final = 16_384

# Codes of the national settlement interface.
_VISITS: Final[Mapping[str, str]] = {
    "11": "ordinary_outpatient",
    "14": "special_disease_outpatient",
    "21": "inpatient",
}
# ICD-10: injuries and poisonings, and their outward causes. What kind of accident it was no
# settlement says.
_ACCIDENTS: Final = ("S", "T", "V", "W", "X", "Y")
# No settlement says that anybody looked into anything.
_NOTHING_CONFIRMED: Final[Mapping[str, bool]] = {}


class RowReader:
    """Reads rows of one header; the way from its order to ours is worked out once."""

    def __init__(self, header: Sequence[str], *, hash_key: bytes, identity: BlindIndex) -> None:
        wrong = [name for name in REQUIRED if header.count(name) != 1]
        wrong += [name for name in OPTIONAL if header.count(name) > 1]
        if wrong:
            raise FeedMissingColumn(", ".join(wrong))
        # A column that is not there is read from one empty field behind the last.
        places = [header.index(name) if name in header else len(header) for name in COLUMNS]
        self._pick = itemgetter(*places)
        self._width = len(header)
        self._hash = blake2b(digest_size=HASH_BYTES, key=hash_key, person=b"claims.content")
        # The rows of one person come side by side.
        self._index = lru_cache(_PEOPLE_KEPT_MAX)(identity.of)

    def texts(self, fields: Sequence[str]) -> tuple[str, ...]:
        """Give a row's texts in the order of `COLUMNS`, empty where it is too short."""
        return self._pick((*fields, *[""] * (self._width + 1 - len(fields))))

    def read(self, fields: Sequence[str]) -> Settlement | Refusal:
        return self.texts_and_read(fields)[1]

    def texts_and_read(self, fields: Sequence[str]) -> tuple[tuple[str, ...], Settlement | Refusal]:
        """Give a row's texts, as `texts` does, and what was read from them."""
        if len(fields) != self._width:
            return self.texts(fields), Refusal(RefusalCode.MISSING_FIELD)
        texts = self._pick((*fields, ""))
        return texts, self._judge(texts)

    def _judge(self, values: tuple[str, ...]) -> Settlement | Refusal:
        """Judge in a fixed order: what is missing, amounts, dates, sums, the person."""
        missing = _missing(values)
        if missing:
            return Refusal(RefusalCode.MISSING_FIELD, missing)
        setl_id, number, name, insutype, psn_type, hospital, level, visit = values[:_TIMES_FROM]
        mdtrt_id, papers, hospital_name, dise_codg, dise_name, flag = values[_AMOUNTS_TO:]
        refund = flag == _REFUND
        amounts = _amounts(values[_AMOUNTS_FROM:_AMOUNTS_TO], refund=refund)
        if isinstance(amounts, RefusalCode):
            return Refusal(amounts)
        times = _times(*values[_TIMES_FROM:_AMOUNTS_FROM])
        if times is None:
            return Refusal(RefusalCode.BAD_DATE)
        begun, ended, settled_on, said_times = times
        if not _adds_up(amounts, refund=refund):
            return Refusal(RefusalCode.SUMS_MISMATCH)
        in_scope, _, pooled, _, funds, person, co_pay_pooled, co_pay_large_sum = amounts[4:]
        capitals = number.upper()
        if not papers or papers == _RESIDENT:
            papers, number = _RESIDENT, capitals
            if not is_resident_id(number, born_by=ended):
                return Refusal(RefusalCode.ID_CHECK_DIGIT)
        # The parts hold no control sign, so the separator keeps them apart.
        whose, told = f"{hospital}\x1f{setl_id}\x1f{number}\x1f", str(amounts)
        words = (
            f"{name}\x1f{insutype}\x1f{psn_type}\x1f{hospital}\x1f{level}\x1f{visit}\x1f"
            f"{mdtrt_id}\x1f{papers}\x1f{hospital_name}\x1f{dise_codg}\x1f{dise_name}\x1f"
        )
        cause, diagnosis = _illness(dise_codg)
        return Settlement(
            SettlementKey(hospital, setl_id, refund),
            self._index(capitals),
            Facts(
                day=ended,
                admission=begun,
                # A settlement at the hospital's counter is the claim.
                claimed_on=settled_on,
                visit=_VISITS.get(visit, visit),
                cause=cause,
                diagnosis=diagnosis,
                hospital_level=_level(level),
                in_scope=in_scope,
                self_pay_one=Fen(in_scope - funds if in_scope > funds else 0),
                pooled_paid=pooled,
                co_pay_pooled=co_pay_pooled,
                co_pay_large_sum=co_pay_large_sum,
                own_cost=person,
                confirmed=_NOTHING_CONFIRMED,
                psn_type=psn_type,
                insutype=insutype,
            ),
            self._digest(f"{whose}{words}{said_times}\x1f{told}"),
            self._digest(whose + told.replace("-", "")),
        )

    def _digest(self, text: str) -> bytes:
        digest = self._hash.copy()
        digest.update(text.encode())
        return digest.digest()


def texts_of(fields: Mapping[str, object]) -> tuple[str, ...]:
    """Give a JSON object's texts in the order of `COLUMNS`; what it has beside them is not read."""
    return tuple(_text(fields.get(name)) for name in COLUMNS)


def shown(text: str) -> str:
    """Give a text in a form that can be kept and answered with, whatever was sent."""
    return _UNUSABLE.sub("\N{REPLACEMENT CHARACTER}", text[:TEXT_CHARS_MAX])


def refund_of(texts: Sequence[str]) -> tuple[str, ...]:
    """Give the row that takes a settlement back: every amount its exact negative."""
    amounts = (
        text if set(text) <= set("0.") else f"-{text}" for text in texts[_AMOUNTS_FROM:_AMOUNTS_TO]
    )
    return (*texts[:_AMOUNTS_FROM], *amounts, *texts[_AMOUNTS_TO:-1], _REFUND)


def _text(value: object) -> str:
    """Numbers with a point never become money: a float is no text and reads as unusable."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool() | int():
            return str(int(value))
        case _:
            return _NOT_TEXT


def _missing(values: tuple[str, ...]) -> str:
    """Name the first column without a usable text."""
    if "" in values[:_AMOUNTS_TO]:
        return COLUMNS[values.index("")]
    if values[-1] not in _REFUND_FLAGS:
        return COLUMNS[-1]
    if len(values[0]) > KEY_CHARS_MAX or len(values[5]) > KEY_CHARS_MAX:
        return "setl_id"
    joined = "".join(values)
    if len(joined) <= TEXT_CHARS_MAX and joined.isprintable():
        return ""
    found = (
        column
        for column, value in zip(COLUMNS, values, strict=True)
        if len(value) > TEXT_CHARS_MAX or _UNUSABLE.search(value)
    )
    return next(found, "")


def _amounts(texts: tuple[str, ...], *, refund: bool) -> list[Fen] | RefusalCode:
    try:
        amounts = parse_yuan_row(texts)
    except BadAmount:
        return RefusalCode.BAD_AMOUNT
    if refund:
        return RefusalCode.REFUND_MISMATCH if max(amounts) > 0 else amounts
    return RefusalCode.BAD_AMOUNT if "-" in "".join(texts) else amounts


def _adds_up(amounts: list[Fen], *, refund: bool) -> bool:
    whole, own, over_limit, first_share, in_scope, _, _, _, funds, person, *shares = amounts
    if not whole == funds + person == in_scope + own + over_limit + first_share:
        return False
    # The person's shares of the two sections are parts of what the person paid; a refund is held
    # against its original, whatever that was taken in with.
    return refund or sum(shares) <= person


def _times(begndate: str, enddate: str, setl_time: str) -> tuple[date, date, date, str] | None:
    """Give the days of begin, end and settlement, and all as the hash of a row has them."""
    if len(setl_time) < _SHORTEST_TIME:
        return None
    try:
        (begun, said_begin), (ended, said_end) = _day(begndate), _day(enddate)
        (settled_on, said_day), said_time = _day(setl_time[:10]), _time(setl_time[10:])
    except ValueError:
        return None
    in_order = _FIRST_DAY <= begun <= ended <= _LAST_DAY and _FIRST_DAY <= settled_on <= _LAST_DAY
    said = f"({said_begin}, {said_end}, datetime.datetime{said_day[13:-1]}{said_time})"
    return (begun, ended, settled_on, said) if in_order else None


@lru_cache(_TIMES_KEPT_MAX)
def _time(text: str) -> str:
    """Give what `repr` says of a moment behind its day; without an offset it is China's."""
    moment = datetime.fromisoformat(_YEAR_DAY + text)
    if moment.date() != _day(_YEAR_DAY)[0]:  # an hour 24 is the next day's
        raise ValueError
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_CHINA)
    return repr(moment).removeprefix("datetime.datetime(2000, 1, 1")


@lru_cache(_WORDS_KEPT_MAX)
def _illness(dise_codg: str) -> tuple[str, Diagnosis | None]:
    """Give the cause that an illness's code tells of, and the code as rules ask for it."""
    if not dise_codg:
        return "", None
    accident = dise_codg.upper().startswith(_ACCIDENTS)
    return "accident" if accident else "disease", Diagnosis(dise_codg)


@lru_cache(_WORDS_KEPT_MAX)
def _level(text: str) -> int | None:
    """`3`, `03` and the dictionary's `3A` are level 3; 0 and other words tell none."""
    digits = text.lstrip("0")[:1]
    return int(digits) if digits in ("1", "2", "3") else None


@lru_cache(_DAYS_KEPT_MAX)
def _day(text: str) -> tuple[date, str]:
    """YYYY-MM-DD alone; the standard library takes weeks and unbroken digits as well."""
    if len(text) != len("YYYY-MM-DD") or text[7] != "-":
        raise ValueError
    day = date.fromisoformat(text)
    return day, repr(day)
