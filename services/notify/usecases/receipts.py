"""Receipts: the provider tells what became of a text, once, twice, or before its own answer.

They change nothing but the receipt itself: whether a text was taken is told by the provider's
answer or asked for, since anybody may post a receipt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

import msgspec

from services.common.identity import mobile_phone
from services.common.kit import clock, metrics
from services.common.kit.clock import BUSINESS_ZONE
from services.common.kit.db import Database, storable
from services.common.kit.gathering import Gathering
from services.common.kit.sealing import BlindIndex
from services.notify.errors import ReportUnreadable
from services.notify.store import codes, dispatches, messages
from services.notify.store.dispatches import Receipt

REPORTS_MAX: Final = 1_000
REPORTS_PER_SET_MAX: Final = 2_000
# A provider posts several at a time; what is kept together costs less than half.
KEEPING_LINGER_S: Final = 0.02
# The hundreds of texts that were delivered in one second are told the same of.
TOLD_MAX: Final = 256
CODE_CHARACTERS_MAX: Final = 64


class AliyunReport(msgspec.Struct, gc=False):
    """One element of an SmsReport."""

    phone_number: str
    success: bool
    out_id: str | None = None
    err_code: str | None = None
    report_time: str | None = None


_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_REPORTS: Final = msgspec.json.Decoder(list[AliyunReport])
_REPORT: Final = msgspec.json.Decoder(AliyunReport)


def read_aliyun(body: bytes) -> list[AliyunReport]:
    """Read the receipts; one that cannot be read does not cost the others, nor a repetition."""
    try:
        reports = _REPORTS.decode(body)
    except msgspec.MsgspecError:
        reports = _readable(body)
    if len(reports) > REPORTS_MAX:
        raise ReportUnreadable
    return reports


def _readable(body: bytes) -> list[AliyunReport]:
    try:
        elements = _ELEMENTS.decode(body)
    except msgspec.MsgspecError as unreadable:
        raise ReportUnreadable from unreadable
    if len(elements) > REPORTS_MAX:
        raise ReportUnreadable
    return [report for report in map(_read, elements) if report is not None]


def _read(element: msgspec.Raw) -> AliyunReport | None:
    try:
        return _REPORT.decode(element)
    except msgspec.MsgspecError:
        metrics.texts.labels("receipt_unreadable").inc()
        return None


@dataclass(eq=False)
class Receipts:
    """Keeps receipts; posts that come at the same time are one set."""

    database: Database
    phones: BlindIndex

    def __post_init__(self) -> None:
        self._keeping = Gathering[Sequence[AliyunReport], None](
            self._keep_all,
            rows_of=len,
            rows_max=REPORTS_PER_SET_MAX,
            sets_at_once=1,
            linger_s=KEEPING_LINGER_S,
        )

    async def keep(self, reports: Sequence[AliyunReport]) -> None:
        """Keep the receipts of the texts that are ours; others are nobody's business here."""
        await self._keeping.done(reports)

    async def _keep_all(self, posts: Sequence[Sequence[AliyunReport]]) -> Sequence[None]:
        reports = [report for post in posts for report in post]
        sources = {out_id: _uuid(out_id) for out_id in {one.out_id for one in reports}}
        indexes = {phone: self._index(phone) for phone in {one.phone_number for one in reports}}
        async with self.database.begin() as unit:
            ours = [source_id for source_id in sources.values() if source_id is not None]
            kept = await dispatches.receipts(unit, ours)
            calls = {
                out_id: source_id and kept.get(source_id) for out_id, source_id in sources.items()
            }
            elsewhere: list[tuple[UUID, Receipt]] = []
            others: list[tuple[UUID, Receipt]] = []
            for report in reports:
                receipt, call = _receipt(report), calls[report.out_id]
                places = call.keep(indexes[report.phone_number], receipt) if call else ()
                if call and places and call.retried:
                    elsewhere += [(call.retried[at], receipt) for at in places]
                elif not places and (source_id := sources[report.out_id]):
                    others.append((source_id, receipt))
            await dispatches.save_receipts(unit, list(kept.values()))
            await messages.save_receipts(unit, elsewhere)
            await codes.save_receipts(unit, others)
        delivered = sum(report.success for report in reports)
        metrics.texts.labels("delivered").inc(delivered)
        metrics.texts.labels("undelivered").inc(len(reports) - delivered)
        return [None] * len(posts)

    def _index(self, phone_number: str) -> bytes:
        phone = mobile_phone(phone_number)
        return b"" if phone is None else self.phones.of(phone.open())


def _receipt(report: AliyunReport) -> Receipt:
    """Read what is told of a text; the provider's time is China's, an unreadable one is now."""
    try:
        return _told(report.success, report.err_code, report.report_time)
    except (ValueError, OverflowError):  # a year before the first, in UTC
        return Receipt(report.success, _code(report.err_code), clock.now())


@lru_cache(TOLD_MAX)
def _told(delivered: bool, code: str | None, at: str | None) -> Receipt:  # noqa: FBT001 - it is what is looked up by
    moment = datetime.fromisoformat(at or "").replace(tzinfo=BUSINESS_ZONE).astimezone(UTC)
    return Receipt(delivered, _code(code), moment)


def _code(told: str | None) -> str:
    return storable((told or "")[:CODE_CHARACTERS_MAX])


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
