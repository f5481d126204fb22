"""The scene of a rule: staff read one, try a change out on settled claims, and may not backdate it.

The figures of the backtest are worked out by hand from the two stays of the plan's period 14.
"""

import difflib
from pathlib import Path

from deploy.demo import show, words
from deploy.demo.actors import Cast, Json, Refused
from deploy.demo.books import Check
from deploy.demo.patience import until

SCHEME = "wh.medical"
FLOOR = "medical.inpatient.floor"
FIRST_DAY, LAST_DAY = "2022-11-01", "2023-10-31"  # of period 14
WAS, BECOMES = '"8000.00", valid_from: 2022-11-01', '"6000.00", valid_from: 2022-11-01'
BROKEN_CASE = "the-floor-of-period-14"  # a worked case that the change contradicts
FUND = "100000.00"
# Two stays, with self-pay one of 9200.00 and 7500.00: 80 % of what lies above the floor.
BOOKED_WORKING, DRAFTED_WORKING = "(9200-8000)×80%+0", "(9200-6000)×80%+(7500-6000)×80%"
BOOKED, DRAFTED, DIFFERENCE = "960.00", "3760.00", "2800.00"
FUND_BOOKED, FUND_DRAFTED = "99040.00", "96240.00"
_SAVED = ("table.txt", "picture.svg")


class RuleScene:
    """Plays the scene; what it finds is added to the story's checks."""

    def __init__(self, cast: Cast, checks: list[Check], var_dir: Path) -> None:
        self.checks = checks
        self._drafter, self._publisher = cast.staff("reviewer"), cast.staff("finance_checker")
        self._admin = cast.staff("admin")
        self._folder = var_dir / "demo"

    async def change_is_tried(self) -> None:
        show.heading(
            "A rule is read, changed and tried out", "工作人员查一条规定,改一行,拿旧账试算"
        )
        before = await self._admin.books()
        await self._read()
        content = await self._drafter.scheme_file(SCHEME)
        changed = content.replace(WAS, BECOMES)
        show.line("改动一行:")
        for line in difflib.ndiff(content.splitlines(), changed.splitlines()):
            if line.startswith(("- ", "+ ")):
                show.line(f"  {line[0]} {line[2:].strip(' -')}")
        draft = await self._drafter.draft(SCHEME, changed)
        self._show_draft(draft)
        await self._tried(draft["draft_id"])
        await self._published(draft["draft_id"])
        again, after = await self._drafter.scheme_file(SCHEME), await self._admin.books()
        self.checks += [
            Check("试算不改账 · a trial leaves the books alone", before["claims"], after["claims"]),
            Check("试算不改规定 · a trial leaves the rule alone", True, again == content),
        ]

    async def _read(self) -> None:
        scheme = await self._drafter.scheme(SCHEME)
        documents = {one["document"]: one for one in scheme["documents"]}
        show.line(f"{scheme['name']['zh']},起付线:")
        found = [one for one in scheme["figures"] if one["figure"] == FLOOR]
        for one in found:
            document, clause = documents[one["document"]], words.clause(one["clause"])
            days = f"{one['from']} 至 {one['to'] or '今'}"
            show.line(f"  {days}  {one['value']} 元  原文“{one['quote']}”")
            show.line(f"    {document['publisher']} {document['published']}{clause}")
        self.checks.append(
            Check(
                "规定:两期起付线 · rule: a floor for each period",
                [(FIRST_DAY, LAST_DAY, "8000.00"), ("2023-11-01", None, "6000.00")],
                [(one["from"], one["to"], one["value"]) for one in found],
            )
        )

    def _show_draft(self, draft: Json) -> None:
        for one in draft["changes"]:
            days = f"{one['from']} 至 {one['to'] or '今后'}"
            show.line(f"草案改变:起付线 {one['was']} → {one['becomes']} 元,{days}")
        cases = sorted({one["case_id"] for one in draft["cases_disagreeing"]})
        show.line(f"与 {len(cases)} 个算例不符,算例是已经承诺的结果")
        self.checks += [
            Check(
                "草案:算例不符要说明 · draft: broken cases are named", True, BROKEN_CASE in cases
            ),
            Check(
                "草案:只改一个数字 · draft: one figure of one period",
                ([(FLOOR, FIRST_DAY, LAST_DAY, "8000.00", "6000.00")], [FLOOR]),
                (
                    [
                        (one["figure"], one["from"], one["to"], one["was"], one["becomes"])
                        for one in draft["changes"]
                    ],
                    draft["touches_the_past"],
                ),
            ),
        ]

    async def _tried(self, draft_id: str) -> None:
        days = {"from": FIRST_DAY, "to": LAST_DAY}
        asked = await self._drafter.ask_backtest(SCHEME, draft_id=draft_id, fund=FUND, **days)

        async def done() -> Json | None:
            found = await self._drafter.backtest(asked)
            return found if found["status"] in ("done", "failed") else None

        report = (await until("the backtest", done))["report"]
        for name in _SAVED:
            (self._folder / f"backtest-{name}").write_bytes(
                await self._drafter.backtest_file(asked, name)
            )
        saved = [self._folder / f"backtest-{name}" for name in _SAVED]
        table = saved[0].read_text(encoding="utf-8").rstrip().splitlines()
        # All of its sums, up to the first of the tables by group.
        for line in table[: table.index("", table.index("") + 1)]:
            show.line(line)
        show.line(f"手算:已核定 {BOOKED_WORKING} = {BOOKED},按草案 {DRAFTED_WORKING} = {DRAFTED}")
        shown = "、".join(show.path(path) for path in saved)
        show.line(f"按单位、年龄、医院、金额分组的全表和图:{shown}")
        sums, fund = report["sums"], report["fund"]
        found = [sums["booked"], sums["drafted"], sums["difference"]]
        self.checks += [
            Check(
                "回测与手算相同 · the backtest gives what is worked out by hand",
                [BOOKED, DRAFTED, DIFFERENCE, FUND_BOOKED, FUND_DRAFTED, 2, 2],
                [
                    *found,
                    fund["after_booked"],
                    fund["after_drafted"],
                    sums["claims"],
                    sums["winners"]["members"],
                ],
            ),
            Check(
                "自检:现行规定重算无差 · by the rule in force nothing differs",
                (2, 0),
                (report["check"]["claims"], report["check"]["differing"]),
            ),
        ]

    async def _published(self, draft_id: str) -> None:
        """Try to publish: the drafter must not, and nobody may change what has been settled by."""
        told: list[tuple[str, list[str]]] = []
        for who, staff in (("起草人", self._drafter), ("复核人", self._publisher)):
            try:
                await staff.publish(SCHEME, draft_id)
            except Refused as refused:
                code = refused.problem["code"]
                places = [one["path"] for one in refused.problem.get("errors") or ()]
                show.line(f"{who}发布 → 退回:{words.coded(code)}")
                told.append((code, places))
        self.checks.append(
            Check(
                "过去的规定不能改 · nobody publishes a change of the past",
                [("SAME_PERSON", []), ("EDITION_CHANGES_THE_PAST", [FLOOR])],
                told,
            )
        )
