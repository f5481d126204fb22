"""Killed in the middle of a feed, whatever it is, the platform goes on where it was."""

import asyncio

import pytest

from tests.faults.town import Town

SERVICES = ("claims-feed", "payments", "notify", "enrollment", "claims", "gateway")


@pytest.mark.parametrize("programs", [("postgres",), ("kafka",), ("sandbox",)], ids="-".join)
async def test_a_server_killed_in_the_middle_of_a_feed(
    town: Town, programs: tuple[str, ...]
) -> None:
    story = town.new_story()
    await town.enrol(story)
    await town.begin_feed(story)
    await town.come_back(await town.kill(*programs))
    await town.check()


async def test_services_killed_in_the_middle_of_a_feed_and_of_a_roster(
    town: Town, seed: int
) -> None:
    story, other = town.new_story(), town.new_story()
    await town.enrol(story)
    roster_id = await town.upload_roster(other)
    await town.begin_feed(story)
    dead: dict[str, int] = {}
    # In the first round crash points have killed all services but the gateway.
    for program in ("gateway",) if seed == 1 else SERVICES:
        dead |= await town.kill(program)
        await asyncio.sleep(0.1)
    await town.come_back(dead)
    await town.finish_roster(roster_id)
    await town.upload_feed(other)
    await town.check()


async def test_the_supervisor_killed_and_kafka_emptied_before_the_next_run(
    town: Town, seed: int
) -> None:
    story = town.new_story()
    await town.enrol(story)
    await town.begin_feed(story)
    await town.kill_keeper()
    if seed % 2:
        await town.empty_kafka()
    await town.start()
    await town.check()
