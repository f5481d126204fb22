"""How files go wrong on their way into the folder; the bank's books stay right.

What a customer cannot use is followed by the right file under the next number (PUT_RIGHT).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from deploy.sandbox.bank.iso import pain002
from deploy.sandbox.bank.iso.pain002 import Line, Report
from deploy.sandbox.bank.movements import Movement

PUT_RIGHT = frozenset({"truncated", "garbage", "twice", "unknown_ids", "stale"})
NOISE = "\x00\x13 no XML at all <<<"


def report(kind: str, right: Report, lines: Iterable[Line]) -> tuple[Report, Iterable[Line]]:
    """Spoil what a report says; how it is written is spoilt by `text`."""
    match kind:
        case "twice":
            return right, (line for one in lines for line in (one, one))
        case "unknown_ids":
            return right, [*lines, Line("f" * 32 + "1", 1, pain002.REFUSED, "AC01")]
        case "stale":
            waiting = (Line(one.instruction_id, one.amount_fen, "PDNG") for one in lines)
            return replace(right, status="PDNG"), waiting
        case "exceptions_only" if right.status == pain002.SETTLED:
            return right, ()
        case _:
            return right, lines


def movements(kind: str, right: Sequence[Movement]) -> Sequence[Movement]:
    match kind:
        case "twice":
            return [movement for one in right for movement in (one, one)]
        case "out_of_order":
            return right[::-1]
        case _:
            return right


def text(kind: str, pieces: Iterable[str]) -> Iterator[str]:
    match kind:
        case "truncated":
            whole = "".join(pieces)
            yield whole[: len(whole) * 2 // 3]
        case "garbage":
            yield NOISE
        case _:
            yield from pieces
