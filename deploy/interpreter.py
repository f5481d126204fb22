"""Prints the Python that the environment is made from: the fastest at hand, `python3` in doubt.

How an interpreter was built counts for more than its version: one made without profiling, as
version managers make them, takes a quarter more time for the platform's work than Debian's.
Only what has the version of `python3` is tried, since the locked wheels are for that. This file
runs before anything is installed, so it needs nothing but the standard library.
"""

import shutil
import subprocess
import sys

ELSEWHERE = ("/usr/bin/python3", "/usr/local/bin/python3")
# Less than that may be noise, and then what the user has in the path is meant.
CLEARLY_FASTER = 0.9
ROUNDS = 3
WORK = """
import sys, time
if sys.version_info[:2] != ({}, {}):
    sys.exit(1)
import ctypes, ssl, venv

def work():
    texts = {{}}
    for number in range(60_000):
        text = str(number)
        row = (number, text, len(text))
        number, text, length = row
        texts[text[-3:]] = length * number
    return texts

def spent():
    begun = time.process_time()
    work()
    return time.process_time() - begun

print(min(spent() for _ in range(20)))
"""


def spent_s(python: str) -> float:
    """Give the processor seconds that a little work takes there; endless where it is not fit."""
    work = WORK.format(*sys.version_info[:2])
    try:
        ran = subprocess.run(
            [python, "-I", "-c", work], capture_output=True, text=True, check=True, timeout=30
        )
        return float(ran.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return float("inf")


def fastest(own: str) -> str:
    tried = [own, *filter(shutil.which, ELSEWHERE)]
    # By turns, for whatever else the machine does slows down whose turn it is.
    rounds = [[spent_s(python) for python in tried] for _ in range(ROUNDS)]
    spent = dict(zip(tried, map(min, zip(*rounds, strict=True)), strict=True))
    best = min(spent, key=spent.__getitem__)
    return best if spent[best] < spent[own] * CLEARLY_FASTER else own


if __name__ == "__main__":
    sys.stdout.write(f"{fastest(sys.executable)}\n")
