"""The sums that checks ask for."""

from services.common.kit.backlog import backlog
from services.common.kit.db import Unit
from services.notify.store.fates import FATE


async def messages_by_state(unit: Unit) -> dict[str, int]:
    rows = await unit.fetch(
        f"select state, count(*) as n from ({FATE}) as fate group by state"  # noqa: S608 - a constant query
    )
    return {row["state"]: row["n"] for row in rows}


async def counts(unit: Unit) -> dict[str, int]:
    """Count what is still to be done, and what needs a person."""
    row = await unit.fetchrow(
        """
        select (select count(*) from ready) as texts_ready,
               (select count(*) from waiting) as texts_waiting,
               (select count(*) from open_dispatch) as dispatches_open,
               (select count(*) from login_code) as login_codes
        """
    )
    assert row is not None, "an aggregate has a row"
    return {**row, **await backlog(unit)}
