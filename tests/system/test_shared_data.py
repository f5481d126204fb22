"""A feed that others made and worked out: every verdict and every fen by the public API.

The data lie beside the repository, not in it; where they are missing there is nothing to test.
"""

import csv
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from deploy.demo.actors import Cast, Json, MemberApp, OtherSide
from deploy.demo.inquiry import granted
from deploy.demo.patience import until
from deploy.local.settings import ROOT
from tests.system.uploads import enroll, settle

SHARED_DIR = ROOT.parent / "shared" / "data"
STARTS_ON = "2012-05-01"
CODES = {
    "sums": "SUMS_MISMATCH",
    "bad_id": "ID_CHECK_DIGIT",
    "unknown_member": "UNKNOWN_MEMBER",
    "retired": "NOT_IN_SERVICE",
}

pytestmark = pytest.mark.skipif(
    not SHARED_DIR.is_dir(), reason="the shared data do not lie beside this repository"
)


class Settled(NamedTuple):
    """The feed after its upload: its rows, what is true of them, and what was answered."""

    rows: list[dict[str, str]]
    truth: list[str]
    feed: Json
    refusals: list[dict[str, str]]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
async def settled(cast: Cast) -> Settled:
    admin = cast.staff("admin")
    rosters = {path.stem: path.read_bytes() for path in sorted(SHARED_DIR.glob("rosters/*.csv"))}
    done = await enroll(admin, rosters, STARTS_ON)
    assert [one["refused"] for one in done] == [0] * len(rosters)
    path = SHARED_DIR / "settlements.csv"
    feed_id, feed = await settle(admin, path.read_bytes())
    truth = [row["truth"] for row in _rows(SHARED_DIR / "truth.csv")]
    return Settled(_rows(path), truth, feed, await admin.refusals(feed_id))


async def test_every_wrong_line_is_refused_with_its_code_and_no_other(settled: Settled) -> None:
    due = {
        line: _code(row, truth)
        for line, (row, truth) in enumerate(zip(settled.rows, settled.truth, strict=True), start=2)
        if truth in CODES or truth == "bad_amount"
    }
    assert {int(one["line"]): one["code"] for one in settled.refusals} == due


async def test_the_counts_are_those_of_the_truth(settled: Settled) -> None:
    feed, of = settled.feed, Counter(settled.truth)
    assert feed["lines"] == len(settled.truth)
    assert feed["settled"] + feed["rejected"] == of["ok"] + of["refunded"] + of["not_covered"]
    assert (feed["reversed"], feed["duplicate"]) == (of["refund"], of["duplicate"])


async def test_who_was_not_covered_or_refunded_sees_it_in_the_mini_program(
    cast: Cast, settled: Settled
) -> None:
    due = {"not_covered": ("rejected", "OUTSIDE_COVERAGE"), "refunded": ("reversed", None)}
    phones = {
        row["id_number"]: row["phone"]
        for path in SHARED_DIR.glob("rosters/*.csv")
        for row in _rows(path)
    }
    apps: dict[str, MemberApp] = {}
    for row, truth in zip(settled.rows, settled.truth, strict=True):
        if truth not in due:
            continue
        phone = phones[row["certno"]]
        if phone not in apps:
            apps[phone] = await _signed_in(cast, phone)
        [claim] = [one for one in await apps[phone].claims() if one["setl_id"] == row["setl_id"]]
        status, code = due[truth]
        assert claim["status"] == status
        assert code in (None, claim["code"])


async def test_every_member_is_granted_per_year_what_the_oracle_says(
    cast: Cast, settled: Settled
) -> None:
    due = {
        (row["certno"], int(row["year"])): Decimal(row["benefit"])
        for row in _rows(SHARED_DIR / "oracle.csv")
    }
    assert await granted(cast.staff("admin"), due) == due
    assert Decimal(settled.feed["benefit"]) == sum(due.values())


def _code(row: dict[str, str], truth: str) -> str:
    """Tell an amount that is not there from one that is no amount."""
    if truth == "bad_amount":
        return "BAD_AMOUNT" if row["inscp_scp_amt"] else "MISSING_FIELD"
    return CODES[truth]


async def _signed_in(cast: Cast, phone: str) -> MemberApp:
    app, other_side = cast.member(), cast.other_side()
    await app.session.ask_code(phone)
    code = await until("the login code", lambda: _code_for(other_side, phone))
    await app.session.by_code(phone, code)
    return app


async def _code_for(other_side: OtherSide, phone: str) -> str | None:
    codes = (
        text["params"]["code"]
        for text in await other_side.texts()
        if (text["template"], text["phone"]) == ("SMS_LOGIN_CODE", phone)
    )
    return next(codes, None)
