"""A check that cannot fail is worth nothing: these mistakes are found within thirty seeds each."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Final

import pytest

from services.payments.channels.base import Outcome, Result
from services.payments.model.batches import Batch, BatchState
from services.payments.model.ledger import Posting
from services.payments.model.payouts import Attempt, Payout
from services.payments.rules import postings
from services.payments.usecases import results, submit
from services.payments.usecases.desk import Desk
from services.payments.usecases.results import Findings
from tests.payments.hostile.run import run
from tests.payments.hostile.tools import tools
from tests.payments.hostile.world import Tools
from tests.servers import PostgresServer

SEEDS: Final = range(30)
Defect = Callable[[pytest.MonkeyPatch], None]


def sent_anew_after_a_lost_answer(patch: pytest.MonkeyPatch) -> None:
    """Take a batch apart whose answer was lost, so that its payouts go out under other ids."""
    move: Any = submit._move  # pyright: ignore[reportPrivateUsage] - the defect is put in there

    async def wrong(
        desk: Desk, batch: Batch, before: BatchState, after: BatchState, code: str = ""
    ) -> bool:
        lost = after is BatchState.UNKNOWN and code == "PEER_ANSWER_LOST"
        return await move(desk, batch, before, BatchState.RECALLED if lost else after, code)

    patch.setattr(submit, "_move", wrong)


def a_return_booked_twice(patch: pytest.MonkeyPatch) -> None:
    right = postings.returned

    def wrong(fund_id: str, payout: Payout, attempt_no: int) -> list[Posting]:
        entries = right(fund_id, payout, attempt_no)
        return [*entries, *(entry._replace(leg=f"{entry.leg}.again") for entry in entries)]

    patch.setattr(postings, "returned", wrong)


def in_process_taken_for_refused(patch: pytest.MonkeyPatch) -> None:
    right = results.compare

    def wrong(tries: Sequence[Attempt], result: Result) -> Findings:
        lines = [
            line._replace(outcome=Outcome.REFUSED, reason="OTHER")
            if line.outcome is Outcome.UNKNOWN
            else line
            for line in result.lines
        ]
        return right(tries, Result(lines, result.final))

    patch.setattr(results, "compare", wrong)


def not_found_taken_for_refused(patch: pytest.MonkeyPatch) -> None:
    """Believe a bank that does not know a batch: it may lie on the line, or be forgotten."""
    move: Any = submit._move  # pyright: ignore[reportPrivateUsage] - the defect is put in there

    async def wrong(
        desk: Desk, batch: Batch, before: BatchState, after: BatchState, code: str = ""
    ) -> bool:
        if before is BatchState.SUBMITTED and after is BatchState.UNKNOWN:
            await results.refuse_whole(desk, batch.batch_id, code)
            return True
        return await move(desk, batch, before, after, code)

    patch.setattr(submit, "_move", wrong)


@pytest.fixture(scope="module")
async def ready(postgres_server: PostgresServer) -> AsyncGenerator[Tools]:
    async with tools(postgres_server) as ready:
        yield ready


@pytest.mark.parametrize(
    "defect",
    [
        sent_anew_after_a_lost_answer,
        a_return_booked_twice,
        in_process_taken_for_refused,
        not_found_taken_for_refused,
    ],
)
async def test_a_defect_is_found_within_thirty_seeds(
    ready: Tools, monkeypatch: pytest.MonkeyPatch, defect: Defect
) -> None:
    defect(monkeypatch)
    for seed in SEEDS:
        if (await run(ready, seed)).wrong:
            return
    pytest.fail("no seed has found it")
