"""The whole desk against the other side as a program of its own: every line finds its match."""

from collections.abc import AsyncGenerator, Callable

import pytest

from services.common.kit import clock
from services.common.money import Fen
from services.payments.main import Office, new_office
from services.payments.model.statements import MovementKind
from services.payments.settings import Settings
from services.payments.usecases import receipts
from services.payments.usecases.receipts import expected
from services.payments.usecases.reconciled import bank_lines, reconciled_days
from tests.payments.conftest import ONE_FUND
from tests.payments.people import Member, deliver, states
from tests.payments.reconciliation.account import FUND, confirmed
from tests.payments.reconciliation.test_receipts import FINANCE
from tests.payments.test_sandbox import at_work, until, until_states
from tests.sandbox.conftest import Sandbox


@pytest.fixture
async def office(knobs: Settings, other_side: Sandbox) -> AsyncGenerator[Office]:
    bank_url = f"http://127.0.0.1:{other_side.port}"
    polled = {"bank_url": bank_url, "movements_poll_s": 0.1, "funds_file": ONE_FUND}
    office = new_office(knobs.model_copy(update=polled))
    yield office
    await office.close()


async def test_what_the_bank_books_is_matched_while_it_happens(
    office: Office, other_side: Sandbox, new_member: Callable[..., Member]
) -> None:
    desk = office.desk
    account = desk.funds.by_id[FUND].account
    member = new_member()
    await receipts.expect(
        desk, FINANCE, [expected(FUND, "union_subsidy", Fen(9_00), "BJ-0001-202611")]
    )

    async def is_confirmed() -> bool:
        return await confirmed(desk) == [True]

    async def all_lines() -> bool:
        lines = await bank_lines(desk, FUND, clock.today(), None)
        return [line.kind for line in lines] == [
            MovementKind.PAYOUT,
            MovementKind.RETURN,
            MovementKind.DEPOSIT,
            MovementKind.FEE,
        ] and all(line.state == "matched" for line in lines)

    async with at_work(desk):
        await deliver(desk, member.registered(), member.payee(), member.grant(5_00))
        desk.payouts_ready.set()
        await until(is_confirmed)
        [(state, _)] = await states(desk, member)
        assert state == "paid"
        async with desk.database.begin() as unit:
            payout_id = await unit.fetchval("select payout_id from payout")
        back = [{"instruction_id": f"{payout_id.hex}1", "reason": "0002", "kind": "return"}]
        assert other_side.http.post("/bank/returns", json=back).is_success
        await until_states(desk, member, [("returned", 5_00)])
        for path, amount, more in (
            ("deposits", "9.00", {"remark": "会费BJ-0001-202611"}),
            ("transfers", "1.50", {"kind": "fee", "remark": "手续费"}),
        ):
            line = {"account": account, "amount": amount, "party": "某单位", **more}
            assert other_side.http.post(f"/bank/{path}", json=[line]).is_success
        await until(all_lines)
    [day] = await reconciled_days(desk, FUND, clock.today(), clock.today())
    assert (day.bank_only.number, day.book_only.number) == (0, 0)
    bank = other_side.http.get(f"/bank/payers/{account}").json()
    assert bank["balance"] == f"{day.book_fen / 100:.2f}"
