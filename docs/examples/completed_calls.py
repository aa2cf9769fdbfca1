"""Prints every completed call, from the first there was: completed_calls.py HOST:PORT [TOPIC]."""

import asyncio
import json
import sys

from aiokafka import AIOKafkaConsumer


async def main(kafka: str, topic: str = "rollcall.calls.v1") -> None:
    seen = set()  # yours: a table, written with what you make of the event
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=kafka, group_id="billing",
        auto_offset_reset="earliest", enable_auto_commit=False,
    ) as consumer:  # fmt: skip
        async for record in consumer:
            headers = {name: value.decode() for name, value in record.headers}
            name, _, version = headers["ce_type"].rpartition(".v")
            if name == "rollcall.CallCompleted" and headers["ce_id"] not in seen:
                if version != "2":
                    sys.exit(f"{headers['ce_type']} is newer than this reader: upgrade it first")
                seen.add(headers["ce_id"])
                call = json.loads(record.value)
                print(call["call_id"], call["outcome"], call["duration_seconds"], flush=True)
            await consumer.commit()  # done with it: a restart goes on after it


asyncio.run(main(*sys.argv[1:]))
