"""A large payout leaves only when two people have approved the very bytes that go to the bank."""

import json
from typing import NamedTuple

from deploy.demo import show, words
from deploy.demo.actors import Cast, Finance, Json, Refused
from deploy.demo.books import Check
from deploy.demo.dataset import Dataset
from deploy.demo.patience import until
from deploy.demo.people import card

# No plan pays a million, from where on two have to approve; one payout of the demo is above this.
FROM_YUAN = 83_000
_NEW_CARD = 8_000_201
_AWAITS = "awaiting_approval"


def tiers(from_yuan: int) -> dict[str, dict[str, str]]:
    """Give what payments is told, so that two people approve what is at least so much."""
    told = [{"from_yuan": from_yuan, "makers": 1, "checkers": 1}]
    return {"payments": {"PAYMENTS_APPROVAL_TIERS": json.dumps(told)}}


class Payee(NamedTuple):
    """Whose the one large payout is, and how much it is in yuan."""

    name: str
    id_number: str
    phone: str
    amount: str


def large_payee(data: Dataset) -> Payee:
    """Find the one payout of the demo that is so large."""
    [due] = [one for one in data.truth if one.benefit >= FROM_YUAN]
    certno = next(row["certno"] for row in data.rows if row["setl_id"] == due.setl_id)
    [member] = [one for one in data.members if one["id_number"] == certno]
    return Payee(member["name"], certno, member["phone"], str(due.benefit))


class LargePayout:
    """Plays the scene; what is found is added to the story's checks."""

    def __init__(self, cast: Cast, payee: Payee, from_yuan: int, checks: list[Check]) -> None:
        self.checks = checks
        self.phones = {card(_NEW_CARD): payee.phone}
        self._payee, self._from_yuan = payee, from_yuan
        self._maker, self._checker = cast.finance("finance_maker"), cast.finance("finance_checker")
        self._officer = cast.staff("filing_officer")

    async def two_people_approve(self) -> None:
        show.heading("A large payout needs two people", "大额打款,两人复核")
        show.line(f"本演示把大额线从 1000000 元降到 {self._from_yuan} 元,好让一笔打款用得上")
        first = await self._awaiting()
        self._show(first)
        told = [await self._approve("财务经办", self._maker, first)]
        told.append(await self._approve("同一人再点一次", self._maker, first))
        second = await self._card_changes(first)
        told.append(await self._approve("财务复核", self._checker, second))
        told.append(await self._approve("财务经办再看新文件", self._maker, second))
        sent = await self._left(second)
        show.line(f"批次 {sent['batch_no']} {words.state(sent['status'])},{sent['paid']} 元")
        self.checks += [
            Check(
                "大额:经办、复核各一人,同一人不算两次 · large: two people, not one twice",
                [_AWAITS, "APPROVED_ALREADY", _AWAITS, "fixed"],
                told,
            ),
            Check(
                "大额:改卡后原批次作废,重新复核 · large: a new card voids the approval",
                ("voided", True),
                ((await self._of(first))["status"], first["batch_id"] != second["batch_id"]),
            ),
            Check(
                "大额:付出的是这一笔 · large: this payout was paid",
                (1, self._payee.amount),
                (sent["paid_lines"], sent["paid"]),
            ),
        ]

    async def _card_changes(self, first: Json) -> Json:
        member_id = await self._officer.search(self._payee.id_number)
        await self._officer.correct_card(member_id, card(_NEW_CARD))
        name = show.name(self._payee.name)
        show.line(f"这时 {name} 换了银行卡 → {show.account(card(_NEW_CARD))}:原批次作废,重新复核")
        second = await self._awaiting(after=first["batch_id"])
        self._show(second)
        return second

    async def _awaiting(self, after: str = "") -> Json:
        async def found() -> Json | None:
            waiting = [one for one in await self._maker.batches() if one["status"] == _AWAITS]
            return next((one for one in waiting if one["batch_id"] != after), None)

        return await until("a batch that awaits approval", found)

    async def _approve(self, who: str, person: Finance, batch: Json) -> str:
        try:
            status = await person.approve(batch["batch_id"])
        except Refused as refused:
            code = str(refused.problem["code"])
            show.line(f"{who} → 退回:{words.coded(code)}")
            return code
        show.line(f"{who} → {words.state(status)}")
        return status

    async def _left(self, batch: Json) -> Json:
        async def closed() -> Json | None:
            found = await self._of(batch)
            return found if found["status"] == "closed" else None

        return await until("the approved batch at the bank", closed)

    async def _of(self, batch: Json) -> Json:
        found = await self._maker.batches()
        return next(one for one in found if one["batch_id"] == batch["batch_id"])

    def _show(self, batch: Json) -> None:
        show.line(
            f"批次 {batch['batch_no']} {batch['lines']} 笔 {batch['total']} 元,"
            f"{words.state(batch['status'])}"
        )
