"""Claims judged again: decided once however many try, and what is kept is what was judged."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import pytest

from services.claims.store import settlements as store
from services.claims.store.settlements import Claim, SettlementKey
from services.claims.usecases import feeds, posts, reviews
from services.claims.usecases.feeds import Numbered
from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.db import Unit
from tests.claims.conftest import ClaimsDesk
from tests.claims.settlements import a_row
from tests.claims.test_intake import LI, ZHANG, refund


async def post(claims: ClaimsDesk, row: dict[str, str]) -> str:
    (outcome,) = await posts.post(claims.counter, [claims.incoming(row)])
    return outcome.status


async def test_two_workers_that_decide_a_review_at_once_grant_once(
    claims: ClaimsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims.all_rosters_are_in = False
    assert await post(claims, a_row("2000.00")) == "in_review"
    await claims.enroll(ZHANG)
    both_have_read = asyncio.Barrier(2)
    read = store.in_review

    async def read_together(unit: Unit, before: datetime, rows_max: int) -> list[Claim]:
        found = await read(unit, before, rows_max)
        await both_have_read.wait()
        return found

    monkeypatch.setattr(store, "in_review", read_together)
    now = clock.now()
    decided = (reviews.decide(claims.database, claims.desk, claims.read, now) for _ in range(2))
    await asyncio.gather(*decided)
    assert await claims.granted(ZHANG) == 560_00


async def test_a_refund_that_overtakes_a_new_cover_stays_a_refund(
    claims: ClaimsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = a_row("2000.00")
    await claims.hear(claims.registered(ZHANG))
    assert await post(claims, row) == "rejected"
    read = store.outside_coverage

    async def read_then_refund(unit: Unit, members: Sequence[UUID]) -> list[Claim]:
        found = await read(unit, members)
        assert await post(claims, refund(row)) == "reversed"
        return found

    monkeypatch.setattr(store, "outside_coverage", read_then_refund)
    await claims.hear(claims.covered(ZHANG))
    assert await claims.granted(ZHANG) == 0


async def test_a_settlement_in_review_with_other_content_is_a_conflict(claims: ClaimsDesk) -> None:
    claims.all_rosters_are_in = False
    assert await post(claims, a_row("2000.00")) == "in_review"
    await claims.enroll(ZHANG)
    (other,) = await posts.post(claims.counter, [claims.incoming(a_row("3000.00"))])
    assert (other.status, other.code) == ("refused", "CONFLICTING_CONTENT")
    assert await post(claims, a_row("2000.00")) == "settled"


async def test_a_corrected_settlement_can_be_taken_back_and_sent_again(claims: ClaimsDesk) -> None:
    claims.all_rosters_are_in = False
    assert await post(claims, a_row("2000.00", certno=LI)) == "in_review"
    await reviews.decide(claims.database, claims.desk, claims.read, clock.now())
    await claims.enroll(ZHANG)
    right = a_row("2000.00")
    assert await post(claims, right) == "settled"
    assert await post(claims, right) == "duplicate"
    assert await post(claims, refund(right)) == "reversed"
    assert await claims.granted(ZHANG) == 0


async def test_a_feed_that_sees_no_member_leaves_what_a_review_has_settled_meanwhile(
    claims: ClaimsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims.all_rosters_are_in = False
    row = a_row("2000.00")
    assert await post(claims, row) == "in_review"
    read = store.known_claims

    async def read_before_the_review(
        unit: Unit, keys: Sequence[SettlementKey]
    ) -> dict[SettlementKey, Claim]:
        found = await read(unit, keys)
        monkeypatch.setattr(store, "known_claims", read)
        await claims.enroll(ZHANG)
        await reviews.decide(claims.database, claims.desk, claims.read, clock.now())
        return found

    monkeypatch.setattr(store, "known_claims", read_before_the_review)
    outcomes = [*await claims.take(row), *await claims.take(row)]
    assert [outcome.status for outcome in outcomes] == ["duplicate", "duplicate"]
    assert await claims.granted(ZHANG) == 560_00


async def test_a_line_whose_number_cannot_be_written_is_refused_and_stops_no_feed(
    claims: ClaimsDesk,
) -> None:
    feed_id, row = new_id(), a_row(setl_id="S\x00\ud800")
    await feeds.receive(claims.database, feed_id)
    await feeds.start(claims.database, feed_id, 1)
    chunk = [Numbered(2, claims.incoming(row))]
    assert await feeds.settle_chunk(claims.database, claims.desk, feed_id, 0, chunk) == 1
    (refused,) = await feeds.refusals(claims.database, feed_id, 10)
    assert (refused.setl_id, refused.code) == ("S\ufffd\ufffd", "MISSING_FIELD")
