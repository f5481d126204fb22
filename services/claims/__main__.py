"""Which process to be; or a draft tried out at once, with its table on the screen."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from services.claims.backtest import picture, table
from services.claims.backtest.report import Asked, Report
from services.claims.main import run
from services.claims.schemas.backtest import ReportOut
from services.claims.settings import Settings
from services.claims.usecases import backtest, editions
from services.claims.usecases.desk import Shelf
from services.common.errors import DomainError
from services.common.kit import logs
from services.common.kit.db import Database
from services.common.kit.process import main
from services.common.money import parse_yuan
from services.common.period import Days

BACKTEST = "backtest"


def try_out(arguments: Sequence[str]) -> int:
    """Run a backtest on the books of this installation; nothing is written to them."""
    told = _asked(arguments)
    logs.configure(service="claims", role=BACKTEST, level="warning")
    try:
        found = asyncio.run(_found(told))
    except DomainError as refused:
        said = str(refused) or type(refused).__doc__ or ""
        sys.stderr.write(f"{refused.code}: {said}\n")
        return 1
    except OSError as lost:
        sys.stderr.write(f"{lost}\n")
        return 1
    sys.stdout.write(table.text(found))
    if told.json is not None:
        shown = ReportOut.of(found).model_dump_json(by_alias=True, indent=1)
        told.json.write_text(f"{shown}\n", encoding="utf-8")
    if told.svg is not None:
        told.svg.write_text(picture.svg(found), encoding="utf-8")
    return 0


async def _found(told: argparse.Namespace) -> Report:
    settings = Settings()  # pyright: ignore[reportCallIssue] - the environment gives what is required
    database = Database(settings, application="claims backtest")
    shelf = Shelf.of_release()
    try:
        await editions.refresh(database, shelf)
        content = told.draft.read_bytes()
        draft = editions.read_draft(content, told.scheme, shelf.rulebook)
        backtest.check_can_be_tried(draft)
        asked = Asked(told.scheme, Days(told.starts, told.ends), told.as_of, told.fund)
        return await backtest.run(
            settings, database, shelf.rulebook, draft, asked=asked, progress=_show
        )
    finally:
        await database.close()


async def _show(done: int, parts: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done}/{parts}" if done < parts else "\r\x1b[2K")
        sys.stderr.flush()


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m services.claims {BACKTEST}", description=try_out.__doc__
    )
    parser.add_argument("--scheme", required=True, help="its id")
    parser.add_argument("--draft", required=True, type=Path, help="the changed scheme file")
    day = date.fromisoformat
    parser.add_argument(
        "--from", required=True, type=day, dest="starts", help="first day of claims"
    )
    parser.add_argument("--to", required=True, type=day, dest="ends", help="last day of claims")
    parser.add_argument("--as-of", type=day, help="judge all claims by the figures of this day")
    parser.add_argument("--fund", type=parse_yuan, help="yuan in the fund before these claims")
    parser.add_argument("--json", type=Path, help="write the report there")
    parser.add_argument("--svg", type=Path, help="draw the picture there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    if sys.argv[1:2] == [BACKTEST]:
        sys.exit(try_out(sys.argv[2:]))
    main(
        "services.claims",
        settings=Settings,
        run=run,
        roles=("api", "worker"),
        apart=("feed", "redrive"),
    )
