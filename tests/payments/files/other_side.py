"""Results as the sandbox's own readers and writers answer a batch file of ours."""

from collections.abc import Mapping

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
    return batchfile.write_result(file, _outcomes(file, codes or {}))


def p2_result(content: bytes, codes: Mapping[int, str] | None = None) -> bytes:
    file = fixedfile.read(content, LINES_MAX)
    return fixedfile.write_result(file, _outcomes(file, codes or {}))


def _outcomes(file: BatchFile, codes: Mapping[int, str]) -> list[Outcome]:
    return [
        Outcome(transfer.amount_fen, code=codes[place], words=WORDS[codes[place]])
        if place in codes
        else Outcome(transfer.amount_fen, serial=f"20261122{place:014d}", day="20261122")
        for place, transfer in enumerate(file.transfers, 1)
    ]
