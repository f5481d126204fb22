"""What a service has told: the events in its outbox's rows, each of which is a set."""

from collections.abc import Iterable
from typing import Any

import msgspec

from services.common.contracts.event import Event, Reader
from services.common.kit.db import Row

ROWS = "select payload from outbox order by id"


def events_in(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Give every event of the rows as it was written, in order within an aggregate."""
    return [event for row in rows for event in msgspec.json.decode(row["payload"])]


def events_for(reader: Reader, rows: Iterable[Row]) -> list[Event]:
    """Give the events that are the reader's business."""
    return [event for row in rows for event in reader.read(row["payload"])]
