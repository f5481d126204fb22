"""Batches of 100,000 transfers: every file of them is written and read in bounded memory."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COUNT = 100_000
# The order itself has 44 MB and the instructions 40 MB; the bounds leave room for both twice.
PEAK_MAX_MB = 320

BEGIN = r"""
import asyncio, re, sys, time
from pathlib import Path
from services.payments.model.payouts import instruction_id
from tests.payments.iso.papers import *
COUNT = int(sys.argv[2])
IDS = [instruction_id(UUID(int=number), 1) for number in range(COUNT)]
drop = Drop(Path(sys.argv[1]))
def peak_mb():
    # Not ru_maxrss: that is handed down by the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024
began, began_mb = time.process_time(), peak_mb()
"""
END = """
print(f"{time.process_time() - began:.1f} s, {began_mb:.0f} MB before, {peak_mb():.0f} MB at most")
print(int(peak_mb()))
"""
ORDER = """
payee = a_payee("阿依古丽·买买提")
lines = [Instruction(line, one, payee, Fen(100)) for line, one in enumerate(IDS, 1)]
file = drop.channel.fix(BATCH_ID, DAY, lines)
"""
RESULT = """
asyncio.run(drop.channel.submit(file))
del file, lines
transfers = (transfer(one, "ACSC", serial=str(place)) for place, one in enumerate(IDS))
head, end = report("PART", "@").split("@")
with (drop.from_bank / f"PAIN002_{BATCH_NO}_1.xml").open("w") as out:
    out.write(head)
    out.writelines(transfers)
    out.write(end)
result = asyncio.run(drop.channel.result(BATCH_NO, f"PAIN001_UNION01_20261122_{BATCH_NO}.xml"))
assert result.final and len(result.lines) == COUNT
"""
REPORTED = f"{BEGIN}{ORDER}{RESULT}{END}"
MOVED = f"""{BEGIN}
details = f"<TxDtls><Refs><EndToEndId>{{IDS[0]}}</EndToEndId></Refs></TxDtls>"
head, end = statement([balance("OPBD", "0.00"), balance("CLBD", f"{{COUNT}}.00")], "@").split("@")
with (drop.from_bank / f"CAMT053_{{ACCOUNT}}_20261122.xml").open("w") as out:
    out.write(head)
    for place in range(COUNT):
        out.write(entry("RETURN", "CRDT", ref=str(place), details=details))
    out.write(end)
read = asyncio.run(drop.channel.statement(DAY))
assert len(read.lines) == COUNT
{END}"""
HOSTILE = f"""{BEGIN}
many = "<x>" + "<a/>" * 5_000_000 + "</x>"
extra = f"<SplmtryData><Envlp>{{many}}</Envlp></SplmtryData></CstmrPmtStsRpt>"
drop.report(1, report("ACTC").replace("</CstmrPmtStsRpt>", extra))
del extra, many
began_mb = peak_mb()
answer = asyncio.run(drop.channel.result(BATCH_NO, "none"))
assert answer.code == "NOT_READY", answer
{END}"""


@pytest.mark.parametrize(
    "work",
    [REPORTED, MOVED, HOSTILE],
    ids=["order and report", "statement", "five million elements beside a report"],
)
def test_a_large_file_needs_bounded_memory(work: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", work, str(tmp_path / "drop"), str(COUNT)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    figures, peak_mb = done.stdout.splitlines()
    assert int(peak_mb) < PEAK_MAX_MB, figures
