"""The month is closed by two, and its page held against the bank's book line by line."""

import asyncio
import csv
import io
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from deploy.demo import show, words
from deploy.demo.accounts import ACCOUNTS, FUNDS, Account
from deploy.demo.actors import Json, Refused
from deploy.demo.books import Check
from deploy.demo.failures import signed_in
from deploy.demo.month import MonthScenes
from deploy.demo.month_page import DAYS, HEAD, STATEMENT, TRIAL, Table, due_lines, read_page
from deploy.demo.patience import until
from deploy.demo.plans import PlansData

_ASSOCIATION, _ITS_FUND = "中国职工保险互助会", "chongqing"


class MonthClose:
    """Plays them after the bank and the books agree; `granted` is what is due from each fund."""

    def __init__(self, month: MonthScenes, granted: Mapping[str, Decimal]) -> None:
        self._month = month
        self._granted = granted
        self._maker, self._checker = month.maker, month.checker
        self._first = month.today.replace(day=1)
        self._last = (self._first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        self._name = f"{self._first:%Y-%m}"

    async def month_is_closed(self) -> None:
        show.heading("The month is closed by two people", "关账,两人确认")
        bank = await self._month.bank_side()
        told = [await self._close(early=False), await self._close(early=True)]
        day = await until("the root of the month's last day", self._vouched)
        page, sheet = await asyncio.gather(
            self._maker.month_page(self._name), self._maker.month_sheet(self._name)
        )
        show.page(page)
        show.line(f"打印用的一页(PDF):{self._month.keep(f'month-{self._name}.pdf', sheet)}")
        found = read_page(page)
        facts = found[HEAD][HEAD]
        self._month.checks += [
            Check("没到月末,要说明是提前 · not early unless said", ["ACT_IMPOSSIBLE", ""], told),
            Check(
                "月报:本月、末日校验值 · page: this month, the root of its last day",
                [[self._name], [day["root"]]],
                [facts.get("月份"), facts.get("月末校验值")],
            ),
            self._statements(found, bank),
            self._trial_balances(found, bank),
            self._days(found, bank),
        ]

    async def _close(self, *, early: bool) -> str:
        """Let two people close the month; give the code where it is refused."""
        act = {"kind": "close_month", "month": self._name, "early": early}
        act_id = await self._maker.propose(act, "演示月结")
        said = f"财务经办提出关 {self._name}{',注明提前' if early else ''},财务复核确认"
        try:
            await self._checker.confirm(act_id)
        except Refused as refused:
            code = str(refused.problem["code"])
            show.line(f"{said} → 退回:{words.coded(code)}")
            await self._checker.refuse(act_id)
            return code
        show.line(f"{said} → 已关账;本月还没过完,以后的账记入下月")
        return ""

    async def _vouched(self) -> Json | None:
        days = await self._maker.ledger_days(self._first, self._last)
        return days[-1] if days and days[-1]["day"] == self._last.isoformat() else None

    def _statements(self, found: dict[str, dict[str, Table]], bank: Mapping[str, Account]) -> Check:
        """Hold every line of every fund's statement against the bank's book and our own data."""
        due = {
            fund.name: due_lines(
                fund.fund_id,
                bank[fund.fund_id],
                self._month.repaid_to(fund.fund_id),
                self._granted[fund.fund_id],
            )
            for fund in FUNDS
        }
        told = {name: tables[STATEMENT] for name, tables in found.items() if name != HEAD}
        return Check(
            "月报:收支表逐行 = 银行流水、演示数据 · page: every line = bank's book, own data",
            due,
            told,
        )

    def _trial_balances(
        self, found: dict[str, dict[str, Table]], bank: Mapping[str, Account]
    ) -> Check:
        due: dict[str, object] = {}
        told: dict[str, object] = {}
        for fund in FUNDS:
            lines = found[fund.name][TRIAL]
            balance, granted = bank[fund.fund_id].balance, self._granted[fund.fund_id]
            due[fund.name] = (f"{balance:.2f}", f"{granted:.2f}", True, True)
            told[fund.name] = (
                lines["银行存款"][-1],
                lines["互助金支出"][-1],
                lines["借方合计"] == lines["贷方合计"],
                "借贷平衡" in lines,
            )
        return Check(
            "月报:试算平衡,存款 = 银行,支出 = 核定 · page: trial balance, bank, expense", due, told
        )

    def _days(self, found: dict[str, dict[str, Table]], bank: Mapping[str, Account]) -> Check:
        today = self._month.today.isoformat()
        return Check(
            "月报:今天日终 账面 = 银行,无未达账项 · page: books = bank today, nothing outstanding",
            {
                fund.name: [*[f"{bank[fund.fund_id].balance:.2f}"] * 2, "0.00", "0.00"]
                for fund in FUNDS
            },
            {fund.name: found[fund.name][DAYS][today][:4] for fund in FUNDS},
        )

    async def association_settles(self) -> None:
        show.heading("Chongqing hands up its month, and is allotted it", "重庆:上交总会,总会划拨")
        expected = await self._receipts()
        for one in expected:
            show.line(f"{words.ACCOUNTS[one['kind']]} {one['amount']} 元,编号 {one['reference']}")
        account = ACCOUNTS[_ITS_FUND]
        for one in expected:
            moved = {
                "account": account,
                "amount": one["amount"],
                "party": _ASSOCIATION,
                "remark": f"{self._name} {one['reference']}",
            }
            if one["direction"] == "debit":
                await self._month.other_side.hand_out([moved])
            else:
                await self._month.other_side.pay_in([moved])

        async def settled() -> list[Json] | None:
            now = await self._receipts()
            return now if all(one["matched"] for one in now) else None

        await until("the association's transfers in the books", settled)
        [*_, today] = await self._maker.reconciliation(_ITS_FUND, self._first, self._month.today)
        payer = await self._month.other_side.payer(account)
        in_bank = today["bank_only"]
        difference = Decimal(payer["balance"]) - Decimal(today["book"])
        show.line(f"银行余额 {payer['balance']},本月账面 {today['book']},相差 {difference}")
        show.line(
            f"银行已记、本月账面未记:收 {in_bank['money_in']} 付 {in_bank['money_out']}"
            "(本月已关账,账面记在下月一日)"
        )
        granted, income = self._granted[_ITS_FUND], self._month.income_of(_ITS_FUND)
        self._month.checks += [
            Check(
                "重庆:上交 = 收入,划拨 = 赔付 · Chongqing: income up, payouts down",
                {("handed_up", f"{income:.2f}"), ("allotted", f"{granted:.2f}")},
                {(one["kind"], one["amount"]) for one in expected},
            ),
            Check(
                "重庆:差额由未达账项说明 · Chongqing: what is outstanding explains the difference",
                (2, f"{granted:.2f}", f"{income:.2f}", granted - income),
                (in_bank["number"], in_bank["money_in"], in_bank["money_out"], difference),
            ),
        ]

    async def _receipts(self) -> list[Json]:
        kinds = ("handed_up", "allotted")
        return [one for one in await self._maker.receipts() if one["kind"] in kinds]

    async def papers(self, data: PlansData, unit: str) -> None:
        show.heading("A unit's list, a member's receipt", "单位的打款清单,会员的电子回单")
        written = await self._maker.unit_payouts(unit, self._first, self._month.today)
        path = self._month.keep(f"payouts-{unit}.csv", written)
        rows = list(csv.DictReader(io.StringIO(written.decode("utf-8-sig"))))
        show.table([tuple(rows[0])[:6], *(tuple(row.values())[:6] for row in rows)])
        app = await signed_in(self._month.cast, data.who.hardship)
        payouts = [one for one in await app.payouts() if one["status"] == "paid"]
        slip = await app.payout_slip(payouts[0]["payout_id"])
        shown = self._month.keep("payout-slip.pdf", slip)
        show.line(f"清单(CSV):{path}")
        show.line(f"会员的电子回单(PDF):{shown}")
        due = sorted(
            (show.name(bill.patient.name), one.amount)
            for bill in data.bills
            for one in bill.due
            if Decimal(one.amount)
        )
        told = sorted((row["姓名"], row["金额（元）"]) for row in rows if row["状态"] == "已到账")
        whole = [member.name for member in data.who if member.name in written.decode("utf-8-sig")]
        self._month.checks += [
            Check(
                "单位清单 = 手算,姓名已遮盖 · a unit's list = by hand, names masked",
                (due, []),
                (told, whole),
            ),
            Check("电子回单是PDF · the receipt is a PDF", b"%PDF-", slip[:5]),
        ]
