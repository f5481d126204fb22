"""Batch files of fixed width: widths counted in GBK bytes, each transfer debited by itself."""

from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

import httpx
import pytest

from deploy.sandbox import clock
from tests.sandbox.conftest import PAYER, Line, Sandbox, until
from tests.sandbox.inside import closed, opened
from tests.sandbox.test_hand import NOON, TODAY, give_back, movements, statement

Lines = Callable[..., Line]
NAME = "DW_U1_20261122_7.txt"
NUMBER = "7"
MANY = 20_000
GROWTH_MAX_KIB = 80 * 1024


def field(text: str, width: int) -> bytes:
    return text.encode("gbk").ljust(width)


def record(*parts: bytes) -> bytes:
    return b"".join(parts).ljust(200) + b"\r\n"


def detail(place: int, line: Line) -> bytes:
    return record(
        b"D%06d" % place,
        field(line.account, 32),
        field(line.name, 60),
        b"%015d" % int(line.amount.replace(".", "")),
        field("互助金", 30),
        field(line.instruction_id, 40),
    )


def content(lines: Sequence[Line]) -> bytes:
    total = sum(int(line.amount.replace(".", "")) for line in lines)
    header = record(
        b"H",
        field(NUMBER, 20),
        field(PAYER, 32),
        b"%06d%015d" % (len(lines), total),
        b"CNY20261122",
    )
    return header + b"".join(detail(place, line) for place, line in enumerate(lines, 1))


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    with clock.set_to(NOON):
        async with opened(tmp_path) as client:
            yield client


async def pay(bank: httpx.AsyncClient, lines: Sequence[Line]) -> bytes:
    """Upload a file and give its result."""
    answer = await bank.put(f"/bank/files/{NAME}", content=content(lines))
    assert answer.status_code == 201, answer.text
    return await result(bank)


async def result(bank: httpx.AsyncClient, kind: str = "") -> bytes:
    """Wait for the batch, order a fault of the kind, and fetch the result."""
    await closed(bank, NUMBER)
    if kind:
        await bank.post("/faults", json={"target": "bank_result", "kind": kind})
    answer = await bank.get(f"/bank/files/{NAME}.ret")
    assert answer.headers["content-type"] == "text/plain; charset=gbk"
    return answer.content


async def test_a_result_repeats_each_line_and_says_behind_it_what_became_of_it(
    bank: httpx.AsyncClient, line: Lines
) -> None:
    lines = line(name="阿依古丽·买买提", amount="10.00"), line(account="abc"), line(amount="0.01")
    found = await pay(bank, lines)
    records = found.split(b"\r\n")
    assert records.pop() == b""
    assert {len(one) for one in records} == {200}
    header, *details, trailer = records
    sent_header, *sent = content(lines).split(b"\r\n")[:-1]
    assert header == sent_header
    assert [one[:184] for one in details] == [one[:184] for one in sent]
    booked = b"00000" + TODAY.encode() + b"   "
    assert [one[184:] for one in details] == [booked, b"10006           ", booked]
    assert trailer == b"T000002000000000001001000001000000000001234".ljust(200)


async def test_each_transfer_is_a_debit_of_its_own(bank: httpx.AsyncClient, line: Lines) -> None:
    lines = line(name="欧阳·娜娜", amount="10.00"), line(account="abc"), line(amount="0.01")
    await pay(bank, lines)
    first, last = await movements(bank)
    assert first == [
        *("1", TODAY, "借", "10.00", "代发", NUMBER, lines[0].instruction_id),
        *("", "", "欧阳·娜娜", lines[0].account, "互助金"),
    ]
    assert last[6] == lines[2].instruction_id
    await give_back(bank, lines[2])
    balances, rows = await statement(bank, TODAY, upto_now=True)
    assert balances == ["10000000000.00", "9999999990.00", "3"]
    assert [row[4] for row in rows] == ["代发", "代发", "退票"]


def _spoilt(lines: Sequence[Line]) -> dict[str, tuple[str, bytes]]:
    whole = content(lines)
    name = field(lines[0].name, 60)
    cut_in_half = field("a" + "张" * 30, 60)[:60]
    return {
        "the last record is cut": ("F004", whole[:-100]),
        "the last line end is missing": ("F004", whole[:-2]),
        "a blank is missing": ("F004", whole[:-3] + b"\r\n"),
        "something stands behind the fields": ("F004", whole[:-5] + b"x  \r\n"),
        "a character is cut in half": ("F002", whole.replace(name, cut_in_half, 1)),
        "it is utf-8": ("F004", whole.decode("gbk").encode()),
        "an amount is blank": ("F004", whole.replace(b"000000000001234", b" " * 15, 1)),
        "an amount has a sign": ("F004", whole.replace(b"000000000001234", b"-00000000001234", 1)),
        "an amount is nothing": ("F004", whole.replace(b"000000000001234", b"0" * 15, 1)),
        "a line has no mark": ("F004", whole.replace(b"D000002", b"E000002")),
        "a number is left out": ("F005", whole.replace(b"D000002", b"D000003")),
        "another count is announced": ("F006", whole.replace(b"000002000", b"000003000", 1)),
        "another sum is announced": ("F007", whole.replace(b"2468CNY", b"2469CNY")),
        "the day is none": ("F003", whole.replace(b"CNY20261122", b"CNY20261131")),
        "the header has no mark": ("F003", b"X" + whole[1:]),
        "the header is short": ("F003", whole.replace(b" \r\n", b"\r\n", 1)),
        "the lines end otherwise": ("F003", whole.replace(b"\r\n", b"\n")),
        "a mark stands in front": ("F003", b"\xef\xbb\xbf" + whole),
        "there is nothing": ("F003", b""),
    }


async def test_a_spoilt_file_is_refused_whole(tmp_path: Path, line: Lines) -> None:
    lines = line(), line()
    for place, (spoilt, (code, wrong)) in enumerate(_spoilt(lines).items()):
        async with opened(tmp_path / str(place)) as bank:
            answer = await bank.put(f"/bank/files/{NAME}", content=wrong)
            assert (answer.status_code, answer.json()["code"]) == (422, code), spoilt
            assert (await bank.get("/bank/book")).content == b""


async def test_a_file_of_more_lines_than_the_bank_takes_is_refused(
    tmp_path: Path, line: Lines
) -> None:
    async with opened(tmp_path, bank_fixed_file_lines_max=2) as bank:
        answer = await bank.put(f"/bank/files/{NAME}", content=content([line() for _ in range(3)]))
        assert (answer.status_code, answer.json()["code"]) == (422, "F008")


async def test_a_spoilt_result_is_right_when_asked_again(
    bank: httpx.AsyncClient, line: Lines
) -> None:
    lines = line(amount="1.00"), line(account="abc", amount="2.00")
    right = await pay(bank, lines)
    header, one, two, trailer, _end = right.split(b"\r\n")
    twice = (await result(bank, "twice")).split(b"\r\n")
    assert twice[:5] == [header, one, one, two, two]
    assert twice[5].startswith(b"T000002000000000000200000002")
    assert right.startswith(await result(bank, "truncated"))
    assert (await result(bank, "reencoded")) == right.decode("gbk").encode("utf-8-sig")
    off = (await result(bank, "wrong_control_sum")).split(b"\r\n")
    assert off[:3] == [header, one, two]
    assert off[3].startswith(b"T000001000000000000101")
    stale = (await result(bank, "stale")).split(b"\r\n")
    assert [text[184:] for text in stale[1:3]] == [b"29999".ljust(16)] * 2
    assert stale[3] == (b"T" + b"0" * 42).ljust(200)
    unknown = (await result(bank, "unknown_ids")).split(b"\r\n")
    assert unknown[:3] == [header, one, two]
    assert unknown[3].startswith(b"D000003" + one[7:144])
    assert unknown[3][144:177] not in right
    assert unknown[3][177:] == one[177:]
    assert await result(bank) == right
    assert trailer.startswith(b"T")


def test_a_large_file_does_not_fill_the_memory(own_sandbox: Sandbox) -> None:
    own_sandbox.start()
    before = _most_memory_kib(own_sandbox)
    lines = [Line(f"62170{n:012d}", "张三", "12.34", f"L{n}") for n in range(MANY)]
    sent = content(lines)
    assert own_sandbox.put(NAME, sent).status_code == 201
    found = until(
        lambda: own_sandbox.http.get(f"/bank/files/{NAME}.ret"), lambda got: got.is_success
    )
    assert len(found.content) == len(sent) + 202
    own_sandbox.http.get(f"/bank/accounts/{PAYER}/statements/{clock.today():%Y%m%d}.csv?upto=now")
    assert _most_memory_kib(own_sandbox) - before < GROWTH_MAX_KIB


def _most_memory_kib(sandbox: Sandbox) -> int:
    """Read the most memory the program has ever held."""
    assert sandbox.process
    status = Path(f"/proc/{sandbox.process.pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1])
