"""From a hospital's post to the provider's acceptance of the text, one post after another."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import median, quantiles
from typing import Any

from deploy.demo.actors import Cast, Json
from deploy.demo.patience import until
from deploy.demo.people import Person
from deploy.demo.visits import Row

PAUSE_S = 0.25


async def latency(cast: Cast, posts: Sequence[tuple[Person, Row]]) -> dict[str, Any]:
    """Post the rows; give, per stage, the time since the post began: median, p99, longest."""
    hospital, other_side = cast.hospital(posts[0][1]["fixmedins_code"]), cast.other_side()
    began: list[float] = []
    answered: list[float] = []
    for _, row in posts:
        began.append(time.time())
        [result] = await hospital.post([row])
        answered.append(time.time())
        assert result["status"] == "settled", result
        await asyncio.sleep(PAUSE_S)

    async def all_sent() -> list[Json] | None:
        texts = await other_side.texts()
        return texts if len(texts) >= len(posts) else None

    texts = await until("a text for every post", all_sent)
    sent = {text["phone"]: text for text in texts}
    booked = {line["account"]: line for line in await other_side.bank_book()}
    batches = {batch["batch_no"]: batch for batch in await cast.staff("admin").batches()}
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    for (patient, _), start, end in zip(posts, began, answered, strict=True):
        line = booked[patient.card]
        batch = batches[line["batch"]]
        seconds["post answered"].append(end - start)
        seconds["batch cut"].append(_moment(batch["cut_at"]) - start)
        seconds["booked by the bank"].append(_moment(line["at"]) - start)
        seconds["result taken in"].append(_moment(batch["closed_at"]) - start)
        seconds["text accepted"].append(_moment(sent[patient.phone]["at"]) - start)
    return {"posts": len(posts), "stages": _summary(seconds)}


def _summary(seconds: Mapping[str, list[float]]) -> dict[str, Any]:
    return {
        stage: {
            "median_ms": round(1000 * median(taken)),
            "p99_ms": round(1000 * quantiles(taken, n=100, method="inclusive")[98]),
            "max_ms": round(1000 * max(taken)),
        }
        for stage, taken in seconds.items()
    }


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
