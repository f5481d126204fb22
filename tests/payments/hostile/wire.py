"""The line to the bank: calls get lost before it or behind it, late, twice, cut, or mixed up."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Final

import httpx

from services.payments.channels.folder import DropFolder
from tests.payments.hostile.bank import OtherSide

# What may befall a call; `killed` kinds take our own process along.
CALLS: Final = (
    "unreachable",
    "drop_request",
    "drop_answer",
    "late",
    "twice",
    "twice_and_late",
    "cut_answer",
    "garbage_answer",
    "portal_200",
    "portal_404",
    "status_502",
    "done_but_500",
    "stale_answer",
    "other_answer",
    "killed_before",
    "killed_behind",
)
FOLDER: Final = ("put_fails", "put_killed_before", "put_killed_behind")
_PORTAL: Final = b"<html><body>please log in</body></html>"


class Killed(BaseException):
    """Our process ends here, at once."""


@dataclass
class Wire(httpx.AsyncBaseTransport):
    """Carries calls to the bank's doors; `mishaps` befall the next calls, in order."""

    other_side: OtherSide
    random: Random
    struck: Counter[str]
    mishaps: list[str] = field(default_factory=list[str])
    late: list[httpx.Request] = field(default_factory=list[httpx.Request])
    # The last answers, by what was asked.
    answers: dict[str, httpx.Response] = field(default_factory=dict[str, httpx.Response])

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        kind = self.mishaps.pop(0) if self.mishaps else ""
        if kind:
            self.struck[f"call.{kind}"] += 1
        unheard = self._before(kind, request)
        if unheard is not None:
            return unheard
        question = f"{request.method} {request.url.path}"
        earlier = dict(self.answers)
        answer = await self._carry(request)
        if kind in ("twice", "twice_and_late"):
            answer = await self._carry(request)
        if kind == "twice_and_late":
            self.late.append(request)
        self.answers[question] = answer
        return self._behind(kind, answer, question, earlier)

    async def arrive_late(self) -> int:
        """Let what lay on the line arrive, in any order; nobody hears the answers."""
        late, self.late = self.late, []
        self.random.shuffle(late)
        for request in late:
            with suppress(httpx.RemoteProtocolError):
                await self._carry(request)
        return len(late)

    def _before(self, kind: str, request: httpx.Request) -> httpx.Response | None:
        """Let happen what keeps the call from the bank; None: it goes there."""
        match kind:
            case "unreachable":
                raise httpx.ConnectError("no route")
            case "drop_request":
                raise httpx.ReadTimeout("no answer")
            case "late":
                self.late.append(request)
                raise httpx.ReadTimeout("no answer")
            case "killed_before":
                raise Killed
            case "portal_200":
                return httpx.Response(200, content=_PORTAL)
            case "portal_404":
                return httpx.Response(404, content=_PORTAL)
            case "status_502":
                return httpx.Response(502, content=_PORTAL)
            case _:
                return None

    def _behind(
        self,
        kind: str,
        answer: httpx.Response,
        question: str,
        earlier: dict[str, httpx.Response],
    ) -> httpx.Response:
        body = answer.content
        match kind:
            case "drop_answer":
                raise httpx.ReadTimeout("no answer")
            case "killed_behind":
                raise Killed
            case "cut_answer":
                return httpx.Response(answer.status_code, content=body[: len(body) * 2 // 3])
            case "garbage_answer":
                return httpx.Response(200, content=self.random.randbytes(len(body) or 8))
            case "done_but_500":
                return httpx.Response(500, content=b"{}")
            case "stale_answer" if question in earlier:
                return _again(earlier[question])
            case "other_answer" if earlier:
                return _again(earlier[self.random.choice(sorted(earlier))])
            case _:
                return answer

    async def _carry(self, request: httpx.Request) -> httpx.Response:
        copy = httpx.Request(
            request.method, request.url, headers=request.headers, content=request.content
        )
        try:
            answer = await self.other_side.door.handle_async_request(copy)
        except ConnectionAbortedError as hung_up:
            raise httpx.RemoteProtocolError("hung up") from hung_up
        body = await answer.aread()
        await self.other_side.at_rest()
        return httpx.Response(answer.status_code, content=body)


def _again(answer: httpx.Response) -> httpx.Response:
    return httpx.Response(answer.status_code, content=answer.content)


@dataclass
class Share:
    """What befalls the shared folder: the next puts, in order."""

    struck: Counter[str]
    mishaps: list[str] = field(default_factory=list[str])

    def next(self) -> str:
        kind = self.mishaps.pop(0) if self.mishaps else ""
        if kind:
            self.struck[f"folder.{kind}"] += 1
        return kind


class MishapFolder(DropFolder):
    """The drop folder as our process sees it, on a share that fails."""

    def __init__(self, side: OtherSide, share: Share) -> None:
        super().__init__(side.wire)
        self._share = share

    def put(self, name: str, content: bytes) -> None:
        kind = self._share.next()
        if kind == "put_killed_before":
            raise Killed
        if kind == "put_fails":
            raise OSError("the share is gone")
        super().put(name, content)
        if kind == "put_killed_behind":
            raise Killed
