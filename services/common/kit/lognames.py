"""Which log lines there are and which fields they may carry; what is not listed is not printed.

Fields hold ids, counts, codes, durations and names of parts, never what names a person.
Keep both lists sorted; a new name is a new line here and nothing else.
"""

from collections.abc import Sequence
from datetime import date, datetime
from enum import Enum
from typing import Literal, TypedDict
from uuid import UUID

Event = Literal[
    "account.day_read",
    "account.exception",
    "account.read",
    "account.unusable",
    "act.confirmed",
    "act.proposed",
    "act.refused",
    "backtest.done",
    "backtest.failed",
    "backtest.started",
    "bank.exception",
    "batch.approved",
    "batch.fixed",
    "batch.refused",
    "batch.result_unusable",
    "batch.sent",
    "batch.voided",
    "calendar.ended",
    "claim.row_failed",
    "consumer.new_cluster",
    "consumer.parked",
    "consumer.retry",
    "consumer.stuck",
    "dead_letter.written",
    "edition.in_force",
    "edition.published",
    "feed.done",
    "feed.refused",
    "feed.started",
    "feed.yielded",
    "foreign.log",
    "fund.low",
    "gateway.code_lost",
    "gateway.login",
    "gateway.login_refused",
    "http.failed",
    "invariant.broken",
    "ledger.closed",
    "ledger.month_closed",
    "ledger.not_summarized",
    "ledger.vouched",
    "migrate.done",
    "migrate.started",
    "outbox.dropped",
    "payout.in_doubt",
    "payout.overdue",
    "process.failed",
    "process.ready",
    "process.started",
    "process.stopped",
    "process.stopping",
    "process.task_died",
    "process.task_late",
    "receipt.dropped",
    "receipt.entered",
    "relay.leading",
    "relay.retry",
    "relay.rewound",
    "roster.done",
    "roster.refused",
    "roster.row_failed",
    "text.refused",
    "text.sent",
    "text.unknown",
    "timer.failed",
    "timer.ran",
    "watchdog.stalled",
]

Plain = str | int | float | bool | date | datetime | UUID | Enum | Sequence[str] | None


class Fields(TypedDict, total=False):
    """The fields that a line may carry, and what they are."""

    accepted: int
    act_id: UUID | str
    backtest_id: UUID | str
    batch_id: UUID | str
    caller_kind: str
    claim_id: UUID | str
    cluster_id: str
    code: str
    count: int
    day: date
    done: int
    edition: int
    error: BaseException
    feed_id: UUID | str
    fund_id: str
    group: str
    job: str
    kind: str
    level_name: str
    lines: int
    logger: str
    method: str
    name: str
    payout_id: UUID | str
    peer: str
    port: int
    reason: str
    receipt_id: UUID | str
    refused: int
    roster_id: UUID | str
    route: str
    rows: int
    scheme_id: str
    state: str
    status: int
    task: str
    template: str
    text_id: UUID | str


# `error` is shown as its kind and where it was raised; its words may quote a person's data.
FIELDS = frozenset(Fields.__annotations__)
