"""Receipts: the provider tells what became of a text, once, twice, or before its own answer.

They change nothing but the receipt itself: whether a text was taken is told by the provider's
answer or asked for, since anybody may post a receipt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from services.common.identity import mobile_phone
from services.common.kit import clock, metrics
from services.common.kit.clock import BUSINESS_ZONE
from services.common.kit.db import Database
from services.common.kit.sealing import BlindIndex
from services.notify.errors import ReportUnreadable
from services.notify.store import codes, dispatches
from services.notify.store.dispatches import Receipt

REPORTS_MAX: Final = 1_000
CODE_CHARACTERS_MAX: Final = 64


class AliyunReport(msgspec.Struct):
    """One element of an SmsReport."""

    phone_number: str
    success: bool
    out_id: str | None = None
    err_code: str | None = None
    report_time: str | None = None


_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_REPORT: Final = msgspec.json.Decoder(AliyunReport)


def read_aliyun(body: bytes) -> list[AliyunReport]:
    """Read the receipts; one that cannot be read does not cost the others, nor a repetition."""
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


@dataclass(frozen=True, slots=True)
class Receipts:
    database: Database
    phones: BlindIndex

    async def keep(self, reports: Sequence[AliyunReport]) -> None:
        """Keep the receipts of the texts that are ours; others are nobody's business here."""
        named = [(_uuid(report.out_id or ""), report) for report in reports]
        ours = [(out_id, report) for out_id, report in named if out_id is not None]
        out_ids = list({out_id for out_id, _ in ours})
        async with self.database.begin() as unit:
            messages = await dispatches.recipients(unit, out_ids)
            kept: list[Receipt] = []
            for out_id, report in ours:
                message_id = messages.get((out_id, self._phone_index(report.phone_number)))
                kept.append(_receipt(message_id or out_id, report))
            await dispatches.save_receipts(unit, kept)
            await codes.save_receipts(unit, kept)
        for report in reports:
            metrics.texts.labels("delivered" if report.success else "undelivered").inc()

    def _phone_index(self, phone_number: str) -> bytes:
        phone = mobile_phone(phone_number)
        return b"" if phone is None else self.phones.of(phone.open())


def _receipt(source_id: UUID, report: AliyunReport) -> Receipt:
    code = (report.err_code or "")[:CODE_CHARACTERS_MAX]
    return Receipt(source_id, report.success, code, _moment(report.report_time or ""))


def _moment(text: str) -> datetime:
    """Read the provider's time, which is China's; an unreadable one is now."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=BUSINESS_ZONE)
    except ValueError:
        return clock.now()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
