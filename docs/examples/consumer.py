"""Follow the payouts: an internal service that knows nothing of the platform but its events."""  # noqa: INP001 - a script to copy, in no package

import asyncio
import json
import os
import sys

from aiokafka import AIOKafkaConsumer


async def follow(events_max: float) -> None:
    newest: dict[str, int] = {}  # by payout; a real service keeps it in its database
    consumer = AIOKafkaConsumer(
        "payments.payout.v1",
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        auto_offset_reset="earliest",
    )
    async with consumer:
        async for record in consumer:
            events = json.loads(record.value)  # a set of events, in their order
            for event in events:
                # One may come twice, or all again from the beginning: only a newer one counts.
                if event["version"] > newest.get(event["payout_id"], 0):
                    newest[event["payout_id"]] = event["version"]
                    if event["type"] == "payments.payout_paid.v1":
                        print(event["payout_id"], event["amount_fen"], flush=True)  # noqa: T201 - its whole purpose
            events_max -= len(events)
            if events_max <= 0:
                return


if __name__ == "__main__":
    asyncio.run(follow(float(sys.argv[1]) if len(sys.argv) > 1 else float("inf")))
