"""Receipts (SmsReport): the provider tells its customer what became of each text.

Which calls still have to be reported is worked out from the log and from the book of reports, so a
restart forgets none; one that was on its way when the provider was killed is reported again.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import msgspec

from deploy.sandbox.books import Book
from deploy.sandbox.clock import now, stamp
from deploy.sandbox.settings import SandboxSettings
from deploy.sandbox.sms.provider import Addressed, Call, Provider

# A call is never told in parts, so one of a thousand phones is a post of its own.
REPORTS_PER_POST_MAX = 500
GATHERING_S = 0.1
POSTS_AT_ONCE = 4


class Reported(msgspec.Struct):
    """Calls, by their place in the log, that are reported or given up."""

    at: str
    calls: list[int]
    delivered: bool


class Report(msgspec.Struct, gc=False):
    """What the customer is told of one text."""

    phone_number: str
    send_time: str
    report_time: str
    sms_size: str
    biz_id: str
    out_id: str
    success: bool = True
    err_code: str = "DELIVERED"
    err_msg: str = "用户接收成功"


class Taken(msgspec.Struct):
    """What the customer answers; 0: it has them."""

    code: int


class Receipts:
    def __init__(self, settings: SandboxSettings, folder: Path, provider: Provider) -> None:
        self._url = settings.sms_report_url
        self._timeout_s = settings.sms_report_timeout_s
        self._retry_delays_s = settings.sms_report_retry_delays_s
        self._provider = provider
        self._book = Book(folder / "reported.jsonl")
        # Calls by their place in the log, and how many texts each is good for.
        self._due: deque[tuple[int, int]] = deque()
        self._any_due = asyncio.Event()
        self._posts_free = asyncio.Semaphore(POSTS_AT_ONCE)
        self._reported: set[int] = set()
        entries = msgspec.json.Decoder(Reported)
        for _, line in self._book.lines():
            self._reported.update(entries.decode(line).calls)

    def take_up(self, offset: int, call: Call[Addressed]) -> None:
        """Go on after a start with a call of the log, unless it is reported already."""
        if offset in self._reported:
            self._reported.discard(offset)
        else:
            self.expect(offset, len(call.texts), call.receipts)

    def expect(self, offset: int, texts: int, receipts: int) -> None:
        if self._url and receipts:
            self._due.extend([(offset, texts)] * receipts)
            self._any_due.set()

    async def work(self) -> None:
        """Report for as long as there is somebody to report to.

        What is sent within a moment is told together: a post costs both sides the same, be it of
        one receipt or of hundreds.
        """
        if not self._url:
            return
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(self._timeout_s)) as client,
            asyncio.TaskGroup() as group,
        ):
            while True:
                await self._any_due.wait()
                await asyncio.sleep(GATHERING_S)
                while self._due:
                    await self._posts_free.acquire()
                    group.create_task(self._report(client, self._next_calls()))
                self._any_due.clear()

    def _next_calls(self) -> list[int]:
        offset, texts = self._due.popleft()
        offsets = [offset]
        while self._due and texts + self._due[0][1] <= REPORTS_PER_POST_MAX:
            offset, more = self._due.popleft()
            offsets.append(offset)
            texts += more
        return offsets

    async def _report(self, client: aiohttp.ClientSession, offsets: list[int]) -> None:
        try:
            calls = self._provider.calls_at(offsets)
            reports = [_report(call, text) for call in calls for text in call.texts]
            delivered = await self._deliver(client, reports)
            entry = Reported(stamp(now()), offsets, delivered)
            await self._book.append([msgspec.json.encode(entry)])
        finally:
            self._posts_free.release()

    async def _deliver(self, client: aiohttp.ClientSession, reports: Sequence[Report]) -> bool:
        body = msgspec.json.encode(reports)
        headers = {"content-type": "application/json"}
        for delay_s in (0.0, *self._retry_delays_s):
            await asyncio.sleep(delay_s)
            try:
                async with client.post(
                    self._url, data=body, headers=headers, allow_redirects=False
                ) as answer:
                    told = msgspec.json.decode(await answer.read(), type=Taken)
                if answer.ok and told.code == 0:
                    return True
            except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError):
                # Whatever is not the agreed answer is an answer that has to be asked for again.
                continue
        return False


def _report(call: Call[Addressed], text: Addressed) -> Report:
    moment = call.at[:19].replace("T", " ")
    return Report(
        phone_number=text.phone,
        send_time=moment,
        report_time=moment,
        sms_size=str(text.parts),
        biz_id=call.biz_id,
        out_id=call.out_id,
    )
