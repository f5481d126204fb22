"""What the bank or the provider did not answer is asked about, never sent a second time."""

from deploy.demo.people import card
from tests.faults import feeds
from tests.faults.feeds import Story
from tests.faults.town import Town

UPLOAD = ("drop_answer", "drop_request", "status_500")
RESULT = ("truncated", "wrong_control_sum", "line_in_process", "garbage", "never_ready")
TEXTS = ("drop_answer", "drop_request", "no_receipt", "duplicate_receipt")
CODES = ("isv.BUSINESS_LIMIT_CONTROL", "isv.AMOUNT_NOT_ENOUGH", "isp.SYSTEM_ERROR")


async def _settle(town: Town, story: Story) -> None:
    await town.enrol(story)
    await town.upload_feed(story)
    await town.check()
    assert await town.go_right() == [], "every fault has come about"


async def test_a_bank_that_drops_refuses_and_garbles_pays_everything_once(town: Town) -> None:
    await town.go_wrong(
        *({"target": "bank_upload", "kind": kind, "times": 2} for kind in UPLOAD),
        *({"target": "bank_result", "kind": kind} for kind in RESULT),
    )
    await _settle(town, town.new_story())


async def test_a_provider_that_drops_and_errs_says_everything_once(town: Town) -> None:
    await town.go_wrong(
        *({"target": "sms", "kind": kind} for kind in TEXTS),
        *({"target": "sms", "kind": "error", "code": code} for code in CODES),
    )
    await _settle(town, town.new_story())


async def test_a_claim_reversed_while_its_payout_is_unknown_is_not_paid(town: Town) -> None:
    story = town.new_story(rows=20)
    person, *_ = story.people
    await town.enrol(story)
    await town.check()
    await town.other_side.open_account(person.card, "别人")
    await town.go_wrong({"target": "bank_upload", "kind": "drop_answer", "times": 1_000_000})

    row = feeds.stay(2, person, 50_000_00)
    assert (await town.post(row))["status"] == "settled"
    await town.until_sql("payments", "select 1 from batch where state = 'unknown'")
    assert (await town.cancel(row))["status"] == "reversed"
    await town.until_sql("payments", "select 1 from payout where grant_fen < 0")
    await town.go_right()
    before = await town.check()
    [line] = [line for line in before.bank if line.account == person.card]
    assert line.status == "refused"

    right_card = card(710_000 + story.number)
    await town.correct_card(person, right_card)
    after = await town.check()
    assert after.bank == before.bank
    assert after.texts == before.texts
