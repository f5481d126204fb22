"""Write the generated pages; `--check` only compares, `--accept-contracts` stores the contracts."""

import argparse
import sys

from deploy.docs import contracts
from deploy.docs.pages import generated
from deploy.local.settings import ROOT


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail where a page is not current")
    parser.add_argument(
        "--accept-contracts",
        action="store_true",
        help="store today's events as the version to be compatible with, if they are",
    )
    asked = parser.parse_args()
    if asked.accept_contracts:
        broken = contracts.accept(ROOT)
        for breakage in broken:
            print(breakage)
        return 1 if broken else 0
    stale = {page: text for page, text in generated().items() if not _is(page, text)}
    for page, text in stale.items():
        if asked.check:
            print(f"{page} is not current: run `make docs`")
        else:
            (ROOT / page).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / page).write_text(text, encoding="utf-8")
            print(f"{page} written")
    return 1 if asked.check and stale else 0


def _is(page: str, text: str) -> bool:
    file = ROOT / page
    return file.exists() and file.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
