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
    "bank.exception",
    "batch.fixed",
    "batch.result_unusable",
    "batch.sent",
    "consumer.new_cluster",
    "consumer.parked",
    "consumer.retry",
    "dead_letter.written",
    "feed.chunk",
    "feed.done",
    "feed.refused",
    "feed.started",
    "feed.yielded",
    "foreign.log",
    "gateway.code_lost",
    "gateway.login",
    "gateway.login_refused",
    "http.failed",
    "http.pool_rebuilt",
    "invariant.broken",
    "migrate.done",
    "migrate.started",
    "process.failed",
    "process.ready",
    "process.started",
    "process.stopped",
    "process.stopping",
    "process.task_died",
    "process.task_late",
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
    amount_fen: int
    attempt: int
    backlog: int
    batch_id: UUID | str
    batch_no: str
    benefit_fen: int
    caller_kind: str
    channel: str
    claim_id: UUID | str
    cluster_id: str
    code: str
    count: int
    done: int
    duplicate: int
    error: BaseException
    event_id: UUID | str
    feed_id: UUID | str
    fixmedins_code: str
    grant_id: UUID | str
    group: str
    host: str
    job: str
    level_name: str
    line: int
    lines: int
    logger: str
    member_id: UUID | str
    method: str
    name: str
    partition: int
    payout_id: UUID | str
    peer: str
    port: int
    profile: str
    provider: str
    reason: str
    refused: int
    rejected: int
    reversed: int
    revision: str
    role: str
    roster_id: UUID | str
    route: str
    rows: int
    scheme_id: str
    service: str
    settled: int
    signal: str
    stall_s: float
    state: str
    status: int
    task: str
    template: str
    text_id: UUID | str
    topic: str
    unit_id: UUID | str
    version: int
    worker: str


# `error` is shown as its kind and where it was raised; its words may quote a person's data.
FIELDS = frozenset(Fields.__annotations__)
