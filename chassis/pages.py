"""A poll, sorted: what is to be folded, what is not ours, and where a partition cannot go on."""

from collections.abc import Sequence
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
    marked_offset: int | None = None
    marked_at: int | None = None
    """Of the last record before `upto`: by its timestamp the log is known again."""
    records: list[Received] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    stop: str | None = None
    """Why the partition cannot go on at `upto`."""


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
        page.marked_offset, page.marked_at = record.offset, record.timestamp
    return page


def _dead_letter(
    record: ConsumerRecord, error: Exception, *, service: str, topic: str
) -> DeadLetter:
    metrics.DEAD_LETTERS.labels(topic).inc()
    letter = DeadLetter(service, topic, record.partition, record.offset, str(error))
    log.error("dead_letter", **letter.origin, error=letter.error)
    return letter
