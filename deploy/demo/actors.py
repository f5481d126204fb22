"""Who acts in the story, each by the doors that are open to them: thin clients, no knowledge."""

import asyncio
import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Self

import httpx

from deploy.clients.hospital import HospitalAuth
from deploy.clients.member import Member
from deploy.clients.staff import StaffAuth

Json = dict[str, Any]
API = "/api/v1"
TIMEOUT_S = 30.0
UPLOAD_TIMEOUT_S = 600.0
SETTLEMENTS_PER_POST = 500


class Refused(Exception):
    """The platform answered with an error; the message tells which, `problem` is its body."""

    def __init__(self, message: str, problem: Json) -> None:
        super().__init__(message)
        self.problem = problem


@dataclass
class Door:
    """One client of one address; every answer that is no success is raised with its words."""

    client: httpx.AsyncClient
    prefix: str = ""

    async def ask(self, method: str, path: str, **sent: Any) -> Json:  # noqa: ANN401 - httpx's own arguments
        return (await self.call(method, path, **sent)).json()

    async def call(self, method: str, path: str, **sent: Any) -> httpx.Response:  # noqa: ANN401 - as above
        answer = await self.client.request(method, self.prefix + path, **sent)
        if not answer.is_success:
            message = f"{method} {path}: {answer.status_code} {answer.text[:300]}"
            problem = "json" in answer.headers.get("content-type", "")
            raise Refused(message, answer.json() if problem else {})
        return answer


class Staff(Door):
    """Union staff at their console."""

    async def put_unit(self, code: str, name: str, staff_count: int, officers: list[Json]) -> Json:
        told = {"name": name, "staff_count": staff_count, "officers": officers}
        return await self.ask("PUT", f"/staff/units/{code}", json=told)

    async def upload_roster(self, unit: str, starts_on: str, content: bytes) -> str:
        answer = await self.ask(
            "POST",
            "/staff/rosters",
            data={"unit": unit, "from": starts_on},
            files={"file": (f"{unit}.csv", content, "text/csv")},
        )
        return answer["roster_id"]

    async def roster(self, roster_id: str) -> Json:
        return await self.ask("GET", f"/staff/rosters/{roster_id}")

    async def upload_feed(self, name: str, content: bytes | BinaryIO) -> str:
        files = {"file": (name, content, "application/octet-stream")}
        sent = await self.ask("POST", "/staff/feeds", files=files, timeout=UPLOAD_TIMEOUT_S)
        return sent["feed_id"]

    async def feed(self, feed_id: str) -> Json:
        return await self.ask("GET", f"/staff/feeds/{feed_id}")

    async def refusals(self, feed_id: str) -> list[dict[str, str]]:
        answer = await self.call("GET", f"/staff/feeds/{feed_id}/refusals.csv")
        return list(csv.DictReader(answer.text.splitlines()))

    async def refused_payouts(self, unit: str | None = None) -> list[Json]:
        asked = {} if unit is None else {"unit": unit}
        return await self._pages("/staff/refused-payouts", "payouts", asked)

    async def batches(self) -> list[Json]:
        return await self._pages("/staff/payout-batches", "batches", {})

    async def correct_card(self, member_id: str, card_number: str) -> Json:
        told = {"card_number": card_number}
        return await self.ask("PUT", f"/staff/members/{member_id}/payee", json=told)

    async def search(self, id_number: str) -> str:
        answer = await self.ask("POST", "/staff/members/search", json={"id_number": id_number})
        return answer["member_id"]

    async def benefits(self, member_id: str, **of: object) -> Json:
        return await self.ask("GET", f"/staff/members/{member_id}/benefits", params=of)

    async def left(self, member_id: str) -> list[Json]:
        answer = await self.ask("GET", f"/staff/members/{member_id}/benefits/left")
        return answer["benefits"]

    async def claim(self, claim_id: str) -> Json:
        return await self.ask("GET", f"/staff/claims/{claim_id}")

    async def scheme(self, scheme_id: str) -> Json:
        return await self.ask("GET", f"/staff/schemes/{scheme_id}")

    async def scheme_file(self, scheme_id: str) -> str:
        return (await self.call("GET", f"/staff/schemes/{scheme_id}/file")).text

    async def draft(self, scheme_id: str, content: str) -> Json:
        told = {"content": content}
        return await self.ask("POST", f"/staff/schemes/{scheme_id}/drafts", json=told)

    async def ask_backtest(self, scheme_id: str, **asked: str) -> str:
        answer = await self.ask("POST", f"/staff/schemes/{scheme_id}/backtest", json=asked)
        return answer["backtest_id"]

    async def backtest(self, backtest_id: str) -> Json:
        return await self.ask("GET", f"/staff/backtests/{backtest_id}")

    async def backtest_file(self, backtest_id: str, name: str) -> bytes:
        return (await self.call("GET", f"/staff/backtests/{backtest_id}/{name}")).content

    async def publish(self, scheme_id: str, draft_id: str) -> Json:
        return await self.ask("POST", f"/staff/schemes/{scheme_id}/drafts/{draft_id}/publish")

    async def books(self) -> Json:
        return await self.ask("GET", "/staff/reports/books")

    async def _pages(self, path: str, name: str, asked: dict[str, str]) -> list[Json]:
        found: list[Json] = []
        while True:
            page = await self.ask("GET", path, params=asked)
            found += page[name]
            if page["next_cursor"] is None:
                return found
            asked = {**asked, "cursor": page["next_cursor"]}


class Finance(Staff):
    """Finance at its desk: one proposes or approves, another confirms."""

    async def approve(self, batch_id: str) -> str:
        answer = await self.ask("POST", f"/staff/payout-batches/{batch_id}/approve")
        return answer["status"]

    async def propose(self, act: Json, reason: str) -> str:
        told = {"act": act, "reason": reason}
        return (await self.ask("POST", "/staff/acts", json=told))["act_id"]

    async def confirm(self, act_id: str) -> None:
        await self.call("POST", f"/staff/acts/{act_id}/confirm")

    async def refuse(self, act_id: str) -> None:
        await self.call("POST", f"/staff/acts/{act_id}/refuse")

    async def expect(self, receipts: Sequence[Json]) -> list[str]:
        told = {"receipts": list(receipts)}
        return (await self.ask("POST", "/staff/receipts", json=told))["receipt_ids"]

    async def receipts(self) -> list[Json]:
        return await self._pages("/staff/receipts", "receipts", {})

    async def open_lines(self) -> list[Json]:
        """Give the bank's lines that have found no counterpart."""
        return await self._pages("/staff/statement-lines", "lines", {})

    async def reconciliation(self, fund_id: str, first: date, last: date) -> list[Json]:
        asked = {"fund": fund_id, **_span(first, last)}
        return (await self.ask("GET", "/staff/reconciliation", params=asked))["days"]

    async def funds(self) -> list[Json]:
        return (await self.ask("GET", "/staff/funds"))["funds"]

    async def ledger_days(self, first: date, last: date) -> list[Json]:
        answer = await self.ask("GET", "/staff/ledger/days", params=_span(first, last))
        return answer["days"]

    async def month_page(self, month: str) -> str:
        return (await self.call("GET", f"/staff/reports/months/{month}.txt")).text

    async def month_sheet(self, month: str) -> bytes:
        return (await self.call("GET", f"/staff/reports/months/{month}.pdf")).content

    async def unit_payouts(self, unit: str, first: date, last: date) -> bytes:
        path = f"/staff/units/{unit}/payouts.csv"
        return (await self.call("GET", path, params=_span(first, last))).content


class Hospital(Door):
    """A partner hospital; every request is signed."""

    async def check(self, rows: Sequence[Mapping[str, str]]) -> list[Json]:
        return await self._each("/hospital/settlements:check", rows)

    async def post(self, rows: Sequence[Mapping[str, str]]) -> list[Json]:
        return await self._each("/hospital/settlements", rows)

    async def look(self, setl_id: str) -> Json:
        return await self.ask("GET", f"/hospital/settlements/{setl_id}")

    async def _each(self, path: str, rows: Sequence[Mapping[str, str]]) -> list[Json]:
        results: list[Json] = []
        for begin in range(0, len(rows), SETTLEMENTS_PER_POST):
            part = rows[begin : begin + SETTLEMENTS_PER_POST]
            # Signed is what is sent, so the body is made once, here.
            results += (await self.ask("POST", path, json={"settlements": part}))["results"]
        return results


@dataclass
class MemberApp(Door):
    """A member with the mini program on her phone."""

    session: Member = field(init=False)

    def __post_init__(self) -> None:
        self.session = Member(self.client)

    async def claims(self) -> list[Json]:
        return (await self.ask("GET", "/me/claims", params={"limit": 100}))["claims"]

    async def claim(self, claim_id: str) -> Json:
        return await self.ask("GET", f"/me/claims/{claim_id}")

    async def why_page(self, claim_id: str) -> str:
        return (await self.call("GET", f"/me/claims/{claim_id}/why.txt")).text

    async def slip(self, claim_id: str) -> bytes:
        return (await self.call("GET", f"/me/claims/{claim_id}/slip.pdf")).content

    async def left(self) -> list[Json]:
        return (await self.ask("GET", "/me/benefits"))["benefits"]

    async def expected(self, bill: Json) -> Json:
        return await self.ask("POST", "/me/benefits/expected", json=bill)

    async def me(self) -> Json:
        return await self.ask("GET", "/me")

    async def look(self, code: str, id_tail: str) -> Json:
        """See for what a text's code stands; nobody is signed in."""
        return await self.ask("POST", "/mend/look", json={"code": code, "id_tail": id_tail})

    async def mend(self, code: str, id_tail: str, card_number: str) -> str:
        told = {"code": code, "id_tail": id_tail, "card_number": card_number}
        return (await self.ask("POST", "/mend", json=told))["card_tail"]

    async def payouts(self) -> list[Json]:
        return (await self.ask("GET", "/me/payouts"))["payouts"]

    async def payout_slip(self, payout_id: str) -> bytes:
        return (await self.call("GET", f"/me/payouts/{payout_id}/slip.pdf")).content

    async def messages(self) -> list[Json]:
        return (await self.ask("GET", "/me/messages"))["messages"]


class OtherSide(Door):
    """Bank, SMS provider and WeChat, as whoever runs the sandbox sees them."""

    async def open_account(self, account: str, name: str, status: str = "open") -> None:
        told = [{"account": account, "name": name, "status": status}]
        await self.call("POST", "/bank/accounts", json=told)

    async def close_account(self, account: str, name: str) -> None:
        await self.open_account(account, name, "closed")

    async def give_back(self, instruction_id: str, reason: str) -> None:
        """Give a transfer back that was booked (退票)."""
        told = [{"instruction_id": instruction_id, "reason": reason, "kind": "return"}]
        await self.call("POST", "/bank/returns", json=told)

    async def pay_in(self, deposits: Sequence[Json]) -> None:
        await self.call("POST", "/bank/deposits", json=list(deposits))

    async def hand_out(self, transfers: Sequence[Json]) -> None:
        await self.call("POST", "/bank/transfers", json=list(transfers))

    async def payer(self, account: str) -> Json:
        return await self.ask("GET", f"/bank/payers/{account}")

    async def movements(self, account: str) -> list[dict[str, str]]:
        """Give all that moved on a payer's account, as the counter prints it."""
        path, found = f"/bank/accounts/{account}/movements.csv", list[dict[str, str]]()
        while True:
            after = found[-1]["流水号"] if found else "0"
            answer = await self.call("GET", path, params={"after": after})
            page = list(csv.DictReader(io.StringIO(answer.content.decode("gb18030"))))
            if not page:
                return found
            found += page

    async def hand_out_wechat_code(self, code: str, openid: str) -> None:
        await self.call("POST", "/wechat/codes", json=[{"code": code, "openid": openid}])

    async def bank_book(self) -> list[Json]:
        return await self._book("/bank/book")

    async def texts(self) -> list[Json]:
        return await self._book("/sms/log")

    async def login_code(self, phone: str) -> str | None:
        """Read the code as the phone would show it."""
        for text in reversed(await self.texts()):
            if (text["template"], text["phone"]) == ("SMS_LOGIN_CODE", phone):
                return text["params"]["code"]
        return None

    async def _book(self, path: str) -> list[Json]:
        answer = await self.call("GET", path)
        return [json.loads(line) for line in answer.content.splitlines()]


class Cast:
    """Everybody who acts, with the credentials that the platform wrote; leaving hangs up."""

    def __init__(self, var_dir: Path) -> None:
        text = (var_dir / "dev" / "credentials.json").read_text(encoding="utf-8")
        self._known: Json = json.loads(text)
        self._clients: list[httpx.AsyncClient] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(client.aclose() for client in self._clients))

    def staff(self, role: str) -> Staff:
        known = self._of("staff", role=role)
        names = ("username", "password", "totp_secret")
        auth = StaffAuth(self._known["gateway"], *(known[name] for name in names))
        return Staff(self._client("gateway", auth), API)

    def finance(self, role: str) -> Finance:
        staff = self.staff(role)
        return Finance(staff.client, staff.prefix)

    def hospital(self, fixmedins_code: str) -> Hospital:
        known = self._of("hospitals", fixmedins_code=fixmedins_code)
        auth = HospitalAuth(known["keyid"], known["secret"])
        return Hospital(self._client("gateway", auth), API)

    def member(self) -> MemberApp:
        return MemberApp(self._client("gateway"), API)

    def other_side(self) -> OtherSide:
        return OtherSide(self._client("sandbox"))

    def _of(self, kind: str, **marks: str) -> Json:
        return next(one for one in self._known[kind] if marks.items() <= one.items())

    def _client(self, address: str, auth: httpx.Auth | None = None) -> httpx.AsyncClient:
        client = httpx.AsyncClient(base_url=self._known[address], auth=auth, timeout=TIMEOUT_S)
        self._clients.append(client)
        return client


def _span(first: date, last: date) -> dict[str, str]:
    return {"from": first.isoformat(), "to": last.isoformat()}
