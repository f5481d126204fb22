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
    "auth.refused",
    "bank.exception",
    "batch.approved",
    "batch.asked",
    "batch.closed",
    "batch.fixed",
    "batch.rejected",
    "batch.result_unusable",
    "batch.sent",
    "batch.submitted",
    "claim.assessed",
    "claim.reviewed",
    "consumer.batch",
    "consumer.caught_up",
    "consumer.halved",
    "consumer.new_cluster",
    "consumer.parked",
    "consumer.retry",
    "consumer.started",
    "consumer.stopped",
    "database.retry",
    "database.waiting",
    "dead_letter.redriven",
    "dead_letter.written",
    "enrollment.changed",
    "feed.chunk",
    "feed.done",
    "feed.received",
    "feed.refused",
    "feed.started",
    "feed.yielded",
    "foreign.log",
    "gateway.code_lost",
    "gateway.limited",
    "gateway.login",
    "gateway.login_refused",
    "http.answer_lost",
    "http.failed",
    "http.pool_rebuilt",
    "http.unreachable",
    "invariant.broken",
    "ledger.checked",
    "member.erased",
    "migrate.done",
    "migrate.started",
    "outbox.partition_dropped",
    "outbox.partition_kept",
    "payout.cancelled",
    "payout.paid",
    "payout.refused",
    "payout.unknown",
    "process.failed",
    "process.ready",
    "process.started",
    "process.stopped",
    "process.stopping",
    "process.task_died",
    "process.task_late",
    "relay.leading",
    "relay.page",
    "relay.retry",
    "relay.rewound",
    "relay.standing_by",
    "roster.done",
    "roster.received",
    "roster.refused",
    "roster.row_failed",
    "text.refused",
    "text.sent",
    "text.unknown",
    "timer.failed",
    "timer.ran",
    "watchdog.stalled",
    "webhook.failed",
    "webhook.sent",
]

Plain = str | int | float | bool | date | datetime | UUID | Enum | Sequence[str] | None


class Fields(TypedDict, total=False):
    """The fields that a line may carry, and what they are."""

    accepted: int
    aggregate_id: UUID | str
    amount_fen: int
    attempt: int
    attempt_id: UUID | str
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
    duration_ms: float
    error: BaseException
    error_type: str
    event_id: UUID | str
    expected: int
    feed_id: UUID | str
    fixmedins_code: str
    from_version: int
    grant_id: UUID | str
    group: str
    host: str
    job: str
    lag: int
    level_name: str
    line: int
    lines: int
    logger: str
    member_id: UUID | str
    method: str
    name: str
    offset: int
    partition: int
    payout_id: UUID | str
    peer: str
    port: int
    profile: str
    provider: str
    reason: str
    refused: int
    rejected: int
    release: str
    retry_s: float
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
    to_version: int
    topic: str
    unit_id: UUID | str
    version: int
    worker: str


# `error` is shown as its kind and where it was raised; its words may quote a person's data.
FIELDS = frozenset(Fields.__annotations__)
