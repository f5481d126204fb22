"""Staff at the doors of claims: scheme files they change, drafts, backtests, publications."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from services.claims.main import new_app
from services.claims.store import backtest as store
from services.claims.usecases.backtest import get
from services.common.ids import new_id
from services.common.kit import auth, clock
from services.common.kit.auth import Caller, internal_token
from services.common.schemes.load import DATA
from tests.claims.conftest import ClaimsDesk

REVIEWER, OTHER = auth.staff(new_id(), "reviewer"), auth.staff(new_id(), "reviewer")
CHECKER, AUDITOR = auth.staff(new_id(), "finance_checker"), auth.staff(new_id(), "auditor")
WH = (DATA / "wh.medical.yaml").read_text(encoding="utf-8")
CT = (DATA / "ct.medical.yaml").read_text(encoding="utf-8")
# On this day period 15 of wh.medical, and the year 2024, are still to come.
TODAY = datetime(2023, 6, 15, 4, 0, tzinfo=UTC)

_CT_RATE = """            - value: "0.70"
              valid_from: 2020-01-01
"""
_CT_QUOTE = next(line for line in CT.splitlines(keepends=True) if "按70%支付保障金" in line)


def dearer(first_day: str = "2024-01-01", last_day: str = "2023-12-31", rate: str = "0.80") -> str:
    """Give ct.medical with another rate from a day on, and a worked case for it."""
    changed = CT.replace(_CT_RATE, f"{_CT_RATE}              valid_to: {last_day}\n")
    changed = changed.replace(
        _CT_QUOTE,
        f"{_CT_QUOTE}"
        f'            - value: "{rate}"\n'
        f"              valid_from: {first_day}\n"
        "              assumed: made up for a test\n",
    )
    changed = changed.replace(
        "    shows: [medical.pooled.rate]\n", "    shows: [medical.pooled.rate@2020-01-01]\n"
    ).replace(
        "    shows: [medical.pooled.rate, medical.large_sum.rate]\n",
        "    shows: [medical.pooled.rate@2020-01-01, medical.large_sum.rate]\n",
    )
    return changed + (
        "  - id: the-new-rate\n"
        f"    shows: [medical.pooled.rate@{first_day}]\n"
        "    why: made up for a test\n"
        f"    cover: {{starts: {first_day}}}\n"
        "    claims:\n"
        f"      - {{admission: {first_day}, day: {first_day}, visit: inpatient,"
        f' co_pay_pooled: "100.00", benefit: "{100 * float(rate):.2f}"}}\n'
    )


_BJ = (DATA / "bj.mutual.yaml").read_text(encoding="utf-8")
_BJ_CAP = '        - value: "200000.00"\n          valid_from: 2018-01-01\n'
_BJ_QUOTE = "          quote: 最高互助金额20万元\n"
LOWER_CAP = _BJ.replace(_BJ_CAP, f"{_BJ_CAP}          valid_to: 2023-12-31\n").replace(
    f"{_BJ_QUOTE}\ncases:\n",
    f"{_BJ_QUOTE}"
    '        - value: "1900.00"\n'
    "          valid_from: 2024-01-01\n"
    "          assumed: made up for a test\n"
    """
cases:
  - id: the-new-cap
    shows: [medical.cap@2024-01-01]
    why: made up for a test
    claims:
      - day: 2024-01-09
        visit: inpatient
        self_pay_one: "9000.00"
        benefit: "1900.00"
        code: CAP_ANNUAL
""",
)


@asynccontextmanager
async def opened(claims: ClaimsDesk) -> AsyncGenerator[httpx.AsyncClient]:
    """Give a client that stands before the doors with the internal bearer."""
    app = new_app(claims.settings, claims.counter)
    bearer = {"authorization": f"Bearer {internal_token(claims.settings)}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://claims", headers=bearer
    ) as client:
        yield client


def by(caller: Caller) -> dict[str, str]:
    return {"x-caller": caller.header()}


async def drafted(
    door: httpx.AsyncClient, content: str, scheme_id: str = "ct.medical", caller: Caller = REVIEWER
) -> dict[str, Any]:
    path = f"/schemes/{scheme_id}/drafts"
    answer = await door.post(path, json={"content": content}, headers=by(caller))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def tried(claims: ClaimsDesk, door: httpx.AsyncClient, draft: dict[str, Any]) -> None:
    """Ask for a backtest and let it be done, with nothing found."""
    asked = await door.post(
        f"/schemes/{draft['scheme_id']}/backtest",
        json={"draft_id": draft["draft_id"], "from": "2023-01-01", "to": "2023-05-31"},
        headers=by(REVIEWER),
    )
    assert asked.status_code == 202, asked.text
    backtest_id = UUID(asked.json()["backtest_id"])
    async with claims.database.begin() as unit:
        await store.finish(unit, backtest_id, "{}", clock.now())
    assert (await get(claims.database, backtest_id)).status == "done"


async def published(
    door: httpx.AsyncClient, draft: dict[str, Any], caller: Caller = CHECKER
) -> httpx.Response:
    path = f"/schemes/{draft['scheme_id']}/drafts/{draft['draft_id']}/publish"
    return await door.post(path, headers=by(caller))
