"""P2 as the bank has it, written down once more from the page: 200 GBK bytes a record, CRLF."""

from collections.abc import Mapping
from typing import NamedTuple

STEP = 202


class Record(NamedTuple):
    """A line of a batch file, its texts without their blanks."""

    line: int
    card: str
    name: str
    amount_fen: int
    remark: str
    instruction_id: str


def records_of(content: bytes) -> list[bytes]:
    assert len(content) % STEP == 0
    records = [content[at : at + STEP] for at in range(0, len(content), STEP)]
    assert all(record.endswith(b"\r\n") for record in records)
    return [record[:200] for record in records]


def read_line(record: bytes) -> Record:
    assert record[:1] == b"D"
    assert record[184:] == b" " * 16
    card, name, remark, instruction_id = (
        field.decode("gbk").rstrip(" ")
        for field in (record[7:39], record[39:99], record[114:144], record[144:184])
    )
    return Record(int(record[1:7]), card, name, int(record[99:114]), remark, instruction_id)


def answer(content: bytes, codes: Mapping[int, str] | None = None) -> bytes:
    """Write the result: all booked, but lines with a code refused and lines with "" in process."""
    header, *lines = records_of(content)
    count, sum_fen = [0, 0], [0, 0]
    answers = [header]
    for place, line in enumerate(lines, 1):
        code = (codes or {}).get(place, "0000")
        if not code:
            answers.append(line[:184] + b"20000".ljust(16))
            continue
        refused = int(code != "0000")
        count[refused] += 1
        sum_fen[refused] += int(line[99:114])
        day = "" if refused else "20261122"
        answers.append(line[:184] + f"{refused}{code}{day}".encode().ljust(16))
    trailer = f"T{count[0]:06d}{sum_fen[0]:015d}{count[1]:06d}{sum_fen[1]:015d}"
    answers.append(trailer.encode().ljust(200))
    return b"".join(record + b"\r\n" for record in answers)
