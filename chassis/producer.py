"""Order per key and no duplicate of ours: one idempotent producer, replaced when it is broken.

A send that timed out may still be delivered later.  What is sent again after a replacement may
stand in the log twice; readers recognise it by its number.
"""

import asyncio
from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed

from chassis import metrics
from chassis.postgres import stand_back
from chassis.sender import clear_up_when_it_ends, is_dead, kill
from chassis.telemetry import current_traceparent
from chassis.topics import MAX_MESSAGE_BYTES
from contracts.codec import Encoded, encode
from contracts.event import Event
from contracts.topics import topic_for

log = structlog.get_logger()

BROKER_TROUBLE: tuple[type[Exception], ...] = (KafkaError, TimeoutError)


class Producer:
    """Keyed, acknowledged by all replicas.  Topic names are given without the prefix."""

    def __init__(self, kafka: str, *, prefix: str = "") -> None:
        self._kafka = kafka
        self._prefix = prefix
        self._producer: AIOKafkaProducer | None = None
        self._replacing = asyncio.Lock()

    async def start(self) -> None:
        attempt = 0
        while self._producer is None:
            try:
                self._producer = await self._started()
            except BROKER_TROUBLE as error:
                attempt += 1
                await stand_back("producer", attempt, error)

    async def stop(self, within: float = 5) -> None:
        """Flushes if the broker lets it in time."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            async with asyncio.timeout(within):
                await producer.stop()
        except TimeoutError:
            log.warning("producer_not_flushed")
            await kill(producer)

    async def send_all(
        self, records: Sequence[tuple[str, Encoded]], *, within: float = 8
    ) -> list[Exception | None]:
        """What became of each record, in their order: None when it was acknowledged.

        A producer that did not answer in time is replaced and what it held is failed, so that the
        caller may send again without being overtaken by an older attempt.
        """
        if not records:
            return []
        producer = await self._alive()
        try:
            async with asyncio.timeout(within):
                return await self._send(producer, records)
        except TimeoutError as error:
            await self._replace(producer)
            return [error] * len(records)

    async def _send(
        self, producer: AIOKafkaProducer, records: Sequence[tuple[str, Encoded]]
    ) -> list[Exception | None]:
        outcomes: list[Exception | None] = [None] * len(records)
        acknowledged = await self._enqueue(producer, records, outcomes)
        results = await asyncio.gather(*acknowledged.values(), return_exceptions=True)
        for index, result in zip(acknowledged, results, strict=True):
            outcomes[index] = result if isinstance(result, Exception) else None
        if is_dead(producer):
            await self._replace(producer)
        return outcomes

    async def _enqueue(
        self,
        producer: AIOKafkaProducer,
        records: Sequence[tuple[str, Encoded]],
        outcomes: list[Exception | None],
    ) -> dict[int, asyncio.Future[object]]:
        acknowledged: dict[int, asyncio.Future[object]] = {}
        for index, (topic, record) in enumerate(records):
            try:
                acknowledged[index] = await producer.send(
                    self._prefix + topic, record.value, key=record.key, headers=record.headers
                )
            except (KafkaError, ProducerClosed) as error:
                outcomes[index] = error
                if is_dead(producer):
                    outcomes[index:] = [error] * (len(records) - index)
                    break
            else:
                metrics.PUBLISHED.labels(topic).inc()
        return acknowledged

    async def publish(
        self,
        events: Sequence[Event],
        *,
        writer: str,
        within: float = 10,
        traceparent: str | None = None,
    ) -> None:
        """Returns when every event is acknowledged; else raises the first error, or TimeoutError.

        An event whose publishing failed may stand in the log all the same, or come there later.
        """
        trace = traceparent or current_traceparent()
        records = [
            (topic_for(event, writer=writer).name, encode(event, source=writer, traceparent=trace))
            for event in events
        ]
        async with asyncio.timeout(within):
            outcomes = await self._send(await self._alive(), records)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def _replace(self, broken: AIOKafkaProducer) -> None:
        """Nothing the broken one still held is sent any more; the next send starts another."""
        if self._producer is broken:
            self._producer = None
            log.warning("producer_replaced")
            await kill(broken)

    async def _alive(self) -> AIOKafkaProducer:
        async with self._replacing:
            if self._producer is not None and is_dead(self._producer):
                await self._replace(self._producer)
            if self._producer is None:
                self._producer = await self._started()
            return self._producer

    async def _started(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._kafka,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,  # what comes while a request is under way goes together into the next
            max_batch_size=256 * 1024,
            max_request_size=MAX_MESSAGE_BYTES,
            request_timeout_ms=10_000,
        )
        try:
            async with asyncio.timeout(10):
                await producer.start()
        except (KafkaError, TimeoutError):
            await kill(producer)
            raise
        clear_up_when_it_ends(producer)
        return producer
