"""Claims judged again: decided once however many try, and what is kept is what was judged."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime

import pytest

from services.claims.model import SettlementKey
from services.claims.store import members
from services.claims.store import settlements as store
from services.claims.store.members import Cover
from services.claims.store.settlements import Claim
from services.claims.usecases import feeds, posts, reviews
from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.db import Unit
from tests.claims.conftest import ClaimsDesk, member_id_of
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


async def test_a_refund_beside_a_new_cover_leaves_nothing_granted(
    claims: ClaimsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = a_row("2000.00")
    await claims.hear(claims.registered(ZHANG))
    assert await post(claims, row) == "rejected"
    read = members.judged_before

    refunds: list[asyncio.Task[str]] = []

    async def read_beside_a_refund(unit: Unit, covers: Sequence[Cover]) -> list[Claim]:
        found = await read(unit, covers)
        refunds.append(asyncio.create_task(post(claims, refund(row))))
        await asyncio.sleep(0.3)  # enough to be done, were it not held back
        return found

    monkeypatch.setattr(members, "judged_before", read_beside_a_refund)
    await claims.hear(claims.covered(ZHANG))
    assert await asyncio.gather(*refunds) == ["reversed"]
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
    chunk = [claims.incoming(row, 2)]
    assert await feeds.settle_chunk(claims.database, claims.desk, feed_id, 0, chunk) == 1
    (refused,) = await feeds.refusals(claims.database, feed_id, 10)
    assert (refused.setl_id, refused.code) == ("S\ufffd\ufffd", "MISSING_FIELD")


async def test_a_roster_that_judges_again_waits_for_members_in_the_order_of_everybody(
    claims: ClaimsDesk,
) -> None:
    first, second = sorted((ZHANG, LI), key=member_id_of)
    await claims.hear(claims.registered(first), claims.registered(second))
    assert await post(claims, a_row(certno=first)) == "rejected"
    indexes = [claims.desk.identity.of(number) for number in (first, second)]
    async with claims.database.begin() as batch:
        await store.lock_members(batch, indexes[:1])
        roster = asyncio.create_task(
            claims.hear(claims.registered(second, version=2), claims.covered(first))
        )
        await asyncio.sleep(0.3)  # until it waits
        await store.lock_members(batch, indexes)
    await roster
    assert await claims.granted(first) == 560_00


async def test_a_claim_that_no_plan_can_judge_again_stays_open_to_the_next_cover(
    claims: ClaimsDesk,
) -> None:
    """Beijing admits nobody who has retired; the other plan does not ask."""
    row = a_row(psn_type="12", copay_pooled="1000.00")
    await claims.hear(claims.registered(ZHANG))
    assert await post(claims, row) == "rejected"
    await claims.hear(claims.covered(ZHANG))
    assert await post(claims, row) == "duplicate"
    await claims.hear(claims.covered(ZHANG, scheme_id="ct.medical", starts_on=date(2023, 7, 1)))
    assert await claims.granted(ZHANG) == 700_00
    rejected = "claims.claim_rejected.v1"
    assert await claims.published() == [rejected, "claims.benefit_granted.v1"]


async def test_who_enters_a_register_late_is_judged_again_by_the_plans_that_ask_for_it(
    claims: ClaimsDesk,
) -> None:
    """The cover may be heard of before the register: nothing is ordered across topics."""
    since = date(2023, 12, 1)
    await claims.hear(
        claims.registered(ZHANG), claims.covered(ZHANG, scheme_id="wh.hardship", starts_on=since)
    )
    assert await post(claims, a_row("2000.00")) == "rejected"
    await claims.hear(claims.registered(ZHANG, version=2, groups=("hardship",)))
    assert await claims.granted(ZHANG) == 2000_00
    await claims.hear(claims.registered(ZHANG, version=3))
    assert await claims.granted(ZHANG) == 2000_00, "what was granted stands"
