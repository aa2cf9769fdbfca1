"""Nothing is delivered from a place nobody chose: a partition stays paused until it is placed.

FastStream frames the consumer (its broker, its life); the polling is ours, see
docs/decisions/0003-polling-below-faststream.md.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from chassis.postgres import stand_back

log = structlog.get_logger()

TICK_MS = 100
"""The longest a poll waits, and with it a new assignment or a stop."""
TELL_WITHIN = 5.0
ADRIFT = 4
"""Times that nobody has heard us tell, one after the other."""
STOP_WITHIN = 5.0


class AdriftError(Exception):
    """The group goes on without us, and nobody gets the partitions we hold: we have to join anew.

    Seen with aiokafka 0.14 after a broker was killed: records still came, heartbeats and commits
    never ended.
    """


class Reader(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka is untyped
    """One member of a consumer group, positioned by its owner."""

    def __init__(self, *, kafka: str, group: str, topics: Mapping[str, int], most: int) -> None:
        self.unplaced: set[TopicPartition] = set()
        """Assigned, and paused until `place` says where to read on."""
        self._topics = topics
        self._broker = KafkaBroker(
            kafka, client_id=group, consumer_only=True, allow_auto_create_topics=False, logger=None
        )
        self._subscriber = self._broker.subscriber(
            *topics,
            group_id=group,
            batch=True,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            listener=self,
        )
        self._most = most
        self._unheard = 0

    @property
    def consumer(self) -> AIOKafkaConsumer:
        return self._subscriber.consumer

    async def start(self) -> None:
        """Waits for the broker."""
        attempt = 0
        while True:
            try:
                await self._broker.start()
            except KafkaError as error:
                attempt += 1
                await self._broker.stop()
                await stand_back("consumer", attempt, error)
            else:
                return

    async def stop(self) -> None:
        """In time, also where the consumer has lost itself."""
        try:
            async with asyncio.timeout(STOP_WITHIN):
                await self._broker.stop()
        except TimeoutError:
            log.warning("consumer_not_stopped")

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self.unplaced.difference_update(revoked)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        # First of all, and without awaiting: delivery is already on when this is called.
        self.consumer.pause(*assigned)
        self.unplaced = set(assigned)

    def displace(self, partitions: Iterable[TopicPartition] | None = None) -> None:
        """These, or all, are to be placed again."""
        moved = self.assigned.intersection(self.assigned if partitions is None else partitions)
        self.consumer.pause(*moved)
        self.unplaced |= moved

    def place(self, partition: TopicPartition, offset: int) -> None:
        if partition in self.assigned:
            self.consumer.seek(partition, offset)
            self.consumer.resume(partition)
            self.unplaced.discard(partition)

    def stop_at(self, partition: TopicPartition) -> None:
        if partition in self.assigned:
            self.consumer.pause(partition)

    def leave(self) -> None:
        """The others of the group get what we hold, until we `join` again."""
        self.consumer.unsubscribe()
        self.unplaced.clear()

    def join(self) -> None:
        self.consumer.subscribe(list(self._topics), listener=self)

    @property
    def is_alone(self) -> bool:
        """Nobody else of the group holds a partition."""
        return len(self.assigned) == sum(self._topics.values())

    @property
    def assigned(self) -> set[TopicPartition]:
        return set(self.consumer.assignment()) if self.consumer is not None else set()

    async def poll(self) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        """Records of placed partitions, at once if there are any; else after a tick."""
        found = await self.consumer.getmany(timeout_ms=TICK_MS, max_records=self._most)
        return {tp: records for tp, records in found.items() if tp not in self.unplaced}

    async def end_offsets(self) -> dict[TopicPartition, int]:
        """Of all partitions of the topics, whoever reads them."""
        partitions = [
            TopicPartition(topic, partition)
            for topic, count in self._topics.items()
            for partition in range(count)
        ]
        ends: dict[TopicPartition, int] = await self.consumer.end_offsets(partitions)
        return ends

    async def beginnings(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        async with asyncio.timeout(TELL_WITHIN):
            begin: Mapping[TopicPartition, int] = await self.consumer.beginning_offsets(
                list(partitions)
            )
        return begin

    async def places(self) -> dict[TopicPartition, int]:
        """Where each placed partition will be read on, behind what it holds besides records."""
        async with asyncio.timeout(TELL_WITHIN):
            reached = {tp: await self.consumer.position(tp) for tp in self.assigned - self.unplaced}
        return {tp: place for tp, place in reached.items() if tp not in self.unplaced}

    def end_of(self, partition: TopicPartition) -> int:
        """The newest end of the partition that the broker has told; 0 before it told any."""
        return (self.consumer.highwater(partition) or 0) if partition in self.assigned else 0

    async def tell(self, offsets: Mapping[TopicPartition, int]) -> bool:
        """Commits to Kafka, where offsets are for lag and scaling only: trouble is logged.

        Raises AdriftError.
        """
        mine = {tp: offset for tp, offset in offsets.items() if tp in self.assigned}
        if not mine:
            return True
        try:
            async with asyncio.timeout(TELL_WITHIN):
                await self.consumer.commit(mine)
        except KafkaError as error:
            log.info("offsets_not_told", error=type(error).__name__)
            return False
        except TimeoutError:
            log.info("offsets_not_told", error="TimeoutError")
            await self._look_for_the_group()
            return False
        self._unheard = 0
        return True

    async def _look_for_the_group(self) -> None:
        """A broker that is away is waited for; one that answers, but not for the group, is not."""
        self._unheard += 1
        if self._unheard < ADRIFT:
            return
        try:
            async with asyncio.timeout(TELL_WITHIN):
                await self.end_offsets()
        except (KafkaError, TimeoutError):
            return
        raise AdriftError
