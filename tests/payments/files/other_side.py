"""Results as the sandbox's own readers and writers answer a batch file of ours."""

from collections.abc import Iterator, Mapping

from deploy.sandbox.bank import batchfile, fixedfile
from deploy.sandbox.bank.batches import IN_PROCESS, Outcome
from deploy.sandbox.bank.batchfile import BatchFile

LINES_MAX = 100_000
# Every record of P2 with its line end.
P2_STEP = 202
WORDS = {"0001": "户名不符", "0008": "企业流水号重复", IN_PROCESS[0]: IN_PROCESS[1]}


def p1_result(content: bytes, codes: Mapping[int, str] | None = None) -> bytes:
    """Answer a P1 file: lines with a code are refused with it (9999: in process), others booked."""
    file = batchfile.read(content, LINES_MAX)
    return batchfile.write(_header(file), _answered(file, codes or {}))


def p2_result(content: bytes, codes: Mapping[int, str] | None = None) -> bytes:
    file = fixedfile.read(content, LINES_MAX)
    return fixedfile.write(_header(file), _answered(file, codes or {}))


def _header(file: BatchFile) -> bytes:
    return next(batchfile.lines_of(file.content))


def _answered(file: BatchFile, codes: Mapping[int, str]) -> Iterator[tuple[bytes, Outcome]]:
    _header, *lines = batchfile.lines_of(file.content)
    for place, (line, transfer) in enumerate(zip(lines, file.transfers, strict=True), 1):
        fen, code = transfer.amount_fen, codes.get(place)
        if code:
            yield line, Outcome(fen, code=code, words=WORDS[code])
        else:
            yield line, Outcome(fen, serial=f"20261122{place:014d}", day="20261122")
