"""Who reads an event today can read it tomorrow, and tomorrow's reader yesterday's events."""

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deploy.docs.compatibility import breakages
from deploy.docs.contracts import CONTRACTS, SAMPLES, accept, broken_promises, stored, today
from deploy.local.settings import ROOT
from services.common.contracts import claims, enrollment, notify, payments
from services.common.contracts.asyncapi import EXAMPLES, TOPICS
from services.common.contracts.event import Event, MemberEvent, Reader, payload_of, type_of

KINDS = {type_of(type(example)): type(example) for example in EXAMPLES}

type_names = pytest.mark.parametrize("kind", sorted(KINDS))


def published_types() -> set[type[Event]]:
    """Find every event type of the contracts, whether or not anybody lists it."""
    rooms = (claims, enrollment, notify, payments)
    found = {thing for room in rooms for thing in vars(room).values() if isinstance(thing, type)}
    return {kind for kind in found if issubclass(kind, Event)} - {Event, MemberEvent}


def test_every_event_has_an_example_and_every_topic_a_sentence() -> None:
    assert published_types() == set(KINDS.values())
    assert {kind.topic for kind in KINDS.values()} == set(TOPICS)


def test_no_promise_made_to_readers_is_broken() -> None:
    assert broken_promises(stored(ROOT), today()) == []


@type_names
def test_what_is_promised_is_what_is_published(kind: str) -> None:
    assert stored(ROOT).get(kind) == today()[kind], "run `python -m deploy.docs --accept-contracts`"


@type_names
def test_every_payload_ever_published_is_still_read(kind: str) -> None:
    samples = json.loads((ROOT / SAMPLES / f"{kind}.json").read_text(encoding="utf-8"))
    reader = Reader([KINDS[kind]])
    assert samples
    for sample in samples:
        [read] = reader.read(json.dumps([sample]).encode())
        [written] = msgspec.json.decode(payload_of([read]))
        assert sample.items() <= written.items()


BEFORE: dict[str, Any] = {
    "topic": "things.thing.v1",
    "key": "thing_id",
    "event": "Thing",
    "schemas": {
        "Thing": {
            "type": "object",
            "description": "A thing.",
            "properties": {
                "thing_id": {"type": "string", "format": "uuid"},
                "amount_fen": {"type": "integer"},
                "cause": {"enum": ["made", "lost"]},
                "until": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
                "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
                "note": {"type": "string", "default": ""},
            },
            "required": ["thing_id", "amount_fen", "cause", "until", "parts"],
        },
        "Part": {
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
        },
    },
}


def changed(*path: str, to: object = None) -> dict[str, Any]:
    """Give the contract with one place set anew, or taken out."""
    now = copy.deepcopy(BEFORE)
    *way, last = path
    place: Any = now
    for step in way:
        place = place[step]
    if to is None:
        del place[last]
    else:
        place[last] = to
    return now


THING = ("schemas", "Thing", "properties")


@pytest.mark.parametrize(
    ("now", "breakage"),
    [
        (changed(*THING, "amount_fen"), "amount_fen is gone"),
        (changed(*THING, "amount_fen", to={"type": "string"}), "amount_fen has another type"),
        (changed(*THING, "thing_id", to={"type": "string"}), "thing_id has another type"),
        (changed(*THING, "cause", "enum", to=["made"]), "cause lacks the value lost"),
        (changed(*THING, "cause", to={"type": "string"}), "cause has another type"),
        (changed(*THING, "note", to={"enum": [""]}), "note has another type"),
        (changed(*THING, "until", "anyOf", to=[{"type": "null"}]), "until has another type"),
        (changed(*THING, "parts", "items", to={"type": "string"}), "parts has another type"),
        (changed("schemas", "Part", "properties", "name"), "parts.name is gone"),
        (
            changed(
                "schemas",
                "Thing",
                "required",
                to=[*BEFORE["schemas"]["Thing"]["required"], "colour"],
            ),
            "colour is new and has to be there",
        ),
        (
            changed(
                "schemas", "Thing", "required", to=[*BEFORE["schemas"]["Thing"]["required"], "note"]
            ),
            "note has to be there now",
        ),
        (changed("schemas", "Part", "required", to=[]), "parts.name need not be there any more"),
        (changed("topic", to="things.thing.v2"), "its topic is another"),
        (changed("key", to="part_id"), "its key is another"),
    ],
)
def test_the_comparison_finds_every_kind_of_breakage(now: dict[str, Any], breakage: str) -> None:
    found = breakages(BEFORE, now)
    assert any(breakage in line for line in found), found


@pytest.mark.parametrize(
    "now",
    [
        changed(*THING, "colour", to={"type": "string", "default": "red"}),
        changed(*THING, "cause", "enum", to=["found", "lost", "made"]),
        changed("schemas", "Thing", "description", to="Something."),
    ],
)
def test_what_only_adds_is_no_breakage(now: dict[str, Any]) -> None:
    assert breakages(BEFORE, now) == []


def test_an_event_that_is_gone_is_a_broken_promise() -> None:
    assert broken_promises({"things.thing.v1": BEFORE}, {}) == [
        "things.thing.v1: the event is gone"
    ]


def test_a_broken_promise_is_not_stored(tmp_path: Path) -> None:
    assert accept(tmp_path) == []
    kind = "payments.payout_paid.v1"
    file = tmp_path / CONTRACTS / f"{kind}.json"
    promised = json.loads(file.read_text(encoding="utf-8"))
    fields = promised["schemas"]["PayoutPaid"]["properties"]
    fields["bank_serial"] = {"type": "string"}
    file.write_text(json.dumps(promised), encoding="utf-8")
    assert accept(tmp_path) == [f"{kind}: bank_serial is gone"]
    assert json.loads(file.read_text(encoding="utf-8")) == promised


def test_an_older_sample_stays_beside_the_newer_one(tmp_path: Path) -> None:
    kind = "payments.payout_paid.v1"
    file = tmp_path / SAMPLES / f"{kind}.json"
    file.parent.mkdir(parents=True)
    file.write_text('[{"older": true}]', encoding="utf-8")
    assert accept(tmp_path) == []
    older, newer = json.loads(file.read_text(encoding="utf-8"))
    assert older == {"older": True}
    assert newer["type"] == kind
