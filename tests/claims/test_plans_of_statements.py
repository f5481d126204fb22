"""The feed's statements find their rows by an index, however many rows there are."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.claims.model import PeriodKey, SettlementKey, Totals
from services.claims.store import feeds
from services.claims.store import settlements as store
from services.claims.store.settlements import Claim
from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.db import Argument, Row, Unit
from services.common.money import Fen
from tests.claims.conftest import SCHEME, ClaimsDesk

ROWS = 20_000
CHUNK = 100
STARTS = date(2024, 1, 1)


class Explained(Unit):
    """A transaction that has every statement's plan told before it is run."""

    def __init__(self, unit: Unit) -> None:
        super().__init__(unit.core, unit._driver)  # pyright: ignore[reportPrivateUsage] - the same transaction
        self.scanned: list[str] = []

    async def fetch(self, sql: str, *args: Argument) -> list[Row]:
        await self._explain(sql, args)
        return await super().fetch(sql, *args)

    async def fetchval(self, sql: str, *args: Argument) -> Any:  # noqa: ANN401 - as in `Unit`
        await self._explain(sql, args)
        return await super().fetchval(sql, *args)

    async def execute(self, sql: str, *args: Argument) -> int:
        await self._explain(sql, args)
        return await super().execute(sql, *args)

    async def _explain(self, sql: str, args: Sequence[Argument]) -> None:
        told = await super().fetchval(f"explain (format json) {sql}", *args)
        self.scanned += [
            f"{node['Relation Name']}: {sql}"
            for node in _nodes(told[0]["Plan"])
            if node["Node Type"] == "Seq Scan"
        ]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


async def test_no_statement_of_a_chunk_reads_a_table_through(claims: ClaimsDesk) -> None:
    await _fill(claims)
    ids = [UUID(int=number) for number in range(1, ROWS, ROWS // CHUNK)]
    keys = [SettlementKey("H1", f"S{one.int}", refund=False) for one in ids]
    periods = {PeriodKey(one, SCHEME, STARTS): Totals(grants=1) for one in ids}
    feed_id = new_id()
    async with claims.database.begin() as plain:
        await feeds.add(plain, feed_id, clock.now())
        await feeds.start(plain, feed_id, CHUNK)
        unit = Explained(plain)
        await feeds.lock_at(unit, feed_id, 0)
        members, known = await store.lock(unit, map(_index, ids), keys)
        assert (len(members), len(known)) == (len(ids), len(ids))
        _, refunds = await store.lock(unit, map(_index, ids), keys, presumed_new=True)
        assert not refunds
        assert len(await store.coverages(unit, ids)) == len(ids)
        assert await store.totals(unit, ids) == dict.fromkeys(periods, Totals())
        assert len(await store.counted_plans(unit, ids)) == len(ids)
        await store.put_totals(unit, (), list(periods.items()))
        await store.change_claims(unit, list(map(_reversed, known.values())))
        await feeds.move(unit, feed_id, [CHUNK, 0, 0, 0, 0], benefit=0)
        assert unit.scanned == []
        assert await store.totals(plain, ids) == periods


def _reversed(claim: Claim) -> Claim:
    claim.status, claim.benefit = "reversed", Fen(0)
    return claim


async def _fill(claims: ClaimsDesk) -> None:
    """Fill the books; as in a first feed, the server has not counted their rows yet."""
    ids, now = [UUID(int=number) for number in range(1, ROWS + 1)], clock.now()
    async with claims.database.begin() as unit:
        await unit.copy(
            "member",
            (
                "member_id",
                "identity_index",
                "unit_code",
                "salt",
                "version",
                "groups",
            ),
            ((one, _index(one), "unit-01", b"", 1, []) for one in ids),
        )
        await unit.copy(
            "coverage",
            ("coverage_id", "member_id", "scheme_id", "starts_on", "units", "version"),
            ((one, one, SCHEME, STARTS, 1, 1) for one in ids),
        )
        fresh = [(PeriodKey(one, SCHEME, STARTS), Totals()) for one in ids]
        await store.put_totals(unit, fresh, ())
        await store.add_claims(unit, [_claim(one, now) for one in ids])


def _index(member_id: UUID) -> bytes:
    return member_id.bytes[8:]


def _claim(one: UUID, now: datetime) -> Claim:
    return Claim(
        claim_id=one,
        key=SettlementKey("H1", f"S{one.int}", refund=False),
        status="settled",
        member_id=one,
        incurred_on=STARTS,
        content_hash=b"",
        mirror_hash=b"",
        sealed=bytes(400),
        received_at=now,
        benefit=Fen(100),
    )
