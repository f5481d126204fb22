"""Kafka is a cache: emptied, it is filled again; whatever it says twice changes nothing."""

from collections import Counter

from deploy.demo.people import card
from tests.faults import feeds, topics
from tests.faults.town import Town

TOPICS = ("enrollment.member.v1", "claims.claim.v1", "payments.payout.v1")
CONSUMERS = ("claims", "payments", "notify")


async def test_kafka_emptied_in_the_middle_of_a_feed_loses_and_repeats_nothing(town: Town) -> None:
    story = town.new_story()
    await town.enrol(story)
    await town.begin_feed(story)
    await town.empty_kafka()
    await town.check()


async def test_topics_written_again_and_read_again_change_nothing(town: Town) -> None:
    story = town.new_story(rows=60)
    person, *_ = story.people
    await town.enrol(story)
    await town.upload_feed(story)
    before = await town.check()
    right_card = card(700_000 + story.number)
    await town.correct_card(person, right_card)
    await town.rest()

    # Who stands nowhere begins at the start, once something new makes it look where it stands.
    for service in CONSUMERS:
        await town.sql(service, "delete from positions")
    assert await topics.write_again(town.kafka, TOPICS) > 0
    assert await town.check() == before

    # The oldest card was read last of all; the newest still holds.
    await town.post(feeds.stay(1, person, 40_000_00))
    after = await town.check()
    [paid] = Counter(after.bank) - Counter(before.bank)
    assert paid.account == right_card
