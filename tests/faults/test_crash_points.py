"""Killed at every named point of the way, the platform ends with the books of an unhurt run."""

from tests.faults.town import Town

POINTS = {
    "enrollment": ("enrollment.chunk_committed", "relay.produced"),
    "claims": ("relay.produced", "consumer.committed"),
    "claims-feed": ("claims.chunk_committed",),
    "payments": (
        "relay.produced",
        "consumer.committed",
        "payments.batch_fixed",
        "payments.file_sent",
    ),
    "notify": (
        "relay.produced",
        "consumer.committed",
        "notify.submitting",
        "notify.text_sent",
    ),
}


async def test_a_kill_at_every_crash_point_changes_nothing(unopened_town: Town, seed: int) -> None:
    town = unopened_town
    hits = await town.arm(POINTS, seed)
    await town.open()
    story = town.new_story()
    await town.enrol(story)
    await town.upload_feed(story)
    await town.check()
    hit = {program: {file.name for file in (hits / program).iterdir()} for program in POINTS}
    assert hit == {program: set(names) for program, names in POINTS.items()}
    town.record.points.update(f"{program} {name}" for program in hit for name in hit[program])
