"""A unit's list and a member's receipt: masked, harmless in a spreadsheet, and only one's own."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date

import pytest

from services.common.ids import new_id
from services.payments.errors import UnknownPayout
from services.payments.texts.payouts_csv import defused
from services.payments.usecases.desk import Desk
from services.payments.usecases.papers import payout_receipt, unit_payouts
from tests.payments.bank import ToldBank
from tests.payments.people import CARD, Member, deliver
from tests.payments.steps import pay_out

NewMember = Callable[..., Member]
DAYS = (date(2026, 11, 1), date(2026, 11, 30))


@pytest.fixture
def bank_of(desk: Desk) -> ToldBank:
    bank = desk.channels["union"]
    assert isinstance(bank, ToldBank)
    return bank


async def listed(desk: Desk, unit_code: str, *days: date) -> list[list[str]]:
    content = b"".join([piece async for piece in unit_payouts(desk, unit_code, *(days or DAYS))])
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


async def test_a_unit_sees_its_own_payouts_with_names_and_cards_masked(
    desk: Desk, bank_of: ToldBank, new_member: NewMember
) -> None:
    mine, paid = new_member("张小明"), new_member("欧阳·娜娜")
    other = new_member("李四", unit_code="BJ-0002")
    await deliver(desk, paid.registered(), paid.payee(), paid.grant(12_34))
    await pay_out(desk, bank_of)
    await deliver(desk, mine.registered(), mine.grant(5_00), other.registered(), other.grant(1_00))
    heads, *rows = await listed(desk, "BJ-0001")
    assert heads == ["姓名", "收款账号", "互助计划", "金额（元）", "状态", "到账日期", "付款编号"]
    assert sorted(row[:6] for row in rows) == [
        ["", "", "在职职工医疗互助保障计划", "5.00", "待支付", ""],
        ["欧*", "…0012", "在职职工医疗互助保障计划", "12.34", "已到账", "2026-11-22"],
    ]
    assert [row[0] for row in (await listed(desk, "BJ-0002"))[1:]] == [""]
    assert await listed(desk, "BJ-0003") == [heads]
    assert CARD not in str(rows)


async def test_the_list_holds_the_days_that_were_asked_for(
    desk: Desk, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(1_00))
    day = date(2026, 11, 3)
    assert len(await listed(desk, "BJ-0001", day, day)) == 2
    assert len(await listed(desk, "BJ-0001", date(2026, 11, 1), date(2026, 11, 2))) == 1
    assert len(await listed(desk, "BJ-0001", date(2026, 11, 4), date(2026, 11, 5))) == 1


async def test_a_name_that_looks_like_a_formula_is_text(desk: Desk, new_member: NewMember) -> None:
    member = new_member("=1+1")
    await deliver(desk, member.registered(), member.payee(), member.grant(1_00))
    [_, row] = await listed(desk, "BJ-0001")
    assert row[0] == "'=*"


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "＝1"])
def test_formulas_are_defused(cell: str) -> None:
    assert defused(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "张*", "…0012", "12.00", "2026-11-22", "a=1"])
def test_what_is_no_formula_stays(cell: str) -> None:
    assert defused(cell) == cell


async def test_a_member_gets_a_receipt_of_one_page_for_what_was_paid(
    desk: Desk, bank_of: ToldBank, new_member: NewMember
) -> None:
    member = new_member()
    grant = member.grant(12_34)
    await deliver(desk, member.registered(), member.payee(), grant)
    with pytest.raises(UnknownPayout):
        await payout_receipt(desk, member.member_id, grant.grant_id)
    await pay_out(desk, bank_of)
    made = await payout_receipt(desk, member.member_id, grant.grant_id)
    assert made.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", made)) == 1
    with pytest.raises(UnknownPayout):
        await payout_receipt(desk, new_id(), grant.grant_id)
    with pytest.raises(UnknownPayout):
        await payout_receipt(desk, member.member_id, new_id())
