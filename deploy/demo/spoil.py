"""Spoils a few per cent of a feed on purpose, in every way a row can be wrong, repeated or late."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from itertools import count
from typing import NamedTuple

from deploy.demo.people import Person, id_number
from deploy.demo.visits import AMOUNTS, Row, yuan

_STRANGERS = count(9_000_001)  # numbers of people whom no roster names
_LATER_ROWS = 40  # a repetition comes at most so many rows behind its original
_BAD_AMOUNTS = ("1,234.50", "12.345", "1e3", "¥88.00", "６６.00", "abc", "-35.00")


class Made(NamedTuple):
    """A row, and what was done to it."""

    row: Row
    made: str


def spoil(
    rng: random.Random, rows: Sequence[Row], how_many: Mapping[str, int], late: Sequence[Person]
) -> list[Made]:
    """Spoil so many rows of each kind; nobody's row is spoilt twice. `late` were hired late."""
    places = rng.sample(range(len(rows)), sum(how_many.values()))
    kinds = [kind for kind, times in how_many.items() for _ in range(times)]
    spoilt = dict(zip(places, kinds, strict=True))
    feed: list[list[Made]] = [[] for _ in rows]
    for place, row in enumerate(rows):
        kind = spoilt.get(place, "ok")
        if kind in _IN_PLACE:
            feed[place].append(Made({**row, **_IN_PLACE[kind](rng, row)}, kind))
        elif kind == "not_covered":
            feed[place].append(Made(_before_hired(rng, row, rng.choice(late)), kind))
        elif kind == "early_refund":
            earlier = max(0, place - rng.randrange(1, _LATER_ROWS))
            feed[earlier].append(Made(refund_of(row), kind))
            feed[place].append(Made(row, "late_original"))
        else:
            feed[place].append(Made(row, "ok"))
            if kind != "ok":
                later = min(len(rows) - 1, place + rng.randrange(1, _LATER_ROWS))
                feed[later].append(Made(_AGAIN[kind](row), kind))
    return [made for here in feed for made in here]


def refund_of(row: Row) -> Row:
    """Take a settlement back: every amount its exact negative."""
    negative = {name: row[name] if row[name] == "0.00" else f"-{row[name]}" for name in AMOUNTS}
    return {**row, **negative, "refd_setl_flag": "1"}


def _a_fen_off(rng: random.Random, row: Row) -> Row:
    name = rng.choice(("medfee_sumamt", "inscp_scp_amt", "psn_part_amt"))
    return {name: yuan(_fen(row[name]) + rng.choice((-1, 1)))}


def _bad_date(rng: random.Random, row: Row) -> Row:
    return rng.choice(
        (
            {"enddate": f"{row['enddate'][:4]}-02-30"},
            {"enddate": row["enddate"].replace("-", "/")},
            {"begndate": (date.fromisoformat(row["enddate"]) + timedelta(1)).isoformat()},
        )
    )


def _bad_id(_: random.Random, row: Row) -> Row:
    number = row["certno"]
    return {"certno": number[:-1] + ("1" if number[-1] == "0" else "0")}


def _stranger(_: random.Random, row: Row) -> Row:
    return {"certno": id_number(next(_STRANGERS)), "psn_name": f"{row['psn_name'][0]}某"}


_IN_PLACE: dict[str, Callable[[random.Random, Row], Row]] = {
    "sums": _a_fen_off,
    "bad_amount": lambda rng, _: {rng.choice(AMOUNTS[:5]): rng.choice(_BAD_AMOUNTS)},
    "bad_date": _bad_date,
    "bad_id": _bad_id,
    "unknown_member": _stranger,
    "retired": lambda _, __: {"psn_type": "12"},
    "missing_field": lambda rng, _: {rng.choice(("med_type", "hosp_lv", "inscp_scp_amt")): ""},
}


def _other_content(row: Row) -> Row:
    """Give the same settlement with a yuan more out of scope: its sums hold."""
    more = ("medfee_sumamt", "fulamt_ownpay_amt", "psn_part_amt")
    return {**row, **{name: yuan(_fen(row[name]) + 100) for name in more}}


_AGAIN: dict[str, Callable[[Row], Row]] = {
    "duplicate": dict,
    "conflicting": _other_content,
    "refund": refund_of,
    "refund_mismatch": lambda row: refund_of(_other_content(row)),
}


def _before_hired(rng: random.Random, row: Row, patient: Person) -> Row:
    ended = patient.hired_on - timedelta(days=rng.randrange(1, 60))
    return {
        **row,
        "certno": patient.id_number,
        "psn_name": patient.name,
        "begndate": ended.isoformat(),
        "enddate": ended.isoformat(),
    }


def _fen(amount: str) -> int:
    return int(amount.replace(".", ""))
