"""The scenes of the unit whose members hold other plans: every fen held against its working."""

import asyncio
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

from deploy.demo import show, words
from deploy.demo.actors import Cast, Json, MemberApp
from deploy.demo.books import Check
from deploy.demo.failures import signed_in
from deploy.demo.people import Person
from deploy.demo.plans import LABELS, NEXT_DUE, NEXT_STAY, Left, PlansData, left_after

_PDF_BEGINS, _PDF_ENDS = b"%PDF-", b"%%EOF"


class PlansScenes:
    """Plays the unit's part of the story; what it finds is added to the story's checks."""

    def __init__(self, cast: Cast, data: PlansData, checks: list[Check], var_dir: Path) -> None:
        self.cast = cast
        self.data = data
        self.checks = checks
        self._var_dir = var_dir
        self._admin = cast.staff("admin")
        self._other_side = cast.other_side()
        self._claims: list[str] = []  # of the bills, in their order

    @property
    def due(self) -> Decimal:
        """Give what the plans of the unit owe in all, in yuan."""
        return sum((bill.whole for bill in self.data.bills), Decimal(0))

    async def hospitals_post(self) -> None:
        show.heading("Stays of members of other plans", "其他互助计划的会员出院,医院提交")
        posted: list[tuple[str, str | None]] = []
        header = ("会员", "参加的计划", "出院", "住院天数", "个人共付", "结论", "互助金")
        rows: list[tuple[object, ...]] = [header]
        for bill in self.data.bills:
            [told] = await self.cast.hospital(bill.hospital.code).post([bill.row])
            self._claims.append(told["claim_id"])
            posted.append((told["status"], told.get("benefit")))
            held = " + ".join(LABELS[plan] for plan in bill.patient.plans)
            stay = (held, bill.ended, bill.days, bill.row["psn_part_amt"])
            result = (words.state(told["status"]), told["benefit"])
            rows.append((show.name(bill.patient.name), *stay, *result))
        show.table(rows)
        due = [("settled", str(bill.whole)) for bill in self.data.bills]
        self.checks.append(Check("各计划:提交即核定 · plans: settled when posted", due, posted))
        await self._foreign_bill()

    async def _foreign_bill(self) -> None:
        """Let a hospital try another's bill: its key says under which code it may post."""
        bill = self.data.bills[0]
        others = {one.hospital.code for one in self.data.bills} - {bill.hospital.code}
        [told] = await self.cast.hospital(others.pop()).check([bill.row])
        found = (told["status"], told["code"])
        said = f"{words.state(told['status'])}:{words.coded(told['code'])}"
        show.line(f"另一家医院提交同一张单据 → {said}")
        due = ("refused", "FOREIGN_HOSPITAL")
        self.checks.append(Check("医院只能提交本院单据 · only a hospital's own bills", due, found))

    async def plan_by_plan(self) -> None:
        show.heading("Each plan has its own grant, payout and text", "每个计划各自核定、打款、短信")
        claims = await asyncio.gather(*map(self._admin.claim, self._claims))
        rows: list[tuple[object, ...]] = [("会员 出院日", "计划", "手算", "核定", "说明")]
        wrong: list[str] = []
        for bill, claim in zip(self.data.bills, claims, strict=True):
            found = {plan["scheme_id"]: plan for plan in claim["plans"]}
            if {scheme_id: plan["amount"] for scheme_id, plan in found.items()} != bill.amounts:
                wrong.append(f"{bill.row['setl_id']}: {claim['plans']} for {bill.due}")
                continue
            for due in bill.due:
                plan = found[due.scheme_id]
                said = words.CODES.get(plan["code"], plan["code"]) if plan["code"] else ""
                who = f"{show.name(bill.patient.name)} {bill.ended}"
                label = LABELS[due.scheme_id]
                rows.append((who, label, due.working, f"{plan['amount']} ✓", said))
        show.table(rows)
        show.line("✓ 核定与手算相同;取小、取大:取括号中较小、较大的一个")
        self.checks.append(Check("各计划:每一分与手算相同 · plans: every fen = by hand", [], wrong))
        self.checks += [await self._granted_and_paid(), await self._texts_per_payout()]

    async def _granted_and_paid(self) -> Check:
        """Ask plan by plan what each member was granted, and what the bank has paid of it."""
        due: defaultdict[tuple[Person, str], Decimal] = defaultdict(Decimal)
        for bill in self.data.bills:
            for one in bill.due:
                due[bill.patient, one.scheme_id] += Decimal(one.amount)
        wrong: list[str] = []
        for (person, scheme_id), amount in due.items():
            member_id = await self._admin.search(person.id_number)
            told = await self._admin.benefits(member_id, scheme=scheme_id)
            found = (Decimal(told["granted"]), Decimal(told["paid"]))
            if found != (amount, amount):
                wrong.append(f"{found} for {amount} of {scheme_id}")
        return Check("各计划:核定 = 已付 = 手算 · plans: granted = paid = by hand", [], wrong)

    async def _texts_per_payout(self) -> Check:
        """Hold the texts on the members' phones against what is due, one for each payout."""
        phones = {person.phone for person in self.data.who}
        texts = [
            text
            for text in await self._other_side.texts()
            if text["template"] == "SMS_PAYOUT_PAID" and text["phone"] in phones
        ]
        for text in texts:
            if text["phone"] == self.data.who.nearly_free.phone:
                show.text(text)
        due = [
            (bill.patient.phone, one.amount)
            for bill in self.data.bills
            for one in bill.due
            if Decimal(one.amount)
        ]
        told = [(text["phone"], text["params"]["amount"]) for text in texts]
        missing, surplus = Counter(due) - Counter(told), Counter(told) - Counter(due)
        show.line(f"{len(due)} 笔打款,{len(told)} 条到账短信")
        return Check(
            "各计划:一笔打款一条短信 · plans: one text per payout",
            (len(due), 0, 0),
            (len(told), missing.total(), surplus.total()),
        )

    async def member_asks(self) -> None:
        show.heading(
            "What is left, and what a stay would earn", "会员查询:额度还剩多少,住院能得多少"
        )
        who = self.data.who
        app = await signed_in(self.cast, who.nearly_free)
        left = await app.left()
        found = {who.nearly_free: left}
        for person in (who.package, who.hardship):
            # Whoever asks at the union's counter is told the same.
            member_id = await self._admin.search(person.id_number)
            found[person] = await self._admin.left(member_id)
        _show_left(found)
        due = set(left_after(who))
        told = {Left(person, *_left(one)) for person, some in found.items() for one in some}
        self.checks.append(Check("额度 · what is left of every plan", [], sorted(due ^ told)))
        await self._tried(app, left)
        await self._why_and_slip(app)

    async def _tried(self, app: MemberApp, left: list[Json]) -> None:
        tried = await app.expected({"day": self.data.today.isoformat(), **NEXT_STAY})
        asked, earned = NEXT_STAY["self_pay_one"], tried["expected"]
        show.line(f"{show.name(self.data.who.nearly_free.name)} 试算:若再住院,自付一 {asked} 元")
        show.line(f"  → 互助金 {earned} 元(不入账),其中")
        for plan, due in zip(tried["plans"], NEXT_DUE, strict=True):
            label = LABELS[plan["scheme_id"]]
            show.line(f"    {label} {plan['expected']} 元,手算 {due.working}")
        self.checks += [
            Check(
                "试算与手算相同 · a tried stay earns what is worked out by hand",
                [(due.scheme_id, due.amount) for due in NEXT_DUE],
                [(plan["scheme_id"], plan["expected"]) for plan in tried["plans"]],
            ),
            Check("试算不入账 · trying has no effect", left, await app.left()),
        ]

    async def _why_and_slip(self, app: MemberApp) -> None:
        show.heading("Why it is this amount", "为什么是这个数:会员可打开的说明")
        [claim] = await app.claims()
        # The page has the same lines twice, an empty one between: in Chinese, then in English.
        lines = (await app.why_page(claim["claim_id"])).splitlines()
        chinese, english = lines[: len(lines) // 2], lines[len(lines) // 2 + 1 :]
        for text in chinese:
            indent = "  " + " " * (len(text) - len(text.lstrip()))
            show.paragraph(text.strip(), indent)
        show.line(f"(以下为英文,共 {len(english)} 行)")
        slip = await app.slip(claim["claim_id"])
        path = self._var_dir / "demo" / "slip.pdf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(slip)
        show.line(f"打印用的单据(PDF,{len(slip) // 1024} kB):{show.path(path)}")
        bill = next(one for one in self.data.bills if one.patient is self.data.who.nearly_free)
        amounts = [f"{amount}元" for amount in (*bill.amounts.values(), bill.whole)]
        said = [
            text.partition("：")[2] for text in chinese if "互助金：" in text or "合计：" in text
        ]
        self.checks += [
            Check("说明写明每个计划和合计 · the page tells each plan and the sum", amounts, said),
            Check(
                "单据是PDF · the slip is a PDF",
                (_PDF_BEGINS, _PDF_ENDS),
                (slip[: len(_PDF_BEGINS)], slip.rstrip()[-len(_PDF_ENDS) :]),
            ),
        ]


def _left(one: Json) -> tuple[str, str, str, str]:
    """Give of a plan what was granted, and in words which floors, cap and claims are left."""
    if one["missing"]:
        lacks = words.FIGURES.get(one["missing"], one["missing"])
        return one["scheme_id"], "", "", f"规定未公布:{lacks}"
    floors = " ".join(f"{floor['kind']['zh']}{floor['left']}" for floor in one["floors"])
    limits = [] if one["cap_left"] is None else [f"{one['cap_left']} 元"]
    if one["claims_max"] is not None:
        limits.append(f"{one['claims_left']} 次(共 {one['claims_max']} 次)")
    return one["scheme_id"], one["granted"], floors or "无", " ".join(limits) or "不限"


def _show_left(found: dict[Person, list[Json]]) -> None:
    header = ("会员", "计划", "本期至", "本期已核定", "起付线还差(元)", "还可给付")
    rows: list[tuple[object, ...]] = [header]
    for person, left in found.items():
        for one in left:
            scheme_id, *said = _left(one)
            ends = one["period_ends"] or ("" if one["missing"] else "不分期")
            rows.append((show.name(person.name), LABELS[scheme_id], ends, *said))
    show.table(rows)
