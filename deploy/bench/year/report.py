"""What a year has come to: held against what it was made to be worth, written down and shown."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from deploy.bench.processes import Cost
from deploy.bench.year.floor import Floor
from deploy.bench.year.ledgers import OtherSide
from deploy.bench.year.run import Run
from deploy.bench.year.settlements import Year
from deploy.demo import show
from deploy.demo.actors import Json
from deploy.demo.books import COUNTED, SERVICES, Check

SANDBOX: Final = "sandbox"
TOGETHER: Final = "together"


class Found(NamedTuple):
    """The books of both sides after a year, and how long it took from the first feed's 202."""

    books: Json
    other_side: OtherSide
    seconds: float
    settled_s: float


async def found(year: Run) -> Found:
    other_side = OtherSide(year.roster)
    await other_side.read(str(year.other_side.client.base_url))
    began = year.timed.accepted[0]
    return Found(
        await year.admin.books(),
        other_side,
        other_side.last_text_at - began,
        year.timed.settled - began,
    )


def settled(feeds: Sequence[Json]) -> int:
    """Count the settlements that were judged: refused lines and refunds are none."""
    return sum(feed["settled"] + feed["rejected"] for feed in feeds)


def checks(found: Found, years: Sequence[Year], feeds: Sequence[Json]) -> list[Check]:
    """Hold what was made against what became of it, and each book against the others."""
    claims, payments = found.books["claims"], found.books["payments"]
    other, granted = found.other_side, claims["granted_fen"]
    outside = payments["to_recover_fen"] - payments["open_fen"]
    counts = {name: sum(feed[name] for feed in feeds) for name in COUNTED}
    lines = sum(feed["lines"] for feed in feeds)
    services = [found.books[name] for name in SERVICES]
    return [
        Check("feed: lines = rows made", sum(year.rows for year in years), lines),
        Check("feed: every line counted", lines, sum(counts.values())),
        Check("feed: settled", sum(year.paid for year in years), counts["settled"]),
        Check("feed: refused = spoilt", sum(year.spoilt for year in years), counts["refused"]),
        Check("feed: reversed = refunds", sum(year.refunds for year in years), counts["reversed"]),
        Check("granted = expected, in fen", sum(year.expected_fen for year in years), granted),
        Check("ledger: expense = granted", granted, payments["ledger"]["benefit_expense"]),
        Check("ledger: its accounts add up to nothing", 0, sum(payments["ledger"].values())),
        Check("ledger: what left the fund = bank book", other.booked_fen, _left_the_fund(found)),
        Check("bank book = granted + to recover - open", other.booked_fen, granted + outside),
        Check("nothing is left unpaid", 0, payments["open_fen"]),
        Check("no instruction was booked twice", 0, other.booked_twice),
        Check("one text per payment: none untold", 0, other.untold),
        Check("one text per payment: none told twice", 0, other.told_twice),
        Check("every member's texts add up to the payments", 0, other.members_told_otherwise),
        Check("no dead letter", 0, sum(books["dead_letters"] for books in services)),
        Check("no event is pending", 0, sum(books["events_pending"] for books in services)),
    ]


def _left_the_fund(found: Found) -> int:
    ledger = found.books["payments"]["ledger"]
    return -(ledger["bank"] + ledger["fund"])


def written(found: Found, feeds: Sequence[Json]) -> dict[str, Any]:
    """Give the figures of the books; a settlement is one that was judged."""
    count, other = settled(feeds), found.other_side
    return {
        "settlements": count,
        "paid": other.bookings,
        "refused_rows": sum(feed["refused"] for feed in feeds),
        "seconds": round(found.seconds, 1),
        "feed_seconds": round(found.settled_s, 1),
        "settlements_per_s": round(count / found.seconds),
        "bank_book_fen": other.booked_fen,
        "ledger_fen": _left_the_fund(found),
        "granted_fen": found.books["claims"]["granted_fen"],
        "to_recover_fen": found.books["payments"]["to_recover_fen"],
        "texts": other.texts,
        "refused_payouts": other.refusals,
        "lost": other.untold,
        "duplicated": other.booked_twice + other.told_twice,
    }


def spent(count: int, costs: Mapping[str, Cost]) -> dict[str, Any]:
    """Give the figures of the processor for so many settlements."""
    cpu_us = {name: round(1e6 * cost.cpu_s / count, 1) for name, cost in costs.items()}
    return {"cpu_us_per_settlement": {**cpu_us, TOGETHER: round(sum(cpu_us.values()), 1)}}


def beside(floor: Floor, cpu_us: Mapping[str, float]) -> dict[str, Any]:
    """Hold what a settlement takes, the sandbox apart, against the floor of the same run."""
    ours = cpu_us[TOGETHER] - cpu_us[SANDBOX]
    return {
        "floor_cpu_us": round(floor.cpu_us, 1),
        "floor_parts_cpu_us": floor.parts_us,
        "floor_seconds": round(floor.seconds, 1),
        "ratio": round(ours / floor.cpu_us, 2),
    }


def shown(written: Mapping[str, Any], checks: Sequence[Check]) -> None:
    show.heading("The year", "全年")
    rss = written["rss_mb"]
    if cpu := written.get("cpu_us_per_settlement"):
        rows = [(name, us, rss.get(name, "")) for name, us in cpu.items()]
        show.table([("program", "µs CPU a settlement", "peak MB"), *rows])
        show.line()
        show.table([("PostgreSQL for", "CPU s"), *written["postgres_cpu_s"].items()])
    else:
        show.table([("program", "peak MB"), *rss.items()])
    show.line()
    if "ratio" in written:
        show.line(f"floor {written['floor_cpu_us']} µs, ratio {written['ratio']}")
    show.line(f"{written['disk_gb']} GB on disk")
    show.table([("HOT updates", "share"), *written["hot_update_share"].items()])
    show.line()
    show.line(
        f"{written['settlements']} settlements, {written['paid']} paid, {written['texts']} texts:"
        f" {written['seconds']} s, {written['settlements_per_s']} a second"
    )
    for check in checks:
        show.check(check.name if check.ok else f"{check.name}: {check[1:]}", ok=check.ok)
