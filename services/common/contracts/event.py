"""What every published event has in common, and how one is read back from the wire."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """A fact that a service publishes.

    `version` is raised under the aggregate's row lock: a consumer that keeps state writes only
    what is newer. `aggregate_id` is the partition key, so one member's facts stay in order.
    """

    topic: ClassVar[str]
    event_id: UUID
    at: datetime
    version: int

    @property
    def aggregate_id(self) -> UUID:
        raise NotImplementedError


class MemberEvent(Event, frozen=True, kw_only=True):
    """A fact about one member; the partition key is the member everywhere."""

    member_id: UUID

    @property
    def aggregate_id(self) -> UUID:
        return self.member_id


def type_of(event: type[Event]) -> str:
    """Give the event's name on the wire, e.g. `claims.benefit_granted.v1`."""
    tag = event.__struct_config__.tag
    assert isinstance(tag, str), event
    return tag


class Reader:
    """Reads the event types it knows; anything else is not its business."""

    def __init__(self, types: Iterable[type[Event]]) -> None:
        known = tuple(types)
        self.topics = sorted({kind.topic for kind in known})
        self._decoders = {type_of(kind): msgspec.json.Decoder(kind) for kind in known}

    def read(self, event_type: str, payload: bytes) -> Event | None:
        """Give the event, or None where its type is unknown here.

        Raises `msgspec.ValidationError` or `msgspec.DecodeError` where it is malformed.
        """
        decoder = self._decoders.get(event_type)
        return None if decoder is None else decoder.decode(payload)


_encode = msgspec.json.Encoder().encode


def payload_of(event: Event) -> bytes:
    return _encode(event)
