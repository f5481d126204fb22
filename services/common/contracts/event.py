"""What every published event has in common, how sets of them travel, and how one is read back.

Events go in sets: a JSON array of events of one transaction, one topic and one partition. Each
says by itself what it is (`type`) and which (`event_id`).
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final, NamedTuple, Union, cast
from uuid import UUID

import msgspec

PARTITIONS: Final = 12  # for ever: a member's facts must keep their partition
# A set is read as a whole, and in one transaction; a record has to stay far below the broker's
# limit of 2 MB.
SET_EVENTS_MAX: Final = 200
SET_BYTES_MAX: Final = 256 * 1024


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """A fact that a service publishes.

    `version` is raised under the aggregate's row lock: a consumer that keeps state writes only
    what is newer. The field named by `keyed_by` holds the aggregate's id, which chooses the
    partition, so one member's facts stay in order.
    """

    topic: ClassVar[str]
    keyed_by: ClassVar[str]
    event_id: UUID
    at: datetime
    version: int

    @property
    def aggregate_id(self) -> UUID:
        return getattr(self, self.keyed_by)


class MemberEvent(Event, frozen=True, kw_only=True):
    """A fact about one member; the partition key is the member everywhere."""

    keyed_by: ClassVar[str] = "member_id"
    member_id: UUID


def type_of(event: type[Event]) -> str:
    """Give the event's name on the wire, e.g. `claims.benefit_granted.v1`."""
    tag = event.__struct_config__.tag
    assert isinstance(tag, str), event
    return tag


def partition_of(aggregate_id: UUID) -> int:
    """Give the partition of an aggregate, for ever the same."""
    return zlib.crc32(aggregate_id.bytes) % PARTITIONS


_encode = msgspec.json.Encoder().encode


def payload_of(events: Sequence[Event]) -> bytes:
    return _encode(events)


class Read(NamedTuple):
    """One event of a set as it was written; without `event` where it is malformed, and why.

    What a malformed event does not tell of itself is empty; `key` is its aggregate's id.
    """

    payload: bytes
    type: str
    event: Event | None
    error: str = ""
    event_id: str = ""
    key: str = ""


class Reader:
    """Reads the event types it knows out of sets; anything else is not its business."""

    def __init__(self, types: Iterable[type[Event]]) -> None:
        self._known = {type_of(kind): kind for kind in types}
        self.topics = sorted({kind.topic for kind in self._known.values()})
        passed = [_without_fields(tag) for tag in sorted(_told(self.topics) - self._known.keys())]
        # What lies on the topics and is not asked for is passed over inside the decoder.
        kinds = cast("Any", Union)[*self._known.values(), *passed]
        self._decode = cast(
            "Callable[[bytes], list[object]]", msgspec.json.Decoder(list[kinds]).decode
        )

    def read(self, payload: bytes) -> list[Event]:
        """Give the known events of a set, in order.

        Raises `msgspec.MsgspecError` where any event is of an unknown type or malformed: then
        `read_each` finds which.
        """
        return [event for event in self._decode(payload) if isinstance(event, Event)]

    def read_each(self, payload: bytes) -> list[Read]:
        """Give the known events of a set one by one, and those that are malformed.

        What is no array of events is taken for a single one.
        """
        return [read for raw in _parts(payload) if (read := self._read_one(raw)) is not None]

    def _read_one(self, raw: bytes) -> Read | None:
        try:
            said = msgspec.json.decode(raw, type=dict[str, Any])
        except msgspec.MsgspecError as bad:
            return Read(raw, "", None, type(bad).__name__)
        kind = self._known.get(said.get("type", ""))
        if kind is None:
            return None
        try:
            event = msgspec.json.decode(raw, type=kind)
        except msgspec.MsgspecError as bad:
            event_id, key = str(said.get("event_id", "")), str(said.get(kind.keyed_by, ""))
            return Read(raw, type_of(kind), None, type(bad).__name__, event_id, key)
        return Read(raw, type_of(kind), event, "", str(event.event_id), str(event.aggregate_id))


def _parts(payload: bytes) -> list[bytes]:
    try:
        return [bytes(raw) for raw in msgspec.json.decode(payload, type=list[msgspec.Raw])]
    except msgspec.MsgspecError:
        return [payload]


def _told(topics: Sequence[str]) -> set[str]:
    """Name every type that is known to go to the topics: a topic's types are declared together."""
    return {type_of(kind) for kind in _kinds(Event) if getattr(kind, "topic", "") in topics}


def _kinds(base: type[Event]) -> Iterator[type[Event]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


def _without_fields(tag: str) -> type[msgspec.Struct]:
    return msgspec.defstruct("Passed", (), tag_field="type", tag=tag)
