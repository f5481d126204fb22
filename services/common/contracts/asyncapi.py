"""The published language written out for readers: every topic and event as AsyncAPI 3.0.

An example of each event stands here beside its type, so that a new event cannot come without one.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from inspect import getdoc
from typing import Any, Final
from uuid import UUID

import msgspec

from services.common.contracts.claims import BenefitGranted, ClaimRejected
from services.common.contracts.enrollment import (
    ContactChanged,
    CoverageActivated,
    MemberRegistered,
    OfficersChanged,
    PayeeChanged,
)
from services.common.contracts.event import (
    PARTITIONS,
    SET_EVENTS_MAX,
    Event,
    payload_of,
)
from services.common.contracts.notify import ReminderSent
from services.common.contracts.payments import (
    PayoutOverdue,
    PayoutPaid,
    PayoutRefused,
    PayoutReturned,
)

Json = dict[str, Any]

TOPICS: Final = {
    "enrollment.member.v1": "Who is a member, where benefits are paid to, how people are reached.",
    "enrollment.coverage.v1": "Which member is covered by which scheme, and from when to when.",
    "claims.claim.v1": "What settlements came to: benefits granted or taken back, claims rejected.",
    "payments.payout.v1": "What the bank made of payouts: paid, or refused and who must act.",
    "notify.reminder.v1": "Which texts a provider has accepted.",
}

_MEMBER = UUID("0162b6f4-9c00-7a31-8e5d-3f1b6a2c7d01")
_UNIT = UUID("0162b6f4-9c00-7a31-8e5d-3f1b6a2c7d02")
_COVERAGE = UUID("0162b6f4-9c00-7a31-8e5d-3f1b6a2c7d03")
_CLAIM = UUID("0162b6f4-9c00-7a31-8e5d-3f1b6a2c7d04")
_GRANT = UUID("0162b6f4-9c00-8a31-8e5d-3f1b6a2c7d05")  # a payout carries its grant's id
_MESSAGE = UUID("0162b6f4-9c00-8a31-8e5d-3f1b6a2c7d06")


def _event_id(number: int) -> UUID:
    return UUID(int=UUID("0162b6f4-9c00-7a31-8e5d-3f1b6a2c7e00").int + number)


def _at(hour: int) -> datetime:
    return datetime(2018, 3, 5, hour, 12, 7, 250_000, tzinfo=UTC)


# One member's story, told by all services. What is sealed is a word here, for its length and
# content say nothing.
EXAMPLES: Final[tuple[Event, ...]] = (
    MemberRegistered(
        event_id=_event_id(1),
        at=_at(1),
        version=1,
        member_id=_MEMBER,
        identity_index=b"blind index: 16B",
        unit_code="U001",
        salts=dict.fromkeys(("claims", "payments", "notify"), b"sealed"),
        person=b"sealed",
    ),
    PayeeChanged(
        event_id=_event_id(2),
        at=_at(1),
        version=1,
        member_id=_MEMBER,
        payee=b"sealed",
        tail=b"sealed",
    ),
    ContactChanged(
        event_id=_event_id(3),
        at=_at(1),
        version=1,
        member_id=_MEMBER,
        unit_code="U001",
        contact=b"sealed",
    ),
    OfficersChanged(
        event_id=_event_id(4),
        at=_at(1),
        version=1,
        unit_id=_UNIT,
        unit_code="U001",
        officers=b"sealed",
    ),
    CoverageActivated(
        event_id=_event_id(5),
        at=_at(1),
        version=1,
        member_id=_MEMBER,
        coverage_id=_COVERAGE,
        scheme_id="bj.mutual",
        starts_on=date(2018, 1, 1),
        ends_on=None,
        units=1,
    ),
    BenefitGranted(
        event_id=_event_id(6),
        at=_at(2),
        version=1,
        member_id=_MEMBER,
        grant_id=_GRANT,
        claim_id=_CLAIM,
        scheme_id="bj.mutual",
        period=2018,
        grant_no=1,
        amount_fen=356_80,
        cause="settled",
        incurred_on=date(2018, 2, 27),
    ),
    ClaimRejected(
        event_id=_event_id(7),
        at=_at(2),
        version=1,
        member_id=_MEMBER,
        claim_id=_CLAIM,
        code="AT_OR_BELOW_DEDUCTIBLE",
    ),
    PayoutRefused(
        event_id=_event_id(8),
        at=_at(3),
        version=3,
        member_id=_MEMBER,
        payout_id=_GRANT,
        claim_id=_CLAIM,
        attempt_no=1,
        payee_version=1,
        amount_fen=356_80,
        reason="NAME_DIFFERS",
        actor="unit",
    ),
    PayoutPaid(
        event_id=_event_id(9),
        at=_at(5),
        version=6,
        member_id=_MEMBER,
        payout_id=_GRANT,
        claim_id=_CLAIM,
        attempt_no=2,
        payee_version=2,
        amount_fen=356_80,
        paid_on=date(2018, 3, 5),
    ),
    PayoutReturned(
        event_id=_event_id(11),
        at=_at(6),
        version=7,
        member_id=_MEMBER,
        payout_id=_GRANT,
        claim_id=_CLAIM,
        attempt_no=2,
        payee_version=2,
        amount_fen=356_80,
        reason="ACCOUNT_CLOSED",
        actor="member",
        returned_on=date(2018, 3, 7),
    ),
    PayoutOverdue(
        event_id=_event_id(12),
        at=_at(7),
        version=8,
        member_id=_MEMBER,
        payout_id=_GRANT,
        claim_id=_CLAIM,
        attempt_no=2,
        payee_version=2,
        amount_fen=356_80,
        reason="ACCOUNT_CLOSED",
        actor="member",
        days=7,
    ),
    ReminderSent(
        event_id=_event_id(10),
        at=_at(6),
        version=1,
        member_id=_MEMBER,
        message_id=_MESSAGE,
        source_id=_GRANT,
        template="payout_paid",
        recipient="member",
        provider="aliyun",
        parts=1,
    ),
)


def schema_of(kind: type[Event], ref_template: str = "#/$defs/{name}") -> Json:
    """Give the JSON schemas of an event and of whatever it holds, by name; its own is the first."""
    _, found = msgspec.json.schema_components([kind], ref_template=ref_template)
    own = found.pop(kind.__name__)
    own["description"] = _sentences(kind)
    for field in msgspec.structs.fields(kind):
        if field.type is datetime:
            own["properties"][field.encode_name]["format"] = "date-time"
    return {kind.__name__: own, **found}


def document() -> Json:
    """Describe all that the platform publishes."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Workers' medical mutual aid: events",
            "version": "1.0.0",
            "description": (
                "Events go in sets: the value of a record is a JSON array of events, in order. "
                "Every event may come twice, late, or all again from the beginning: keep what you "
                "keep by aggregate and write only what has a higher `version`. Order holds within "
                "one aggregate on one topic and nowhere else; an aggregate keeps its partition for "
                "ever. Within a version of a type fields are only "
                "added; pass over fields and types that you do not know. What names a person "
                "is sealed to its recipient."
            ),
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "variables": {"bootstrap": {"default": "127.0.0.1:19092"}},
            }
        },
        "channels": {topic: _channel(topic) for topic in TOPICS},
        "operations": {
            f"publish.{topic}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{topic}"},
                "summary": f"{topic.partition('.')[0]} publishes from its outbox",
            }
            for topic in TOPICS
        },
        "components": {
            "messages": {topic: _message(topic) for topic in TOPICS},
            "schemas": {"SetHeaders": _HEADERS, **dict(_payloads())},
        },
    }


def _channel(topic: str) -> Json:
    return {
        "address": topic,
        "description": TOPICS[topic],
        "messages": {"events": {"$ref": f"#/components/messages/{topic}"}},
        "bindings": {
            "kafka": {"topic": topic, "partitions": PARTITIONS, "bindingVersion": "0.5.0"}
        },
    }


def _message(topic: str) -> Json:
    events = [event for event in EXAMPLES if event.topic == topic]
    return {
        "name": topic,
        "title": f"Events of {topic}",
        "summary": "A set of events of one transaction, whose aggregates share the partition.",
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/SetHeaders"},
        "payload": {
            "type": "array",
            "minItems": 1,
            "maxItems": SET_EVENTS_MAX,
            "items": {
                "oneOf": [
                    {"$ref": f"#/components/schemas/{type(event).__name__}"} for event in events
                ],
                "discriminator": "type",
            },
        },
        "bindings": {"kafka": {"bindingVersion": "0.5.0"}},
        "examples": [
            {
                "name": "set",
                "headers": {"content-type": "application/json", "events": str(len(events))},
                "payload": msgspec.json.decode(payload_of(events)),
            }
        ],
    }


_HEADERS: Final[Json] = {
    "description": "How many events the set holds, as text; each event says the rest by itself.",
    "type": "object",
    "required": ["events", "content-type"],
    "properties": {
        "events": {"type": "string", "pattern": "^[1-9][0-9]*$"},
        "content-type": {"const": "application/json"},
    },
}


def _keyed(event: Event, schema: Json) -> Json:
    """Say in words which field chooses the partition."""
    said = schema["description"]
    return {**schema, "description": f"{said} Its aggregate is `{event.keyed_by}`."}


def _payloads() -> Iterator[tuple[str, Json]]:
    for event in EXAMPLES:
        found = schema_of(type(event), "#/components/schemas/{name}")
        own = type(event).__name__
        yield from {**found, own: _keyed(event, found[own])}.items()


def _sentences(kind: type[Event]) -> str:
    return " ".join((getdoc(kind) or "").split())
