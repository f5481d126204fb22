"""The stored version of every event, and storing a new one if all who read the old can read it.

docs/contracts/<type>.json is what readers were promised; tests/contracts/samples/<type>.json lists
payloads that may still lie in a topic or an outbox, oldest first.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from deploy.docs.compatibility import breakages
from services.common.contracts.asyncapi import EXAMPLES, schema_of
from services.common.contracts.event import payload_of, type_of

Json = dict[str, Any]

CONTRACTS = Path("docs/contracts")
SAMPLES = Path("tests/contracts/samples")


def today() -> dict[str, Json]:
    """Give every event's contract as the code has it."""
    return {
        type_of(type(event)): {
            "topic": event.topic,
            "key": event.keyed_by,
            "event": type(event).__name__,
            "schemas": schema_of(type(event)),
        }
        for event in EXAMPLES
    }


def stored(root: Path) -> dict[str, Json]:
    """Give every event's contract as it was last accepted."""
    files = sorted((root / CONTRACTS).glob("*.json"))
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


def broken_promises(before: Mapping[str, Json], now: Mapping[str, Json]) -> list[str]:
    """Say what would break for readers of the events as they were."""
    gone = [f"{kind}: the event is gone" for kind in before if kind not in now]
    changed = [
        f"{kind}: {breakage}"
        for kind in before
        if kind in now
        for breakage in breakages(before[kind], now[kind])
    ]
    return gone + changed


def accept(root: Path) -> list[str]:
    """Store today's contracts and samples, unless a promise would be broken: then say which."""
    now = today()
    broken = broken_promises(stored(root), now)
    if broken:
        return broken
    for event in EXAMPLES:
        kind = type_of(type(event))
        _write(root / CONTRACTS / f"{kind}.json", now[kind])
        file = root / SAMPLES / f"{kind}.json"
        samples: list[Json] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
        example = msgspec.json.decode(payload_of([event]))[0]
        if example not in samples:
            _write(file, [*samples, example])
    return []


def _write(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
