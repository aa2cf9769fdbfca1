"""Every record of the log is folded exactly once, wherever a process, broker or database dies.

Postgres is the authority on offsets (see `apply`); Kafka is told them afterwards, for lag only.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from chassis import metrics
from chassis.apply import Applied, Fold, Q, apply
from chassis.aside import Aside
from chassis.catchup import CatchUp, at_once
from chassis.inbox_health import InboxHealth
from chassis.pages import Page, pages_of
from chassis.passing import Passing
from chassis.postgres import TRANSIENT, Pool, retrying, stand_back
from chassis.reader import AdriftError, Reader
from chassis.records import Received
from chassis.same_log import LostLogError, SameLog
from chassis.same_vault import LostVaultError
from chassis.second_reading import SecondReading
from chassis.taking_up import TakenUp, nothing_more
from chassis.telling import Telling
from contracts.topics import Topic

log = structlog.get_logger()

MOST = 2000
MANY = 50
"""Records in a poll that show that more are on their way."""
STOOD_ASIDE = "something newer than this version is in the log, and others may read it"


class Inbox:
    """`run()` is its life, between `start()` and `stop()`."""

    def __init__(
        self,
        *,
        service: str,
        kafka: str,
        pool: Pool,
        topics: Sequence[Topic],
        fold: Fold,
        prefix: str = "",
        after_commit: Callable[[list[Received]], None] = lambda _: None,
        after_dead_letters: Callable[[], None] = lambda: None,
        taken_up: TakenUp = nothing_more,
        most: int = MOST,
        gather: float = 0,
        flush: bool = True,
        vault_known: Callable[[], Awaitable[None]] = at_once,
    ) -> None:
        """`gather`: seconds between polls while many come, for whoever need not know first.

        A row that several of them change is then written once.  Without `flush` a poll's commit
        does not wait for the disk: for whoever shows nobody what a crash could take back.
        `vault_known` raises LostVaultError: for whoever opens what is sealed.
        """
        self._pages = partial(pages_of, service=service, prefix=prefix)
        self._most = most
        self._gather = gather
        self._begin = Q.hold_off_rebuild if flush else Q.hold_off_rebuild_unflushed
        self._pool = pool
        self._fold = fold
        self._prefix = prefix
        self._after_commit = after_commit
        self._after_dead_letters = after_dead_letters
        self._reader = Reader(
            kafka=kafka,
            group=f"{prefix}rollcall.{service}",
            topics={prefix + topic.name: topic.partitions for topic in topics},
            most=most,
        )
        self.second_reading = SecondReading(
            pool=pool,
            kafka=kafka,
            prefix=prefix,
            fold=fold,
            begin=self._begin,
            after_commit=after_commit,
            taken_up=taken_up,
        )
        names = [topic.name for topic in topics]
        self._catch_up = CatchUp(pool, names, self._reader.end_offsets, prefix, vault_known)
        self._aside = Aside(self._reader)
        self._same_log = SameLog(self._reader.beginnings)
        self._passing = Passing(self._reader, self._same_log, prefix)
        self._known = asyncio.Event()
        self._next: dict[TopicPartition, int] = {}
        self._telling = Telling(self._reader)
        self._database_lost = False
        self._stopping = False
        self._stopped: dict[TopicPartition, str] = {}
        self._trouble: str | None = None
        self._last_handled: datetime | None = None

    @property
    def is_caught_up(self) -> bool:
        """Ask before every decision: it becomes false again when the database is lost."""
        return self._catch_up.reached

    async def caught_up(self) -> None:
        """Waits until all the inputs are read, by anybody, to the ends seen at the (re)start."""
        await self._catch_up.wait()

    @property
    def log_is_known(self) -> bool:
        return self._known.is_set()

    async def log_known(self) -> None:
        """Waits while the log is another than the one that was read: nothing may be added to it."""
        await self._known.wait()

    def rearm(self) -> None:
        """The database was lost: it may come back as it was yesterday, so all is read up again."""
        self._catch_up.rearm()
        self._database_lost = True

    def health(self) -> InboxHealth:
        return InboxHealth(
            assigned=len(self._next),
            lag=self._telling.lag(self._next),
            last_handled=self._last_handled,
            caught_up=self.is_caught_up,
            trouble=self._trouble or (STOOD_ASIDE if self._aside.is_away else None),
            stopped={f"{tp.topic}/{tp.partition}": why for tp, why in self._held_up().items()},
        )

    def _held_up(self) -> Mapping[TopicPartition, str]:
        """Why what we hold cannot go on; another may have it by now, and know more."""
        held = self._reader.assigned if self._stopped else set()
        return {tp: why for tp, why in self._stopped.items() if tp in held}

    async def set_aside(self) -> int:
        """How many batches could not be applied; they stand still until somebody looks."""
        return int(await self._pool.fetchval(Q.count_quarantined))

    async def start(self) -> None:
        await self._reader.start()

    async def read_again(self) -> None:
        """The life of its dead letters: from when the log and the vault are known to be ours."""
        await self.caught_up()
        await self.second_reading.run()

    def finish(self) -> None:
        """`run` returns after the poll at hand."""
        self._stopping = True

    async def stop(self) -> None:
        self.finish()
        with suppress(AdriftError):
            await self._telling.tell(self._next)
        await self._reader.stop()

    async def run(self) -> None:
        failures = 0
        while not self._stopping:
            try:
                await self._turn()
            except (LostLogError, LostVaultError) as error:
                failures += 1
                self._lost(error)
                await stand_back("inbox", failures, error)
            except (KafkaError, *TRANSIENT) as error:
                failures += 1
                self._troubled(error)
                self._reader.displace()  # what was polled and not handled is polled again
                await stand_back("inbox", failures, error)
            else:
                failures, self._trouble = 0, None

    async def _turn(self) -> None:
        if self._database_lost:
            self._database_lost = False
            self._reader.displace()
        if self._reader.unplaced:
            await self._place()
        await self._catch_up.compare()
        if self._same_log.is_seen(self._reader.assigned):
            self._known.set()
            await self._catch_up.look()
        await self._aside.turn(self._held_up())
        if self._aside.is_away:
            return
        if found := await self._same_log.follow(await self._reader.poll(), self._next):
            await self._handle(self._pages(found, self._next))
            if self._gather and MANY <= sum(map(len, found.values())) < self._most:
                await asyncio.sleep(self._gather)
        if passed := await self._passing.now_and_then(self._next, self._stopped):
            await self._handle(passed)
        await self._telling.now_and_then(self._next)

    async def _place(self) -> None:
        """Newly assigned partitions are read on from where the database stands."""
        unplaced = sorted(self._reader.unplaced)
        names = [tp.topic.removeprefix(self._prefix) for tp in unplaced]
        await self._pool.execute(Q.make_offsets, names, [tp.partition for tp in unplaced])
        stands = await self._catch_up.stands()
        self._next = {tp: at for tp, at in self._next.items() if tp in self._reader.assigned}
        for tp in unplaced:
            self._next[tp] = stands[tp].upto
            self._stopped.pop(tp, None)
            self._reader.place(tp, self._same_log.take_up(tp, stands[tp]))

    def _lost(self, error: Exception) -> None:
        if self._trouble != str(error):
            log.error("lost", what=type(error).__name__, error=str(error))
        self._trouble = str(error)
        self._known.clear()
        self._catch_up.rearm()
        self._reader.displace()

    async def _handle(self, pages: Sequence[Page]) -> None:
        with metrics.POLL_SECONDS.time():
            applied = await retrying("inbox", lambda: self._apply(pages), on_failure=self._troubled)
        self._trouble = None
        self._reader.displace(applied.fenced)
        for page in pages:
            if page.partition not in applied.fenced:
                self._move_on(page)
        self._last_handled = datetime.now(UTC)
        if applied.dead:
            self._after_dead_letters()
        if applied.folded:
            self._after_commit(applied.folded)

    async def _apply(self, pages: Sequence[Page]) -> Applied:
        return await apply(self._pool, pages, self._fold, begin=self._begin)

    def _move_on(self, page: Page) -> None:
        self._next[page.partition] = page.upto
        metrics.RECORDS_APPLIED.labels(page.topic).inc(len(page.records))
        if page.stop is not None:
            self._reader.stop_at(page.partition)
            self._stopped[page.partition] = page.stop
            log.error("partition_stopped", topic=page.topic, partition=page.partition.partition,
                      offset=page.upto, reason=page.stop)  # fmt: skip

    def _troubled(self, error: Exception) -> None:
        self._trouble = type(error).__name__
