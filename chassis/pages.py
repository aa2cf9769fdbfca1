"""A poll, sorted: what is to be folded, what is not ours, and where a partition cannot go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from aiokafka import ConsumerRecord, TopicPartition

from chassis import metrics
from chassis.dead_letters import DeadLetter
from chassis.records import Received, received
from contracts.codec import MalformedEventError, UnknownEventError

log = structlog.get_logger()


@dataclass(slots=True)
class Page:
    """Consecutive records of one partition, from `since` up to, without, `upto`."""

    partition: TopicPartition
    topic: str
    """Without the prefix, as it stands in the database."""
    since: int
    upto: int
    passed: list[tuple[int, int]] = field(default_factory=list)
    """Offset and timestamp of each record that was read, of whatever kind."""
    records: list[Received] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    stop: str | None = None
    """Why the partition cannot go on at `upto`."""

    @property
    def mark(self) -> tuple[int | None, int | None]:
        """The last record before `upto`, if any of these is: by it the log is known again."""
        return next((it for it in reversed(self.passed) if it[0] < self.upto), (None, None))

    @property
    def marked_offset(self) -> int | None:
        return self.mark[0]

    @property
    def marked_at(self) -> int | None:
        return self.mark[1]


def pages_of(
    found: Mapping[TopicPartition, Sequence[ConsumerRecord]],
    since: Mapping[TopicPartition, int],
    *,
    service: str,
    prefix: str,
) -> list[Page]:
    return [
        page_of(tp, raw, since=since[tp], service=service, prefix=prefix)
        for tp, raw in found.items()
    ]


def page_of(
    partition: TopicPartition,
    raw: Sequence[ConsumerRecord],
    *,
    since: int,
    service: str,
    prefix: str,
) -> Page:
    """Reads each record; one newer than this reader ends the page, if it may not be passed over."""
    page = Page(partition, partition.topic.removeprefix(prefix), since, since)
    for record in raw:
        try:
            page.records.append(received(record, prefix))
        except MalformedEventError as error:
            page.dead.append(_dead_letter(record, error, service=service, topic=page.topic))
        except UnknownEventError as error:
            if not error.may_be_passed_over:
                page.stop = str(error)
                return page
        page.upto = record.offset + 1
        page.passed.append((record.offset, record.timestamp))
    return page


def _dead_letter(
    record: ConsumerRecord, error: Exception, *, service: str, topic: str
) -> DeadLetter:
    metrics.DEAD_LETTERS.labels(topic).inc()
    letter = DeadLetter(service, topic, record.partition, record.offset, str(error))
    log.error("dead_letter", **letter.origin, error=letter.error)
    return letter
