"""The story, scene by scene: what each actor does, and what each of them sees."""

import asyncio
import gzip
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from deploy.demo import accounts, books, plans, show, words
from deploy.demo.actors import Cast, Json
from deploy.demo.books import Check
from deploy.demo.dataset import Dataset
from deploy.demo.failures import FailureScenes
from deploy.demo.inquiry import ask_again, granted
from deploy.demo.large import FROM_YUAN, LargePayout, large_payee
from deploy.demo.month import MonthScenes
from deploy.demo.month_close import MonthClose
from deploy.demo.patience import until
from deploy.demo.plans_scenes import PlansScenes
from deploy.demo.quiet import Quiet
from deploy.demo.rule_scene import RuleScene


@dataclass
class Story:
    """What is known so far; the scenes are played in the order in which they stand here."""

    cast: Cast
    data: Dataset
    var_dir: Path
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    figures: dict[str, Any] = field(default_factory=dict[str, Any])
    checks: list[Check] = field(default_factory=list[Check])
    feed_id: str = ""

    def __post_init__(self) -> None:
        self.admin = self.cast.staff("admin")
        self.officer = self.cast.staff("filing_officer")
        self.other_side = self.cast.other_side()
        self.told: Json = self.data.cast
        self.quiet = Quiet(self.admin)
        self.failures = FailureScenes(self.cast, self.told, self.checks, self.quiet)
        self.large = LargePayout(self.cast, large_payee(self.data), FROM_YUAN, self.checks)
        self.plans_data = plans.PlansData.now()
        self.plans = PlansScenes(self.cast, self.plans_data, self.checks, self.var_dir)
        bill = next(
            one for one in self.plans_data.bills if one.patient is self.plans_data.who.courier
        )
        self.month = MonthScenes(self.cast, self.admin, bill, self.checks, self.var_dir)
        self.close = MonthClose(self.month, self._granted_by_fund())
        self.rule = RuleScene(self.cast, self.checks, self.var_dir)

    async def play(self) -> None:
        scenes = (
            ("units", self.units_register),
            ("bank", self.accounts_in_another_name),
            ("rosters", self.rosters_come_in),
            ("feed", self.feed_comes_in),
            ("hospital", self.hospital_posts),
            ("plans", self.plans.hospitals_post),
            ("large", self.large.two_people_approve),
            ("payouts", self.money_goes_out),
            ("refused", self.failures.refusals_are_told),
            ("corrected", self.failures.cards_are_corrected),
            ("plan by plan", self.plans.plan_by_plan),
            ("returned", self.transfer_comes_back),
            ("member", self.member_looks),
            ("left", self.plans.member_asks),
            ("rule", self.rule.change_is_tried),
            ("overpaid", self.month.member_was_overpaid),
            ("money in", self.month.money_comes_in),
            ("bank and books", self.month.bank_and_books),
            ("month", self.close.month_is_closed),
            ("association", self.close.association_settles),
            ("papers", self.papers),
            ("books", self.books_are_compared),
        )
        for name, scene in scenes:
            with self._timed(name):
                await scene()

    async def units_register(self) -> None:
        show.heading("Units and their filing officers", "单位与经办人")
        own = plans.UNIT._asdict()
        for union in [*self.told["units"], own]:
            members = sum(member["unit"] == union["code"] for member in self.data.members)
            members += len(self.plans_data.who) if union is own else 0
            officer = {"name": union["officer"], "phone": union["phone"]}
            await self.officer.put_unit(union["code"], union["name"], members, [officer])
            shown = f"{show.name(union['officer'])} {show.phone(union['phone'])}"
            show.line(f"{union['code']} {union['name']}  经办人 {shown}")

    async def accounts_in_another_name(self) -> None:
        show.heading("Two cards that belong to somebody else", "两张户名不符的卡")
        for one in self.told["refused_cards"]:
            await self.other_side.open_account(one["card"], one["holder_at_bank"])
            holder, member = show.name(one["holder_at_bank"]), show.name(one["name"])
            show.line(f"{show.account(one['card'])}  银行户名 {holder},花名册姓名 {member}")

    async def rosters_come_in(self) -> None:
        show.heading("Rosters", "会员花名册")
        starts_on = self.told["covered_from"]
        sent = {
            unit: await self.officer.upload_roster(unit, starts_on, content)
            for unit, content in self.data.rosters.items()
        }
        own, since = self.plans_data.roster, plans.COVERED_FROM.isoformat()
        sent[plans.UNIT.code] = await self.officer.upload_roster(plans.UNIT.code, since, own)
        accepted = 0
        for unit, roster_id in sent.items():
            done = await self._roster_done(unit, roster_id)
            accepted += done["accepted"]
        self.figures["members"] = accepted
        due = len(self.data.members) + len(self.plans_data.who)
        self.checks.append(Check("花名册:全部参保 · rosters: all members enrolled", due, accepted))

    async def _roster_done(self, unit: str, roster_id: str) -> Json:
        progress = show.Progress()

        async def done() -> Json | None:
            roster = await self.officer.roster(roster_id)
            taken = f"{roster['accepted']}/{roster['rows']} 人参保,{roster['refused']} 行退回"
            if roster["status"] in ("done", "refused"):
                progress.done(f"{unit} {taken}")
                return roster
            progress.show(f"{unit} {taken}")
            return None

        return await until(f"roster of {unit}", done)

    async def feed_comes_in(self) -> None:
        show.heading("The insurance bureau's settlement feed", "医保局结算明细")
        content = gzip.compress(self.data.feed_path.read_bytes(), mtime=0)
        self.feed_id = await self.admin.upload_feed("settlements.csv.gz", content)
        progress = show.Progress()

        async def done() -> Json | None:
            feed = await self.admin.feed(self.feed_id)
            counted = f"{feed['done']}/{feed['lines']} 行,核定互助金 {feed['benefit']} 元"
            if feed["status"] in ("done", "refused"):
                progress.done(counted)
                return feed
            progress.show(counted)
            return None

        feed = await until("the feed", done)
        refusals = await self.admin.refusals(self.feed_id)
        show.line(
            "给付 {settled} · 不给付 {rejected} · 冲销 {reversed} · 重复 {duplicate}"
            " · 退回 {refused}".format(**feed)
        )
        by_code = Counter(one["code"] for one in refusals).most_common()
        reasons = " · ".join(f"{words.coded(code)} {n} 行" for code, n in by_code)
        show.paragraph(f"退回原因 {reasons}", "  ")
        self.figures["feed"] = feed
        self.checks += books.check_feed(self.data, feed, refusals)

    async def hospital_posts(self) -> None:
        show.heading("A hospital posts a signed claim", "医院实时结算(签名报文)")
        claim = self.told["hospital_claim"]
        hospital = self.cast.hospital(claim["fixmedins_code"])
        [tried] = await hospital.check([claim])
        show.line(f"试算 → {words.state(tried['status'])} {tried.get('benefit', '')} 元(不入账)")
        [posted] = await hospital.post([claim])
        status, name = words.state(posted["status"]), claim["fixmedins_name"]
        show.line(f"{name} 提交 → {status} {posted['benefit']} 元")
        self.figures["posted_at"] = time.time()
        due = self.told["hospital_benefit"]
        self.checks.append(
            Check(
                "医院:试算与核定相同 · hospital: checked, then settled with the same benefit",
                [("settled", due)] * 2,
                [(one["status"], one.get("benefit")) for one in (tried, posted)],
            )
        )

    async def money_goes_out(self) -> None:
        show.heading("Payouts through the bank, warm reminders to members", "代发与温馨短信")
        self.quiet.refused += len(self.told["refused_cards"])
        await self.quiet.reached()
        texts = await self.other_side.texts()
        paid = [text for text in texts if text["template"] == "SMS_PAYOUT_PAID"]
        for text in paid[:3]:
            show.text(text)
        show.line(f"… 共 {len(paid)} 条到账短信")

    async def transfer_comes_back(self) -> None:
        driver = self.plans_data.who.driver
        [bill] = [one for one in self.plans_data.bills if one.patient is driver]
        await self.failures.transfer_comes_back(driver, plans.UNIT.code, str(bill.whole))

    async def member_looks(self) -> None:
        show.heading("A member looks at hers in the mini program", "会员小程序")
        phone = self.told["heroine"]["phone"]
        app = self.cast.member()
        await self.other_side.hand_out_wechat_code("code-1", "openid-of-the-member")
        known = await app.session.by_wechat("code-1")
        show.line(f"微信登录 → {'已绑定' if known else words.coded('PHONE_PROOF_NEEDED')}")
        await app.session.ask_code(phone)
        code = await until(
            "the text with the login code", lambda: self.other_side.login_code(phone)
        )
        await app.session.by_code(phone, code)
        again = self.cast.member()
        await self.other_side.hand_out_wechat_code("code-2", "openid-of-the-member")
        bound = await again.session.by_wechat("code-2")
        show.line(f"短信验证码登录成功;再次微信登录 → {'直接进入' if bound else '失败'}")
        me = await again.me()
        show.line(f"{me['name']} {me['phone']} {me['unit_name']} 卡尾号 {me['card_tail']}")
        [claim] = await again.claims()
        explained = await again.claim(claim["claim_id"])
        show.line(f"{claim['hospital']} {claim['incurred_on']} 互助金 {claim['benefit']} 元,因为:")
        for step in explained["why"]:
            show.paragraph(f"{step['text_zh']}{words.clause(step['clause'])}")
        [payout] = await again.payouts()
        status, tail = words.state(payout["status"]), payout["card_tail"]
        show.line(f"打款 {payout['amount']} 元 {status} 尾号 {tail}")
        messages = await again.messages()
        for message in messages:
            show.paragraph(f"短信:{message['text']}")
        stations = (words.station(moment["what"]) for moment in explained["timeline"])
        show.line("经过 " + " → ".join(stations))
        due = self.told["hospital_benefit"]
        self.checks += [
            Check(
                "会员:首次登录验手机 · member: first login needs the phone, the next does not",
                (False, True),
                (known, bound),
            ),
            Check(
                "会员:逐步算到互助金 · member: the steps lead to the amount",
                due,
                explained["why"][-1]["amount_out"],
            ),
            Check(
                "会员:核定、打款、短信相同 · member: claim, payout and text agree",
                [due] * 2 + ["paid"],
                [claim["benefit"], payout["amount"], payout["status"]],
            ),
            Check("会员:一条短信 · member: one message", 1, len(messages)),
        ]

    async def books_are_compared(self) -> None:
        show.heading("The books", "对账")
        here, bank, texts, sides = await asyncio.gather(
            self.admin.books(),
            self.other_side.bank_book(),
            self.other_side.texts(),
            self.month.bank_side(),
        )
        total = sum(self._granted_by_fund().values())
        phones = {one["card_number"]: one["phone"] for one in self.data.members}
        phones |= {person.card: person.phone for person in self.plans_data.who}
        phones |= self.failures.phones | self.large.phones
        came_in = sum(one.net + one.moved("代发") - one.moved("退票") for one in sides.values())
        self.checks += books.check_money(
            here,
            bank,
            books.fen(str(total)),
            came_in_fen=books.fen(str(came_in)),
            repaid_fen=books.fen(str(self.month.recovered)),
        )
        self.checks += books.check_texts(bank, texts, phones.__getitem__)
        self.checks += books.check_quiet(here)
        asked = self._granted_per_year(), ask_again(self.cast, self.data)
        self.checks += await asyncio.gather(*asked)
        self._figures(here, bank, texts)
        for check in self.checks:
            show.check(check.name, ok=check.ok)

    def _granted_by_fund(self) -> dict[str, Decimal]:
        """Add up what is due from each fund in the end; the feed is of Beijing's members."""
        due = accounts.due_by_fund(self.plans_data.dues)
        due["union"] += Decimal(self.told["hospital_benefit"])
        due["union"] += sum(one.benefit for one in self.data.expected)
        due[accounts.STRANGER.fund_id] -= self.month.recovered
        return due

    async def papers(self) -> None:
        await self.close.papers(self.plans_data, plans.UNIT.code)

    async def _granted_per_year(self) -> Check:
        due = {(one.certno, one.year): one.benefit for one in self.data.expected}
        claim = self.told["hospital_claim"]
        due[claim["certno"], int(claim["enddate"][:4])] = Decimal(self.told["hospital_benefit"])
        found = await granted(self.admin, due)
        wrong = [
            f"{found[key]} for {due[key]} in {key[1]}" for key in due if found[key] != due[key]
        ]
        return Check("每人每年每一分 · fen per member and year = expected", [], wrong)

    def _figures(self, here: Json, bank: list[Json], texts: list[Json]) -> None:
        booked = [one for one in bank if one["status"] == "booked"]
        self.figures |= {
            "settlements": len(self.data.rows) + 1 + len(self.plans_data.bills),
            "granted_yuan": str(Decimal(here["claims"]["granted_fen"]) / 100),
            "payments": len(booked),
            "refused_by_bank": sum(one["status"] == "refused" for one in bank),
            "returned_by_bank": sum(one["status"] == "returned" for one in bank),
            "texts": dict(Counter(text["template"] for text in texts)),
            "batches": len({one["batch"] for one in bank}),
        }

    @contextmanager
    def _timed(self, name: str) -> Generator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - began, 2)
