"""Notices and day statements of an account: every movement from our side, or nothing of a file."""

import io

import pytest

from services.common.identity import CardNumber, PersonName
from services.common.money import Fen
from services.payments.channels.iso20022 import camt
from services.payments.errors import ResultUnusable
from services.payments.model.statements import DayStatement, Movement, MovementKind
from tests.payments.iso.papers import (
    ACCOUNT,
    BATCH_NO,
    CARD,
    DAY,
    IDS,
    balance,
    entry,
    notice,
    statement,
)

BATCH = f"<Btch><PmtInfId>{BATCH_NO}</PmtInfId><NbOfTxs>2</NbOfTxs></Btch>"
BALANCES = balance("OPBD", "10000000000.00"), balance("CLBD", "9999999999.00")


def one(side: str = "Cdtr", code: str = "AC04", *, words: str = "账户已销户") -> str:
    return f"""<TxDtls>
      <Refs><EndToEndId>{IDS[0]}</EndToEndId></Refs>
      <RltdPties><{side}><Pty><Nm>王小明</Nm></Pty></{side}>
        <{side}Acct><Id><Othr><Id>{CARD}</Id></Othr></Id></{side}Acct></RltdPties>
      <RmtInf><Ustrd>退票</Ustrd></RmtInf>
      <RtrInf><Rsn><Cd>{code}</Cd></Rsn><AddtlInf>{words}</AddtlInf></RtrInf>
    </TxDtls>"""


def movements(*entries: str, account: str = ACCOUNT) -> list[Movement]:
    return camt.parse_notice(io.BytesIO(notice(*entries, account=account).encode()), ACCOUNT)


def day_of(content: str) -> camt.Statement:
    return camt.parse_statement(io.BytesIO(content.encode()), ACCOUNT, DAY)


def test_a_batch_that_is_paid_out_is_money_out_under_its_number() -> None:
    assert movements(entry("PAYOUT", amount="1234.50", ref="71", details=BATCH)) == [
        Movement("71", DAY, "debit", Fen(123450), MovementKind.PAYOUT, batch_no=BATCH_NO)
    ]


def test_a_return_is_money_in_with_whose_it_was_and_why() -> None:
    (found,) = movements(entry("RETURN", "CRDT", details=one()))
    assert found == Movement(
        "1",
        DAY,
        "credit",
        Fen(100),
        MovementKind.RETURN,
        instruction_id=IDS[0],
        bank_code="AC04",
        reason="ACCOUNT_CLOSED",
        party=PersonName("王小明"),
        party_account=CardNumber(CARD),
        remark="退票",
    )


@pytest.mark.parametrize("word", ["true", "1"])
def test_a_reversal_is_a_debit_taken_back_and_so_money_in(word: str) -> None:
    (found,) = movements(entry("REVERSAL", "DBIT", reversal=word, details=one(code="NARR")))
    assert (found.direction, found.kind, found.signed_fen) == ("credit", "reversal", 100)
    assert (found.instruction_id, found.reason) == (IDS[0], "OTHER")


@pytest.mark.parametrize(
    ("kind", "sign", "direction"),
    [("DEPOSIT", "CRDT", "credit"), ("TRANSFER", "DBIT", "debit"), ("FEE", "DBIT", "debit")],
)
def test_other_movements_keep_their_direction(kind: str, sign: str, direction: str) -> None:
    (found,) = movements(entry(kind, sign, reversal="false"))
    assert (found.kind, found.direction) == (kind.lower(), direction)


def test_the_other_side_is_who_pays_us_or_whom_we_pay() -> None:
    both = (
        "<TxDtls><RltdPties><Dbtr><Pty><Nm>甲</Nm></Pty></Dbtr><Cdtr><Pty><Nm>乙</Nm></Pty></Cdtr>"
        "</RltdPties></TxDtls>"
    )
    found = movements(
        entry("DEPOSIT", "CRDT", details=both), entry("TRANSFER", "DBIT", details=both)
    )
    assert [movement.party.open() for movement in found] == ["甲", "乙"]


@pytest.mark.parametrize("between", ["", "</NtryDtls><NtryDtls>"])
def test_an_entry_of_several_transfers_belongs_to_none_of_them(between: str) -> None:
    (found,) = movements(entry("RETURN", "CRDT", details=one() + between + one(code="AC06")))
    assert (found.instruction_id, found.bank_code, found.party.open()) == ("", "", "")


def test_what_is_only_announced_has_not_moved() -> None:
    assert not movements(entry("PAYOUT", status="PDNG"))


def test_movements_keep_their_order_and_their_doubles() -> None:
    found = movements(entry("FEE", ref="2"), entry("FEE", ref="1"), entry("FEE", ref="1"))
    assert [movement.bank_ref for movement in found] == ["2", "1", "1"]


@pytest.mark.parametrize(
    "content",
    [
        entry("INTEREST"),
        entry("FEE", amount="0.00"),
        entry("FEE", amount="-1.00"),
        entry("FEE", amount="1.005"),
        entry("FEE", currency="USD"),
        entry("FEE", day="2026-02-30"),
        entry("FEE", day="2026-11-22+08:00"),
        entry("FEE", ref=" "),
        entry("FEE").replace("<AcctSvcrRef>1</AcctSvcrRef>", ""),
        entry("FEE").replace("<BookgDt><Dt>2026-11-22</Dt></BookgDt>", ""),
        entry("FEE", reversal="true"),
        entry("REVERSAL"),
        entry("REVERSAL", "CRDT", reversal="true"),
        entry("FEE", sign="BOTH"),
    ],
)
def test_one_odd_entry_spoils_its_notice(content: str) -> None:
    with pytest.raises(ResultUnusable):
        movements(entry("FEE", ref="7"), content)


def test_a_notice_on_another_account_is_not_believed() -> None:
    with pytest.raises(ResultUnusable):
        movements(entry("FEE"), account="3100000000000000099")


def test_a_statement_opens_moves_and_closes() -> None:
    entries = (
        entry("PAYOUT", amount="3.00", ref="1", details=BATCH),
        entry("RETURN", "CRDT", amount="2.00", ref="2", details=one()),
    )
    read = day_of(statement(BALANCES, *entries)).statement
    assert read == DayStatement(
        DAY, Fen(1_000_000_000_000), Fen(999_999_999_900), movements(*entries)
    )


def test_a_day_without_movements_has_a_statement() -> None:
    read = day_of(statement([balance("OPBD", "1.00"), balance("CLBD", "1.00")])).statement
    assert (read.opening_fen, read.closing_fen, read.lines) == (100, 100, [])


def test_an_account_can_be_overdrawn_and_show_more_balances() -> None:
    balances = [
        balance("OPBD", "1.00"),
        balance("CLAV", "77.00"),
        balance("CLBD", "2.00", "DBIT"),
    ]
    assert day_of(statement(balances, entry("FEE", amount="3.00"))).statement.closing_fen == -200


@pytest.mark.parametrize(
    "content",
    [
        statement(BALANCES),
        statement(BALANCES, entry("FEE"), entry("FEE")),
        statement(BALANCES, entry("FEE", day="2026-11-21")),
        statement(BALANCES, entry("FEE"), account="3100000000000000099"),
        statement([BALANCES[0]], entry("FEE")),
        statement([BALANCES[1]], entry("FEE")),
        statement([*BALANCES, BALANCES[0]], entry("FEE")),
        statement(BALANCES, entry("FEE", amount="1.001")),
        statement(BALANCES, entry("FEE")).replace("camt.053", "camt.052"),
        statement(BALANCES, entry("FEE"))[:-20],
    ],
)
def test_a_statement_that_does_not_add_up_is_not_believed(content: str) -> None:
    with pytest.raises(ResultUnusable):
        day_of(content)
