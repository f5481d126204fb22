"""Receipts (SmsReport): the provider tells its customer what became of each text.

Which texts still have to be reported is worked out from the log and from the book of reports, so
a restart forgets none; one that was on its way when the provider was killed is reported again.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import httpx
import msgspec

from deploy.sandbox.books import Book
from deploy.sandbox.clock import now, stamp
from deploy.sandbox.settings import SandboxSettings
from deploy.sandbox.sms.provider import KeptText, Provider

REPORTS_PER_POST_MAX = 100
POSTS_AT_ONCE = 4


class Reported(msgspec.Struct):
    """Texts, by their place in the log, that are reported or given up."""

    at: str
    offsets: list[int]
    delivered: bool


class Receipts:
    def __init__(self, settings: SandboxSettings, folder: Path, provider: Provider) -> None:
        self._url = settings.sms_report_url
        self._timeout_s = settings.sms_report_timeout_s
        self._retry_delays_s = settings.sms_report_retry_delays_s
        self._provider = provider
        self._book = Book(folder / "reports.jsonl")
        self._due: asyncio.Queue[int] = asyncio.Queue()
        self._reported: set[int] = set()
        entries = msgspec.json.Decoder(Reported)
        for _, line in self._book.lines():
            self._reported.update(entries.decode(line).offsets)

    def take_up(self, offset: int, text: KeptText) -> None:
        """Go on after a start with a text of the log, unless it is reported already."""
        if offset in self._reported:
            self._reported.discard(offset)
        else:
            self.expect([offset], text.receipts)

    def expect(self, offsets: Sequence[int], receipts: int) -> None:
        if self._url:
            for offset in [*offsets] * receipts:
                self._due.put_nowait(offset)

    async def work(self) -> None:
        """Report for as long as there is somebody to report to."""
        if not self._url:
            return
        async with (
            httpx.AsyncClient(timeout=self._timeout_s, trust_env=False) as client,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(POSTS_AT_ONCE):
                group.create_task(self._report_on(client))

    async def _report_on(self, client: httpx.AsyncClient) -> None:
        while True:
            offsets = [await self._due.get()]
            while len(offsets) < REPORTS_PER_POST_MAX and not self._due.empty():
                offsets.append(self._due.get_nowait())
            reports = [_report(text) for text in self._provider.kept_at(offsets)]
            delivered = await self._deliver(client, reports)
            entry = Reported(stamp(now()), offsets, delivered)
            await self._book.append([msgspec.json.encode(entry)])

    async def _deliver(self, client: httpx.AsyncClient, reports: list[dict[str, object]]) -> bool:
        for delay_s in (0.0, *self._retry_delays_s):
            await asyncio.sleep(delay_s)
            try:
                answer = await client.post(self._url, json=reports)
                if answer.is_success and answer.json().get("code") == 0:
                    return True
            except (httpx.HTTPError, ValueError, AttributeError):
                # Whatever is not the agreed answer is an answer that has to be asked for again.
                continue
        return False


def _report(text: KeptText) -> dict[str, object]:
    moment = text.at[:19].replace("T", " ")
    return {
        "phone_number": text.phone,
        "send_time": moment,
        "report_time": moment,
        "success": True,
        "err_code": "DELIVERED",
        "err_msg": "用户接收成功",
        "sms_size": str(text.parts),
        "biz_id": text.biz_id,
        "out_id": text.out_id,
    }
