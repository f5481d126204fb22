"""Run files of worked cases: a line per case, then how many passed and failed.

`python -m tests.golden FILE…` ends with 1 where a case failed or a file has none.
"""

import argparse
import sys
from pathlib import Path

from tests.golden.running import run_file


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    passed = failed = 0
    for file in parser.parse_args().files:
        for result in run_file(file):
            print(result.line(), flush=True)  # noqa: T201 (what the program is for)
            passed += result.passed
            failed += not result.passed
    print(f"{passed} passed, {failed} failed")  # noqa: T201 (what the program is for)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
