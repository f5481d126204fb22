"""What moves on a payer's account, by batches and by the tester's hand, and how it is shown."""

import csv
import io
import json
from collections.abc import AsyncGenerator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from deploy.sandbox import clock
from tests.sandbox.conftest import PAYER, BatchText, Line
from tests.sandbox.inside import closed, opened

Lines = Callable[..., Line]
Batches = Callable[..., BatchText]
NOON = datetime(2026, 11, 22, 12, tzinfo=clock.CHINA)
TODAY = "20261122"
HEADER = "流水号,记账日,借贷标志,金额,交易类型,批次号,企业流水号,原因码,原因,对方户名,对方账号,摘要"


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    with clock.set_to(NOON):
        async with opened(tmp_path) as client:
            yield client


async def pay(bank: httpx.AsyncClient, batch: BatchText) -> None:
    """Upload a batch and wait until it is closed."""
    answer = await bank.put(f"/bank/files/{batch.name}", content=batch.content)
    assert answer.status_code == 201, answer.text
    await closed(bank, batch.number)


async def state(bank: httpx.AsyncClient, batch: BatchText) -> dict[str, str]:
    return (await bank.get(f"/bank/batches/{batch.number}")).json()


async def post(bank: httpx.AsyncClient, path: str, **order: str) -> httpx.Response:
    return await bank.post(f"/bank/{path}", json=[order] if order else None)


async def give_back(bank: httpx.AsyncClient, line: Line, **order: str) -> httpx.Response:
    order = {"instruction_id": line.instruction_id, "reason": "0002"} | order
    return await post(bank, "returns", **order)


def rows(page: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(page.decode("gb18030"), newline=""), strict=True))


async def movements(bank: httpx.AsyncClient, after: str = "0") -> list[list[str]]:
    answer = await bank.get(f"/bank/accounts/{PAYER}/movements.csv", params={"after": after})
    assert answer.headers["content-type"] == "text/csv; charset=gb18030"
    header, *found = rows(answer.content)
    assert ",".join(header) == HEADER
    return found


async def statement(
    bank: httpx.AsyncClient, day: str, *, upto_now: bool = False
) -> tuple[list[str], list[list[str]]]:
    """Give a day's balances and its movements, which must make the second of the first."""
    answer = await bank.get(
        f"/bank/accounts/{PAYER}/statements/{day}.csv", params={"upto": "now"} if upto_now else {}
    )
    assert answer.status_code == 200, answer.text
    balances, header, *lines = rows(answer.content)
    assert balances[::2] == ["期初余额", "期末余额", "笔数"]
    assert ",".join(header) == HEADER
    assert balances[5] == str(len(lines))
    moved = sum((1 if line[2] == "贷" else -1) * fen(line[3]) for line in lines)
    assert fen(balances[1]) + moved == fen(balances[3])
    assert {line[1] for line in lines} <= {day}
    return balances[1::2], lines


def fen(yuan: str) -> int:
    return int(yuan.replace(".", ""))


async def book(bank: httpx.AsyncClient) -> list[dict[str, object]]:
    return [json.loads(text) for text in (await bank.get("/bank/book")).text.splitlines()]


async def balance(bank: httpx.AsyncClient) -> str:
    return (await bank.get(f"/bank/payers/{PAYER}")).json()["balance"]


async def test_a_batch_is_debited_at_once_with_the_sum_of_what_was_booked(
    bank: httpx.AsyncClient, line: Lines, batch: Batches
) -> None:
    sent = batch(line(amount="10.00"), line(account="abc", amount="5.00"), line(amount="0.01"))
    await pay(bank, sent)
    await pay(bank, batch(line(account="abc")))
    assert await movements(bank) == [
        ["1", TODAY, "借", "10.01", "代发", sent.number, "", "", "", "", "", ""]
    ]
    shown = (await bank.get(f"/bank/payers/{PAYER}")).json()
    assert shown == {"account": PAYER, "balance": "9999999989.99", "movements": 1}


async def test_a_payer_nobody_has_used_holds_the_opening_balance_and_has_not_moved(
    bank: httpx.AsyncClient,
) -> None:
    assert await movements(bank) == []
    assert await balance(bank) == "10000000000.00"
    assert await statement(bank, "20200101") == (["10000000000.00", "10000000000.00", "0"], [])
    assert (await bank.get("/bank/accounts/abc/movements.csv")).status_code == 422


@pytest.mark.parametrize(("kind", "word"), [("return", "退票"), ("reversal", "冲账")])
async def test_what_is_given_back_stands_in_the_book_and_on_the_account(
    bank: httpx.AsyncClient, line: Lines, batch: Batches, kind: str, word: str
) -> None:
    one = line(amount="10.00", name="王𬍡·买买提")
    sent = batch(one, line())
    await pay(bank, sent)
    answer = await give_back(bank, one, kind=kind)
    assert answer.json() == [
        {"bank_ref": "2", "booked_on": "2026-11-22", "kind": kind, "amount": "10.00"}
    ]
    booked, _other, returned = await book(bank)
    assert returned == booked | {
        "line": 0,
        "status": "returned",
        "reason": "账户已销户",
        "at": returned["at"],
    }
    [row] = await movements(bank, after="1")
    assert row[:6] == ["2", TODAY, "贷", "10.00", word, sent.number]
    assert row[6:] == [one.instruction_id, "0002", "账户已销户", one.name, one.account, ""]
    assert await balance(bank) == "9999999987.66"


async def test_nothing_is_given_back_twice_nor_what_was_never_booked(
    bank: httpx.AsyncClient, line: Lines, batch: Batches
) -> None:
    one, two, refused = line(), line(), line(account="abc")
    await pay(bank, batch(one, two, refused))
    assert (await give_back(bank, refused)).status_code == 404
    assert (await give_back(bank, line())).status_code == 404
    twice = [{"instruction_id": two.instruction_id, "reason": "0001"}] * 2
    assert (await bank.post("/bank/returns", json=twice)).status_code == 409
    assert (await give_back(bank, one)).status_code == 200
    assert (await give_back(bank, one)).status_code == 409
    assert (await give_back(bank, two, reason="9999")).status_code == 422
    assert len(await movements(bank)) == 2


async def test_what_was_given_back_is_never_booked_again_under_its_id(
    bank: httpx.AsyncClient, line: Lines, batch: Batches
) -> None:
    one = line()
    await pay(bank, batch(one))
    await give_back(bank, one)
    again = batch(one)
    await pay(bank, again)
    assert (await state(bank, again))["refused_lines"] == 1


async def test_deposits_transfers_and_fees_move_the_account(bank: httpx.AsyncClient) -> None:
    told = {"account": PAYER, "party": "市总工会", "remark": "年初,\r\n拨款"}
    paid_in = await post(bank, "deposits", **told, amount="100.00", party_account="6222021")
    assert paid_in.json()[0]["bank_ref"] == "1"
    await post(bank, "transfers", **told, amount="30.00")
    await post(bank, "transfers", **told, amount="0.50", kind="fee")
    assert [row[2:5] for row in await movements(bank)] == [
        ["贷", "100.00", "存入"],
        ["借", "30.00", "转出"],
        ["借", "0.50", "手续费"],
    ]
    [first, *_] = await movements(bank)
    assert first[9:] == ["市总工会", "6222021", "年初,\r\n拨款"]
    assert await balance(bank) == "10000000069.50"


async def test_no_more_is_handed_out_than_is_there(bank: httpx.AsyncClient) -> None:
    half = {"account": PAYER, "party": "省总工会", "amount": "5000000000.01"}
    assert (await bank.post("/bank/transfers", json=[half, half])).status_code == 409
    assert (await bank.post("/bank/transfers", json=[half])).status_code == 200
    assert (await bank.post("/bank/transfers", json=[half])).status_code == 409
    assert await balance(bank) == "4999999999.99"


@pytest.mark.parametrize("path", ["accounts", "returns", "deposits", "transfers"])
async def test_an_order_of_nothing_does_nothing(bank: httpx.AsyncClient, path: str) -> None:
    assert (await bank.post(f"/bank/{path}", json=[])).is_success
    assert await movements(bank) == []


async def test_movements_come_in_pages_of_a_thousand(bank: httpx.AsyncClient) -> None:
    order = {"account": PAYER, "party": "会费", "amount": "1.00"}
    await bank.post("/bank/deposits", json=[order] * 1_500)
    page = await movements(bank)
    assert [row[0] for row in page] == [str(number) for number in range(1, 1_001)]
    assert [row[0] for row in await movements(bank, page[-1][0])][-1] == "1500"
    assert await movements(bank, "1500") == []


async def test_every_day_opens_with_what_the_day_before_closed_with(
    tmp_path: Path, line: Lines, batch: Batches
) -> None:
    one = line(amount="10.00")
    async with opened(tmp_path) as bank:
        with clock.set_to(NOON):
            await pay(bank, batch(one))
            day = f"/bank/accounts/{PAYER}/statements/{TODAY}.csv"
            assert (await bank.get(day)).status_code == 404
            assert (await statement(bank, TODAY, upto_now=True))[0][1] == "9999999990.00"
        with clock.set_to(NOON + timedelta(days=2)):
            await give_back(bank, one)
            later = f"/bank/accounts/{PAYER}/statements/20261125.csv?upto=now"
            assert (await bank.get(later)).status_code == 404
        with clock.set_to(NOON + timedelta(days=3)):
            days = [await statement(bank, f"202611{day}") for day in range(21, 25)]
    assert [balances for balances, _ in days] == [
        ["10000000000.00", "10000000000.00", "0"],
        ["10000000000.00", "9999999990.00", "1"],
        ["9999999990.00", "9999999990.00", "0"],
        ["9999999990.00", "10000000000.00", "1"],
    ]


async def test_a_clock_that_goes_back_never_books_into_a_day_before(
    tmp_path: Path,
) -> None:
    order = {"account": PAYER, "party": "会费", "amount": "1.00"}
    async with opened(tmp_path) as bank:
        for day in (0, -3):
            with clock.set_to(NOON + timedelta(days=day)):
                await post(bank, "deposits", **order)
        assert [row[1] for row in await movements(bank)] == [TODAY, TODAY]


async def test_a_batch_on_hold_is_booked_when_it_is_released(
    tmp_path: Path, line: Lines, batch: Batches
) -> None:
    sent, other = batch(line()), batch(line())
    async with opened(tmp_path) as bank:
        await bank.post("/faults", json={"target": "bank_upload", "kind": "hold"})
        assert (await bank.put(f"/bank/files/{sent.name}", content=sent.content)).is_success
        await pay(bank, other)
    async with opened(tmp_path) as bank:
        await pay(bank, batch(line()))
        assert (await state(bank, sent))["status"] == "received"
        assert (await bank.get(f"/bank/files/{sent.name}.ret")).status_code == 404
        assert (await bank.post("/bank/release")).json() == {"released": 1}
        await closed(bank, sent.number)
        assert len(await movements(bank)) == 3
    async with opened(tmp_path) as bank:
        assert (await state(bank, sent))["status"] == "closed"
        assert (await bank.post("/bank/release")).json() == {"released": 0}


async def test_a_restored_bank_is_as_it_was_and_remembers_nothing_that_came_later(
    bank: httpx.AsyncClient, line: Lines, batch: Batches
) -> None:
    one, two = line(), line()
    before, later = batch(one), batch(two)
    assert (await bank.post("/bank/restore")).status_code == 404
    await pay(bank, before)
    book_then, balance_then = await book(bank), await balance(bank)
    assert (await bank.post("/bank/backup")).is_success
    await pay(bank, later)
    await give_back(bank, one)
    await bank.post(
        "/bank/accounts",
        json=[{"account": two.account, "name": two.name, "status": "closed"}],
    )
    assert (await bank.post("/bank/restore")).is_success
    assert (await book(bank), await balance(bank)) == (book_then, balance_then)
    assert (await bank.get(f"/bank/batches/{later.number}")).status_code == 404
    assert [row[0] for row in await movements(bank)] == ["1"]
    await pay(bank, later)
    assert (await state(bank, later))["booked"] == 1
    assert (await give_back(bank, one)).is_success


async def test_a_batch_that_waited_at_the_backup_is_booked_after_the_restore(
    tmp_path: Path, line: Lines, batch: Batches
) -> None:
    held = batch(line())
    async with opened(tmp_path) as bank:
        await bank.post("/faults", json={"target": "bank_upload", "kind": "hold"})
        await bank.put(f"/bank/files/{held.name}", content=held.content)
        await bank.post("/bank/backup")
        await bank.post("/bank/release")
        await closed(bank, held.number)
        await pay(bank, batch(line()))
    async with opened(tmp_path) as bank:
        assert (await bank.post("/bank/restore")).is_success
        assert (await state(bank, held))["status"] == "received"
        assert await book(bank) == []
        assert (await bank.post("/bank/release")).json() == {"released": 1}
        await closed(bank, held.number)


async def test_a_killed_bank_knows_its_movements_again(
    tmp_path: Path, line: Lines, batch: Batches
) -> None:
    one = line(amount="10.00")
    sent = batch(one, line(amount="20.00"))
    with clock.set_to(NOON):
        async with opened(tmp_path) as bank:
            await pay(bank, sent)
            await give_back(bank, one)
            before = await movements(bank)
            day = await statement(bank, TODAY, upto_now=True)
        # What a kill left of an order of three: a line and a half, to be forgotten.
        with (tmp_path / "bank" / "journal.jsonl").open("ab") as torn:
            torn.write(b'{"what":"moved","at":"x"} \n{"what":"mo')
        async with opened(tmp_path) as bank:
            assert await movements(bank) == before
            assert await statement(bank, TODAY, upto_now=True) == day
            assert (await give_back(bank, one)).status_code == 409
            await pay(bank, batch(line()))
            assert [row[0] for row in await movements(bank)] == ["1", "2", "3"]


async def test_spoilt_movements_are_right_when_asked_again(
    bank: httpx.AsyncClient, line: Lines, batch: Batches
) -> None:
    for _ in range(3):
        await pay(bank, batch(line()))
    right = await movements(bank)
    path = f"/bank/accounts/{PAYER}/movements.csv"
    whole = (await bank.get(path)).content

    async def spoilt(kind: str, path: str = path) -> bytes:
        await bank.post("/faults", json={"target": "bank_movements", "kind": kind})
        return (await bank.get(path)).content

    assert rows(await spoilt("twice"))[1:] == [row for row in right for _ in range(2)]
    assert rows(await spoilt("out_of_order"))[1:] == right[::-1]
    assert whole.startswith(await spoilt("truncated"))
    day = f"/bank/accounts/{PAYER}/statements/{TODAY}.csv?upto=now"
    assert rows(await spoilt("out_of_order", day))[2:] == right[::-1]
    assert await movements(bank) == right


async def test_a_line_that_breaks_inside_the_process_breaks_for_the_caller(
    bank: httpx.AsyncClient, line: Lines, batch: Batches
) -> None:
    sent = batch(line())
    await bank.post("/faults", json={"target": "bank_upload", "kind": "drop_answer"})
    with pytest.raises(httpx.RemoteProtocolError):
        await bank.put(f"/bank/files/{sent.name}", content=sent.content)
    assert (await state(bank, sent))["booked"] == 1
