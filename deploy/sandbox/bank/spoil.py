"""How what the customer fetches goes wrong on its way; what is on the disk stays right."""

import secrets
from collections.abc import Callable, Sequence

from msgspec import structs

from deploy.sandbox.bank.batches import IN_PROCESS, Outcome
from deploy.sandbox.bank.movements import Movement

# Instruction ids nobody sent begin with sixteen of these.
NOBODYS = "f" * 16

Answered = Sequence[tuple[bytes, Outcome]]


def spoil_lines(
    kind: str, answered: Answered, renamed: Callable[[bytes, int, str], bytes]
) -> Answered:
    """Spoil what a result says line by line; kinds that spoil the bytes change nothing here."""
    match kind:
        case "line_in_process":
            (line, outcome), *others = answered
            return [(line, _waiting(outcome)), *others]
        case "stale":
            return [(line, _waiting(outcome)) for line, outcome in answered]
        case "twice":
            return [one for one in answered for _ in range(2)]
        case "unknown_ids":
            line, outcome = answered[0]
            unknown = renamed(line, len(answered) + 1, f"{NOBODYS}{secrets.token_hex(8)}1")
            return [*answered, (unknown, outcome)]
        case _:
            return answered


def spoil_bytes(kind: str, content: bytes, charset: str) -> bytes:
    """Spoil a file as a whole; kinds that spoil its lines change nothing here."""
    match kind:
        case "truncated":
            return content[: len(content) * 2 // 3]
        case "garbage":
            return secrets.token_bytes(len(content))
        case "reencoded":
            return content.decode(charset).encode("utf-8-sig")
        case _:
            return content


def spoil_movements(kind: str, movements: Sequence[Movement]) -> Sequence[Movement]:
    match kind:
        case "twice":
            return [one for one in movements for _ in range(2)]
        case "out_of_order":
            return movements[::-1]
        case _:
            return movements


def _waiting(outcome: Outcome) -> Outcome:
    code, words = IN_PROCESS
    return structs.replace(outcome, code=code, words=words, serial="", day="")
