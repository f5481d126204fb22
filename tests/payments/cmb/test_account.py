"""What moved on the account: page by page behind a mark, and a day whose sums must agree."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import pytest

from services.common.identity import CardNumber, PersonName
from services.common.money import Fen
from services.payments.errors import ResultUnusable
from services.payments.model.statements import DayStatement, Movement, MovementKind, Movements
from tests.payments.cmb.bank import DAY_TEXT, PAYER, Bank, Fault, Json, Line, channel_to

DAY: Final = date(2026, 11, 22)
ID: Final = "0123456789abcdef0123456789abcdef1"
BATCH_NO: Final = "121964839287"


def booking(ref: int, kind: str = "PAYOUT", **fields: str) -> Json:
    side = "C" if kind in {"RETURN", "REVERSAL", "DEPOSIT"} else "D"
    return {
        "bksn": str(ref),
        "bkdat": DAY_TEXT,
        "amtcdr": side,
        "trsamt": "100.00",
        "trstyp": kind,
        "yurref": "",
        "cprref": "",
        "errcod": "",
        "errtxt": "",
        "rpynam": "",
        "rpyacc": "",
        "naryur": "",
        **fields,
    }


def given_back(ref: int, **fields: str) -> Json:
    return {
        "bksn": str(ref),
        "yurref": BATCH_NO,
        "cprref": ID,
        "trsamt": "100.00",
        "rtndat": DAY_TEXT,
        "errcod": "C002",
        "errtxt": "账户已销户",
        **fields,
    }


def telling(bookings: Sequence[Json], returns: Sequence[Json] | str = ()) -> Bank:
    """Make a bank that has these lines, and gives at most two of them at a time."""

    def tells(funcode: str, body: Json) -> object:
        asked = next(iter(body.values()))[0]
        assert asked["accnbr"] == PAYER.account
        if funcode == "BB6RFDQY":
            return returns if isinstance(returns, str) else {"bb6rfdqyz1": list(returns)}
        behind = int(asked.get("after", "0"))
        page = [one for one in bookings if int(one["bksn"]) > behind][:2]
        if funcode == "DCTRSINF":
            return {"dctrsinfz1": page}
        assert (funcode, asked["date"]) == ("NTDAYSTM", DAY_TEXT)
        moved = sum(
            (1 if one["amtcdr"] == "C" else -1) * int(one["trsamt"].replace(".", ""))
            for one in bookings
        )
        closing = 1_000_00 + moved
        day_head = {
            "opnbal": "1000.00",
            "clsbal": f"{closing // 100}.{closing % 100:02d}",
            "cnt": str(len(bookings)),
        }
        return {"ntdaystmz1": [day_head], "dctrsinfz1": page}

    return Bank(tells=tells)


async def movements_of(bank: Bank, mark: str = "") -> list[Movement]:
    found = await channel_to(bank).movements(mark)
    assert found is not None
    return list(found.lines)


async def test_the_account_is_read_page_by_page_until_nothing_is_behind_the_mark() -> None:
    channel = channel_to(telling([booking(ref) for ref in (7, 8, 12, 30, 31)]))
    marks = [""]
    seen: list[str] = []
    while True:
        page = await channel.movements(marks[-1])
        assert page is not None
        if not page.lines:
            break
        seen += [line.bank_ref for line in page.lines]
        marks.append(page.mark)
    assert seen == ["7", "8", "12", "30", "31"]
    assert marks == ["", "8", "30", "31"]
    assert page == Movements([], "31")


async def test_every_kind_of_line_is_on_its_side() -> None:
    kinds = {"PAYOUT": -1, "RETURN": 1, "REVERSAL": 1, "DEPOSIT": 1, "TRANSFER": -1, "FEE": -1}
    for kind, sign in kinds.items():
        (line,) = await movements_of(telling([booking(1, kind, errcod="C001", cprref=ID)]))
        assert line.kind == MovementKind[kind]
        assert line.signed_fen == sign * 100_00


async def test_a_line_says_what_the_bank_knows_of_it() -> None:
    line = booking(
        9, "DEPOSIT", rpynam="市财政局", rpyacc="NRA 35-001", naryur="拨款", trsamt="0.01"
    )
    assert await movements_of(telling([line])) == [
        Movement(
            "9",
            DAY,
            "credit",
            Fen(1),
            MovementKind.DEPOSIT,
            party=PersonName("市财政局"),
            party_account=CardNumber("NRA 35-001"),
            remark="拨款",
        )
    ]


async def test_a_return_says_which_transfer_and_why() -> None:
    line = booking(9, "RETURN", yurref=BATCH_NO, cprref=ID, errcod="C003")
    bank = telling([line])
    assert await movements_of(bank) == [
        Movement(
            "9",
            DAY,
            "credit",
            Fen(100_00),
            MovementKind.RETURN,
            BATCH_NO,
            ID,
            "C003",
            "ACCOUNT_FROZEN",
        )
    ]
    assert [funcode for funcode, _ in bank.heard] == ["DCTRSINF"]


@pytest.mark.parametrize("kind", ["RETURN", "REVERSAL"])
async def test_what_a_return_lacks_is_taken_from_the_list_of_returns(kind: str) -> None:
    bank = telling([booking(8), booking(9, kind)], [given_back(9), given_back(10, errcod="C001")])
    _, line = await movements_of(bank, "5")
    assert (line.batch_no, line.instruction_id) == (BATCH_NO, ID)
    assert (line.bank_code, line.reason) == ("C002", "ACCOUNT_CLOSED")
    assert bank.heard[1] == (
        "BB6RFDQY",
        {"bb6rfdqyy1": [{"accnbr": PAYER.account, "after": "5"}]},
    )


@pytest.mark.parametrize(
    ("known", "code"), [({"errcod": "C001"}, "C001"), ({"cprref": ID}, "C002")]
)
async def test_what_the_account_itself_says_of_a_return_stands(
    known: dict[str, str], code: str
) -> None:
    (line,) = await movements_of(telling([booking(9, "RETURN", **known)], [given_back(9)]))
    assert (line.instruction_id, line.bank_code) == (ID, code)


async def test_a_return_that_nobody_explains_is_still_money_that_came_back() -> None:
    (line,) = await movements_of(telling([booking(9, "RETURN")]))
    assert (line.amount_fen, line.instruction_id, line.reason) == (100_00, "", "")


@pytest.mark.parametrize(
    "other", [given_back(9, trsamt="99.00"), given_back(9, cprref="f" * 33), {"bksn": "9"}]
)
async def test_two_lists_that_differ_are_not_believed(other: Json) -> None:
    with pytest.raises(ResultUnusable):
        await movements_of(telling([booking(9, "RETURN", cprref=ID)], [other]))


async def test_strangers_references_do_not_pass_for_ours_and_do_not_stop_the_account() -> None:
    lines = [
        booking(1, "DEPOSIT", yurref="王小明 2026/11", cprref="x" * 400),
        booking(2, "DEPOSIT", yurref="FIN-7", cprref=ID.upper()),
    ]
    for line in await movements_of(telling(lines)):
        assert (line.batch_no, line.instruction_id) == ("", "")


async def test_repeated_and_mixed_up_lines_are_put_in_order() -> None:
    lines = [booking(9), booking(8)]
    bank = Bank(tells=lambda _funcode, _body: {"dctrsinfz1": [*lines, *lines]})
    found = await channel_to(bank).movements("7")
    assert found is not None
    assert [line.bank_ref for line in found.lines] == ["8", "9"]
    assert found.mark == "9"


@pytest.mark.parametrize(
    "lines",
    [
        [booking(7)],
        [booking(8), booking(3)],
        [booking(8), booking(8, trsamt="1.00")],
        [booking(8)] * 1_001,
        None,
        {},
    ],
)
async def test_a_page_that_was_not_asked_for_or_differs_from_itself_is_not_believed(
    lines: object,
) -> None:
    bank = Bank(tells=lambda _funcode, _body: {"dctrsinfz1": lines})
    with pytest.raises(ResultUnusable):
        await channel_to(bank).movements("7")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bksn", "0"),
        ("bksn", ""),
        ("bksn", "9" * 5_000),
        ("bkdat", ""),
        ("bkdat", "20260230"),
        ("amtcdr", "C"),
        ("amtcdr", "X"),
        ("trsamt", "0.00"),
        ("trsamt", "-1.00"),
        ("trsamt", "1.005"),
        ("trstyp", "INTEREST"),
        ("trstyp", ""),
        ("errcod", "王小明"),
        ("rpynam", "王" * 501),
        ("naryur", 7),
    ],
)
async def test_a_line_that_cannot_be_read_spoils_its_page(field: str, value: object) -> None:
    page = [booking(8), {**booking(9), field: value}]
    bank = Bank(tells=lambda _funcode, _body: {"dctrsinfz1": page})
    with pytest.raises(ResultUnusable) as caught:
        await movements_of(bank)
    assert caught.value.args == ()


@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize("fault", ["request lost", "answer lost", (500, b""), (200, b"ErrMsg")])
async def test_where_the_bank_does_not_answer_nothing_is_told(fault: Fault, call: int) -> None:
    bank = telling([booking(1), booking(2, "RETURN"), booking(3)], [given_back(2)])
    assert await channel_to(Line(bank, {call: fault})).movements("") is None
    assert await channel_to(Line(bank, {call: fault})).statement(DAY) is None


async def test_a_day_is_read_in_all_its_pages() -> None:
    lines = [booking(1), booking(2, "DEPOSIT", trsamt="7.05"), booking(4, "FEE", trsamt="0.50")]
    bank = telling([*lines, booking(9, "REVERSAL", cprref=ID, errcod="C001")])
    found = await channel_to(bank).statement(DAY)
    assert isinstance(found, DayStatement)
    assert (found.day, found.opening_fen, found.closing_fen) == (DAY, 1_000_00, 1_006_55)
    assert [line.bank_ref for line in found.lines] == ["1", "2", "4", "9"]
    assert [body["ntdaystmy1"][0].get("after") for _, body in bank.heard] == [None, "2"]
    assert all("upto" not in body["ntdaystmy1"][0] for _, body in bank.heard)


async def test_a_day_without_movements_closes_as_it_opened() -> None:
    found = await channel_to(telling([])).statement(DAY)
    assert found == DayStatement(DAY, Fen(1_000_00), Fen(1_000_00), [])


async def test_there_is_no_statement_while_the_day_is_not_over() -> None:
    assert await channel_to(Bank(tells=lambda _f, _b: "NCB004")).statement(DAY) is None


async def test_the_day_so_far_may_grow_while_it_is_read() -> None:
    lines = [booking(1), booking(2), booking(3)]
    bank = telling(lines)
    tells = bank.tells

    def growing(funcode: str, body: Json) -> object:
        assert body["ntdaystmy1"][0]["upto"] == "now"
        answer = tells(funcode, body)
        if len(lines) == 3:
            lines.append(booking(5, "DEPOSIT"))
        return answer

    bank.tells = growing
    found = await channel_to(bank).statement(DAY, upto_now=True)
    assert found is not None
    assert [line.bank_ref for line in found.lines] == ["1", "2", "3", "5"]
    assert found.closing_fen == 800_00


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("opnbal", "1000.01"),
        ("clsbal", "900.00"),
        ("clsbal", "-800.00"),
        ("cnt", "1"),
        ("cnt", "3"),
        ("cnt", "9" * 30),
        ("cnt", None),
    ],
)
async def test_a_day_whose_sums_do_not_agree_is_not_believed(field: str, value: object) -> None:
    bank = telling([booking(1), booking(2)])

    def spoilt(message: Json) -> None:
        message["response"]["body"]["ntdaystmz1"][0][field] = value

    bank.spoil = spoilt
    with pytest.raises(ResultUnusable):
        await channel_to(bank).statement(DAY)


async def test_a_day_that_never_comes_to_an_end_is_left() -> None:
    bank = telling([])
    day_head = {"opnbal": "1000.00", "clsbal": "900.00", "cnt": "1"}

    def without_end(_funcode: str, body: Json) -> Json:
        assert len(bank.heard) < 5
        behind = int(body["ntdaystmy1"][0].get("after", "0"))
        page = [booking(behind + 1), booking(behind + 2)]
        return {"ntdaystmz1": [day_head], "dctrsinfz1": page}

    bank.tells = without_end
    with pytest.raises(ResultUnusable):
        await channel_to(bank).statement(DAY)


async def test_a_line_of_another_day_is_not_the_days() -> None:
    with pytest.raises(ResultUnusable):
        await channel_to(telling([booking(1, bkdat="20261121")])).statement(DAY)
