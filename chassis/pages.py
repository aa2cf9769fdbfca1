"""A poll, sorted: what is to be folded, what is not ours, and where a partition cannot go on."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from aiokafka import ConsumerRecord, TopicPartition

from chassis import metrics
from chassis.records import Received, received
from contracts.codec import Encoded, MalformedEventError, UnknownEventError
from contracts.topics import dead_letters_of

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
    dead: list[tuple[str, Encoded]] = field(default_factory=list)
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
) -> tuple[str, Encoded]:
    """Where it stands in the log and what is wrong with it; never what it holds."""
    metrics.DEAD_LETTERS.labels(topic).inc()
    place = {"topic": topic, "partition": record.partition, "offset": record.offset}
    log.error("dead_letter", **place, error=str(error))
    value = json.dumps({"origin": place, "error": str(error)}).encode()
    key = f"{topic}/{record.partition}/{record.offset}".encode()
    headers = [("content-type", b"application/json")]
    return dead_letters_of(service), Encoded(key, value, headers)
