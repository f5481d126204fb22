"""The scenes of a month's end: money comes in, bank and books are compared, the month is closed."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from deploy.demo import accounts, show, words
from deploy.demo.accounts import (
    ACCOUNTS,
    ANNOUNCED,
    FEE,
    FUNDS,
    NAMES,
    OPENING,
    STRANGER,
    Account,
    Deposit,
)
from deploy.demo.actors import Cast, Json, Refused, Staff
from deploy.demo.books import Check
from deploy.demo.patience import until
from deploy.demo.plans import Bill
from deploy.demo.spoil import refund_of
from services.common.kit import clock

_NOTHING = {"number": 0, "money_in": "0.00", "money_out": "0.00"}


class MonthScenes:
    """Plays them; what is found is added to the story's checks.

    `taken_back` is a bill of one plan; the hospital takes it back after it was paid.
    """

    def __init__(
        self, cast: Cast, admin: Staff, taken_back: Bill, checks: list[Check], var_dir: Path
    ) -> None:
        self.cast = cast
        self.checks = checks
        self.taken_back = taken_back
        self.recovered = taken_back.whole
        self._admin = admin
        self.maker, self.checker = cast.finance("finance_maker"), cast.finance("finance_checker")
        self.other_side = cast.other_side()
        self._folder = var_dir / "demo"
        self.today = clock.today()

    async def member_was_overpaid(self) -> None:
        show.heading("The hospital takes a bill back", "医院冲销一张已付的单据")
        bill = self.taken_back
        [due] = bill.due
        posted = await self.cast.hospital(bill.hospital.code).post([refund_of(bill.row)])
        statuses = [one["status"] for one in posted]
        show.line(f"{bill.hospital.name} 冲销 → {words.state(statuses[0])}")
        member_id = await self._admin.search(bill.patient.id_number)

        async def told() -> Json | None:
            found = await self._admin.benefits(member_id, scheme=due.scheme_id)
            return found if found["to_recover"] == due.amount else None

        owed = await until("the overpayment", told)
        show.line(f"{show.name(bill.patient.name)} 多得 {owed['to_recover']} 元,待退回")
        self.checks.append(
            Check(
                "冲销后待收回 · a bill taken back after it was paid is to be recovered",
                (["reversed"], "0.00", due.amount),
                (statuses, owed["granted"], owed["to_recover"]),
            )
        )

    async def money_comes_in(self) -> None:
        show.heading("Contributions come in on the bank's statement", "会费、补助到账,自动认领")
        await self.maker.expect([_announced(one) for one in ANNOUNCED])
        header = ("基金", "种类", "单位", "编号", "应到", "分几笔到")
        rows: list[Sequence[object]] = [header]
        for one in ANNOUNCED:
            kind = words.ACCOUNTS[one.kind]
            came = " + ".join(one.transfers)
            rows.append((NAMES[one.fund_id], kind, one.unit, one.reference, one.amount, came))
        show.table(rows)
        deposits = [
            Deposit(one.fund_id, amount, one.party, f"{words.ACCOUNTS[one.kind]} {one.reference}")
            for one in ANNOUNCED
            for amount in one.transfers
        ]
        deposits += [STRANGER, self._repaid]
        # The fee first: whoever has read on to the deposits has read it too.
        await self.other_side.hand_out([{**_moved(FEE), "kind": "fee"}])
        await self.other_side.pay_in([_moved(one) for one in deposits])
        waiting = await until("the bank's lines in the books", self._only_strangers)
        receipts = await self.maker.receipts()
        for line in waiting:
            show.line(
                f"待认领:{NAMES[line['fund_id']]} {line['party']} {line['amount']} 元"
                f" “{line['remark']}” {words.coded(line['reason'])}"
            )
        self.checks += [
            Check(
                "来款按编号自动认领,分两笔的也是 · what was announced is matched, in two parts too",
                sorted((one.reference, one.amount, True) for one in ANNOUNCED),
                sorted((one["reference"], one["amount"], one["matched"]) for one in receipts),
            ),
            Check(
                "没有预告的等人认领 · what nobody announced waits for people",
                sorted((one.fund_id, one.amount) for one in (STRANGER, self._repaid)),
                sorted((line["fund_id"], line["amount"]) for line in waiting),
            ),
        ]
        await self._attached(waiting)

    @property
    def _repaid(self) -> Deposit:
        patient = self.taken_back.patient
        return Deposit(STRANGER.fund_id, str(self.recovered), patient.name, "退回多付互助金")

    async def _only_strangers(self) -> list[Json] | None:
        """Give the lines that wait for people, once all others have found their counterpart."""
        receipts, lines = await self.maker.receipts(), await self.maker.open_lines()
        settled = all(line["status"] == "exception" for line in lines)
        settled = settled and all(receipt["matched"] for receipt in receipts)
        return lines if settled and len(lines) == len((STRANGER, self._repaid)) else None

    async def _attached(self, waiting: Sequence[Json]) -> None:
        """Let two people say what the strangers' money is: a subsidy, and what was overpaid."""
        member_id = await self._admin.search(self.taken_back.patient.id_number)
        [due] = self.taken_back.due
        recovery = {"to": "recovery", "member_id": member_id, "scheme_id": due.scheme_id}
        subsidy = {"to": "account", "account": "union_subsidy"}
        alone: list[str] = []
        for line in waiting:
            repaid = line["amount"] == self._repaid.amount
            act = {
                "kind": "attach",
                "line_ids": [line["line_id"]],
                "target": recovery if repaid else subsidy,
            }
            reason = "会员退回多付的互助金" if repaid else "上级补助,来文后补"
            act_id = await self.maker.propose(act, reason)
            alone.append(await self._confirmed_alone(act_id))
            await self.checker.confirm(act_id)
            show.line(f"{line['amount']} 元:财务经办提出“{reason}”,财务复核确认")
        show.line(f"财务经办自己确认 → 退回:{words.coded(alone[0])}")
        owed = await self._admin.benefits(member_id, scheme=due.scheme_id)
        self.checks += [
            Check("认领要两个人 · nobody attaches alone", ["NOT_ALLOWED"] * 2, alone),
            Check("多付的已收回 · what was overpaid is repaid", "0.00", owed["to_recover"]),
            Check(
                "银行流水都有着落 · no line of the bank is open", [], await self.maker.open_lines()
            ),
        ]

    async def _confirmed_alone(self, act_id: str) -> str:
        try:
            await self.maker.confirm(act_id)
        except Refused as refused:
            return str(refused.problem["code"])
        return ""

    async def bank_and_books(self) -> None:
        show.heading("Bank and books, account by account", "银行存款余额调节表")
        first = self.today.replace(day=1)
        bank = await self.bank_side()
        wrong: list[str] = []
        rows: list[Sequence[object]] = [("基金", "银行余额", "账面余额", "未达账项", "差额")]
        for fund in FUNDS:
            days = await self.maker.reconciliation(fund.fund_id, first, self.today)
            day, balance = days[-1], bank[fund.fund_id].balance
            difference = balance - Decimal(day["book"])
            items = day["bank_only"]["number"] + day["book_only"]["number"]
            rows.append((fund.name, balance, day["book"], items, difference))
            if difference or (day["bank_only"], day["book_only"]) != (_NOTHING, _NOTHING):
                wrong.append(f"{fund.fund_id}: {balance} at the bank, {day}")
        show.table(rows)
        sums = {one.fund_id: OPENING + bank[one.fund_id].net for one in FUNDS}
        tails = {one["fund_id"]: one["account_tail"] for one in await self.maker.funds()}
        self.checks += [
            Check("四个账户:账面 = 银行余额 · books = bank, account by account", [], wrong),
            Check(
                "银行余额 = 期初 + 流水 · the bank's balances = opening + its lines",
                sums,
                {fund_id: one.balance for fund_id, one in bank.items()},
            ),
            Check(
                "看的是这四个账户 · these are the accounts",
                {fund_id: account[-4:] for fund_id, account in ACCOUNTS.items()},
                tails,
            ),
        ]

    def repaid_to(self, fund_id: str) -> Decimal:
        """Give what members have paid back to a fund."""
        return self.recovered if fund_id == STRANGER.fund_id else Decimal(0)

    def income_of(self, fund_id: str) -> Decimal:
        """Give what an association gets of a fund: its members' contributions and fees."""
        kinds = ("member_contributions", "membership_fees")
        came = [one for one in ANNOUNCED if one.fund_id == fund_id and one.kind in kinds]
        return sum((Decimal(one.amount) for one in came), Decimal(0))

    def keep(self, name: str, content: bytes) -> str:
        """Keep a file that somebody was given; say where it lies."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return show.path(path)

    async def bank_side(self) -> dict[str, Account]:
        """Add up every account from the bank's own book."""
        book = await self.other_side.bank_book()
        payers, movements = await asyncio.gather(
            asyncio.gather(*(self.other_side.payer(fund.account) for fund in FUNDS)),
            asyncio.gather(*(self.other_side.movements(fund.account) for fund in FUNDS)),
        )
        return {
            fund.fund_id: accounts.added_up(payer["balance"], moved, book)
            for fund, payer, moved in zip(FUNDS, payers, movements, strict=True)
        }


def _announced(one: accounts.Expected) -> Json:
    return {
        "fund_id": one.fund_id,
        "kind": one.kind,
        "amount": one.amount,
        "reference": one.reference,
        "unit_code": one.unit,
    }


def _moved(one: Deposit) -> Json:
    return {
        "account": ACCOUNTS[one.fund_id],
        "amount": one.amount,
        "party": one.party,
        "remark": one.remark,
    }
