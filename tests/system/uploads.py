"""How the system tests bring data in and wait for what becomes of it."""

from collections.abc import Awaitable, Callable
from functools import partial

from deploy.demo import books
from deploy.demo.actors import Json, Staff
from deploy.demo.patience import until


async def enroll(admin: Staff, rosters: dict[str, bytes], starts_on: str) -> list[Json]:
    """Register the units and upload their rosters; gives what became of each."""
    sent: list[str] = []
    for unit, content in rosters.items():
        await admin.put_unit(unit, f"单位{unit}", 100, [])
        sent.append(await admin.upload_roster(unit, starts_on, content))
    return [await _finished(partial(admin.roster, one)) for one in sent]


async def settle(admin: Staff, content: bytes, name: str = "settlements.csv") -> tuple[str, Json]:
    """Upload a feed; gives its id and what became of it."""
    feed_id = await admin.upload_feed(name, content)
    return feed_id, await _finished(partial(admin.feed, feed_id))


async def quiet(admin: Staff) -> Json:
    """Wait until all money is out and told; gives the books."""

    async def all_done() -> Json | None:
        here = await admin.books()
        return here if books.is_quiet(here, refused_attempts=0) else None

    return await until("all payouts final and all texts sent", all_done)


async def _finished(ask: Callable[[], Awaitable[Json]]) -> Json:
    async def finished() -> Json | None:
        here = await ask()
        return here if here["status"] in ("done", "refused") else None

    return await until("an upload", finished)
