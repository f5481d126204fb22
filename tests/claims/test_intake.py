"""Settlements in: judged row by row, booked once, taken back exactly."""

import asyncio
import random
from datetime import date

from services.claims.rows import COLUMNS, refund_of, texts_of
from services.claims.usecases import posts, reviews
from services.common.kit import clock
from tests.claims.conftest import ClaimsDesk, member_id_of
from tests.claims.settlements import a_row

ZHANG = "110101199003070011"
LI = "500101200002290029"


def refund(row: dict[str, str]) -> dict[str, str]:
    return dict(zip(COLUMNS, refund_of(texts_of(row)), strict=True))


async def test_a_settlement_above_the_deductible_is_settled_and_told(claims: ClaimsDesk) -> None:
    await claims.enroll(ZHANG)
    (outcome,) = await claims.take(a_row("2000.00"))
    assert (outcome.status, outcome.benefit) == ("settled", 560_00)
    assert await claims.granted(ZHANG) == 560_00
    assert await claims.published() == ["claims.benefit_granted.v1"]


async def test_the_same_settlement_again_is_a_duplicate_and_changes_nothing(
    claims: ClaimsDesk,
) -> None:
    await claims.enroll(ZHANG)
    first, second = await claims.take(a_row(), a_row())
    assert (first.status, second.status) == ("settled", "duplicate")
    (third,) = await claims.take(a_row())
    assert (third.status, third.claim_id) == ("duplicate", first.claim_id)
    assert await claims.granted(ZHANG) == 560_00


async def test_the_same_key_with_other_content_is_refused(claims: ClaimsDesk) -> None:
    await claims.enroll(ZHANG)
    await claims.take(a_row("2000.00"))
    (other,) = await claims.take(a_row("3000.00"))
    assert (other.status, other.code) == ("refused", "CONFLICTING_CONTENT")
    assert await claims.granted(ZHANG) == 560_00


async def test_what_stays_below_the_deductible_is_rejected_with_its_reason(
    claims: ClaimsDesk,
) -> None:
    await claims.enroll(ZHANG)
    (outcome,) = await claims.take(a_row("1300.00"))
    assert (outcome.status, outcome.code) == ("rejected", "AT_OR_BELOW_DEDUCTIBLE")
    assert await claims.published() == ["claims.claim_rejected.v1"]


async def test_a_stranger_is_refused_once_all_rosters_are_in(claims: ClaimsDesk) -> None:
    (outcome,) = await claims.take(a_row())
    assert (outcome.status, outcome.code) == ("refused", "UNKNOWN_MEMBER")
    assert await claims.fetch("select 1 from settlement") == []


async def test_a_retired_member_is_refused_and_an_uncovered_day_is_rejected(
    claims: ClaimsDesk,
) -> None:
    await claims.hear(claims.registered(ZHANG), claims.covered(ZHANG, starts_on=date(2024, 6, 1)))
    retired, early = await claims.take(a_row(psn_type="12", setl_id="S1"), a_row(setl_id="S2"))
    assert (retired.status, retired.code) == ("refused", "NOT_IN_SERVICE")
    assert (early.status, early.code) == ("rejected", "OUTSIDE_COVERAGE")


async def test_a_refund_takes_back_exactly_what_its_original_earned(claims: ClaimsDesk) -> None:
    await claims.enroll(ZHANG)
    first, second = a_row("2000.00", setl_id="S1"), a_row("500.00", setl_id="S2")
    await claims.take(first, second)
    assert await claims.granted(ZHANG) == 960_00
    (back,) = await claims.take(refund(first))
    assert (back.status, back.benefit) == ("reversed", -960_00)
    assert await claims.granted(ZHANG) == 0
    (again,) = await claims.take(refund(first))
    assert again.status == "duplicate"


async def test_a_refund_of_other_amounts_is_refused(claims: ClaimsDesk) -> None:
    await claims.enroll(ZHANG)
    await claims.take(a_row("2000.00"))
    (wrong,) = await claims.take(refund(a_row("2500.00")))
    assert (wrong.status, wrong.code) == ("refused", "REFUND_MISMATCH")
    assert await claims.granted(ZHANG) == 560_00


async def test_a_refund_before_its_original_waits_and_the_original_earns_nothing(
    claims: ClaimsDesk,
) -> None:
    await claims.enroll(ZHANG)
    (early,) = await claims.take(refund(a_row()))
    (late,) = await claims.take(a_row())
    assert (early.status, late.status, late.benefit) == ("reversed", "reversed", 0)
    (kept,) = await claims.fetch("select working from settlement where not refund")
    assert "never_counted" in kept["working"], "the member is told why"
    assert await claims.granted(ZHANG) == 0
    assert await claims.published() == []


async def test_chunks_and_order_change_nothing_of_what_is_owed(claims: ClaimsDesk) -> None:
    await claims.enroll(ZHANG, LI)
    dice = random.Random(3)  # noqa: S311 - a scene, not a secret
    rows = [
        a_row(
            f"{dice.randint(100, 9000)}.{dice.randint(0, 99):02d}",
            setl_id=f"S{number}",
            certno=dice.choice((ZHANG, LI)),
            med_type=dice.choice(("11", "21")),
        )
        for number in range(60)
    ]
    await claims.take(*rows)
    whole = [await claims.granted(ZHANG), await claims.granted(LI)]
    await claims.take(*map(refund, rows))
    assert [await claims.granted(ZHANG), await claims.granted(LI)] == [0, 0]
    again = [row | {"setl_id": "T" + row["setl_id"]} for row in rows]
    dice.shuffle(again)
    for at in range(0, 60, 7):
        await claims.take(*again[at : at + 7])
    assert [await claims.granted(ZHANG), await claims.granted(LI)] == whole


async def test_one_settlement_posted_by_many_at_once_is_settled_once(claims: ClaimsDesk) -> None:
    await claims.enroll(ZHANG)
    row = [claims.incoming(a_row())]
    answers = await asyncio.gather(*(posts.post(claims.counter, row) for _ in range(20)))
    assert sorted(answer[0].status for answer in answers) == ["duplicate"] * 19 + ["settled"]
    assert await claims.granted(ZHANG) == 560_00


async def test_posts_that_come_together_are_booked_together_whatever_one_of_them_waits_for(
    claims: ClaimsDesk,
) -> None:
    await claims.enroll(ZHANG)
    claims.all_rosters_are_in = False
    strange = [a_row(setl_id=f"S{n}", certno=LI if n == 3 else ZHANG) for n in range(12)]
    answers = await asyncio.gather(
        *(posts.post(claims.counter, [claims.incoming(row)]) for row in strange)
    )
    assert [answer[0].setl_id for answer in answers] == [row["setl_id"] for row in strange]
    assert [answer[0].status == "settled" for answer in answers] == [n != 3 for n in range(12)]
    assert answers[3][0].code == "MEMBER_PENDING"
    units = await claims.fetch("select distinct xid from outbox")
    assert len(units) < 11, "fewer transactions than settlements"


async def test_an_unknown_members_post_is_kept_in_review_and_settled_when_the_roster_comes(
    claims: ClaimsDesk,
) -> None:
    claims.all_rosters_are_in = False
    (pending,) = await posts.post(claims.counter, [claims.incoming(a_row())])
    assert (pending.status, pending.code) == ("in_review", "MEMBER_PENDING")
    await claims.enroll(ZHANG)
    (decided,) = await reviews.decide(claims.database, claims.desk, claims.read, clock.now())
    assert (decided.status, decided.claim_id) == ("settled", pending.claim_id)
    assert await claims.granted(ZHANG) == 560_00
    assert not await reviews.waiting_since(claims.database, clock.now())


async def test_a_post_in_review_of_somebody_who_stays_unknown_is_refused_and_remembered(
    claims: ClaimsDesk,
) -> None:
    claims.all_rosters_are_in = False
    await posts.post(claims.counter, [claims.incoming(a_row())])
    (decided,) = await reviews.decide(claims.database, claims.desk, claims.read, clock.now())
    assert (decided.status, decided.code) == ("refused", "UNKNOWN_MEMBER")
    await claims.enroll(ZHANG)
    (judged_anew,) = await claims.take(a_row())
    assert (judged_anew.status, judged_anew.benefit) == ("settled", 560_00)


async def test_a_repaired_roster_row_brings_the_claim_that_lacked_cover(
    claims: ClaimsDesk,
) -> None:
    await claims.hear(claims.registered(ZHANG), claims.covered(ZHANG, starts_on=date(2024, 6, 1)))
    await claims.take(a_row())
    await claims.hear(claims.covered(ZHANG, starts_on=date(2024, 1, 1), version=2))
    assert await claims.granted(ZHANG) == 560_00
    await claims.hear(claims.covered(ZHANG, starts_on=date(2024, 6, 1), version=1))
    assert await claims.granted(ZHANG) == 560_00


async def test_a_check_answers_like_a_post_and_leaves_nothing(claims: ClaimsDesk) -> None:
    await claims.enroll(ZHANG)
    (checked,) = await posts.check(claims.counter, [claims.incoming(a_row())])
    assert (checked.status, checked.benefit) == ("settled", 560_00)
    assert await claims.fetch("select 1 from settlement") == []
    assert await claims.published() == []


async def test_a_hospital_takes_its_settlement_back_once(claims: ClaimsDesk) -> None:
    await claims.enroll(ZHANG)
    await posts.post(claims.counter, [claims.incoming(a_row())])
    cancelled = await posts.cancel(claims.counter, "H1", "S1")
    assert (cancelled.status, cancelled.benefit) == ("reversed", -560_00)
    assert await claims.granted(ZHANG) == 0


async def test_nothing_readable_of_a_person_is_kept_or_published(claims: ClaimsDesk) -> None:
    await claims.enroll(ZHANG)
    await claims.take(a_row())
    (kept,) = await claims.fetch("select * from settlement")
    told = await claims.fetch("select payload from outbox")
    seen = repr(dict(kept)).encode() + kept["sealed"] + b"".join(row["payload"] for row in told)
    for secret in (ZHANG, "张国强", "C34.900", "肺恶性肿瘤"):
        assert secret.encode() not in seen
    assert member_id_of(ZHANG) == kept["member_id"]


async def test_a_bad_row_beside_good_ones_is_refused_alone(claims: ClaimsDesk) -> None:
    await claims.enroll(ZHANG)
    outcomes = await claims.take(
        a_row(setl_id="S1"),
        a_row(setl_id="S2", psn_part_amt="1.00"),
        a_row(setl_id="S3", medfee_sumamt="1e3"),
        a_row(setl_id="S4"),
    )
    assert [outcome.code for outcome in outcomes] == [None, "SUMS_MISMATCH", "BAD_AMOUNT", None]
    assert await claims.granted(ZHANG) == (2 * 2000_00 - 1300_00) * 80 // 100


async def test_a_row_that_breaks_the_books_is_refused_alone_and_the_rest_is_booked(
    claims: ClaimsDesk,
) -> None:
    await claims.enroll(ZHANG, LI)
    async with claims.database.begin() as unit:
        await unit.execute(
            "insert into accumulator values ($1, 'bj.mutual', '2024-01-01', 'no JSON')",
            member_id_of(LI),
        )
    rows = [a_row(setl_id="S1"), a_row(setl_id="S2", certno=LI), a_row("500.00", setl_id="S3")]
    first, broken, last = await claims.take(*rows)
    assert (first.status, broken.status, last.status) == ("settled", "refused", "settled")
    assert broken.code == "NOT_PROCESSED"
    assert await claims.granted(ZHANG) == 960_00


async def test_one_set_holds_newcomers_and_what_came_before_and_late(claims: ClaimsDesk) -> None:
    await claims.hear(
        claims.registered(ZHANG, version=2), claims.covered(ZHANG, units=3, version=2)
    )
    together = (
        claims.registered(ZHANG, version=3, groups=("hardship",)),
        claims.registered(ZHANG, version=1),
        claims.registered(LI, version=2, groups=("gig:courier", "hardship")),
        claims.registered(LI, version=1),
        claims.covered(ZHANG, units=2, version=1),
        claims.covered(LI, units=2, version=2),
        claims.covered(LI, units=1, version=1),
    )
    for _ in range(2):
        await claims.hear(*together)
        members = await claims.fetch("select member_id, version, groups from member")
        assert {(row["member_id"], row["version"], *row["groups"]) for row in members} == {
            (member_id_of(ZHANG), 3, "hardship"),
            (member_id_of(LI), 2, "gig:courier", "hardship"),
        }
        covers = await claims.fetch("select member_id, version, units from coverage")
        assert {tuple(row) for row in covers} == {
            (member_id_of(ZHANG), 2, 3),
            (member_id_of(LI), 2, 2),
        }
