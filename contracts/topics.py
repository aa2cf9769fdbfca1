"""The registry of the log: each topic has one writer, and its partition count never changes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from contracts import (
    batches,
    calls,
    conversations,
    directory,
    dispatch,
    gates,
    recipients,
    status,
)
from contracts.event import Event

SERVICES = ("ingest", "scheduler", "dialer", "projections")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of the system of record: kept for ever, nothing compacted."""

    name: str
    writer: str
    key: str
    partitions: int
    events: tuple[type[Event], ...]


class NotTheWriterError(Exception):
    """A service tried to produce to a topic that another one writes."""


DIRECTORY = Topic(
    "rollcall.directory.v1",
    writer="ingest",
    key="kind:id",
    partitions=3,
    events=(
        directory.AccountConfigured,
        directory.AgentRegistered,
        directory.AgentDisabled,
        directory.PhoneNumberRegistered,
        directory.PhoneNumberDisabled,
        directory.SuppressionAdded,
        directory.SuppressionRemoved,
    ),
)
BATCHES = Topic(
    "rollcall.batches.v1",
    writer="ingest",
    key="batch_id",
    partitions=6,
    events=(
        batches.BatchCreated,
        batches.BatchRenamed,
        batches.BatchStartRequested,
        batches.BatchPauseRequested,
        batches.BatchResumeRequested,
        batches.BatchCancelRequested,
        batches.BatchRetryRequested,
        batches.RecipientsAddRequested,
        batches.RecipientRemovalRequested,
        batches.BatchImportFailed,
        batches.BatchDeleted,
    ),
)
RECIPIENTS = Topic(
    "rollcall.recipients.v1",
    writer="ingest",
    key="chunk_id",
    partitions=6,
    events=(recipients.RecipientsAdded, recipients.RecipientsRejected),
)
BATCH_STATUS = Topic(
    "rollcall.batch-status.v1",
    writer="scheduler",
    key="batch_id",
    partitions=6,
    events=(
        status.BatchScheduled,
        status.BatchStarted,
        status.BatchPaused,
        status.BatchResumed,
        status.BatchCancelled,
        status.BatchRetried,
        status.BatchCompleted,
        status.BatchFailed,
        status.RecipientsAddAccepted,
        status.RecipientRemoved,
        status.BatchActionRejected,
    ),
)
DISPATCH = Topic(
    "rollcall.dispatch.v1",
    writer="scheduler",
    key="recipient_id",
    partitions=12,
    events=(dispatch.RecipientQueued,),
)
GATES = Topic(
    "rollcall.gates.v1",
    writer="dialer",
    key="batch_id",
    partitions=3,
    events=(gates.BatchGateClosed,),
)
CALLS = Topic(
    "rollcall.calls.v1",
    writer="dialer",
    key="recipient_id",
    partitions=12,
    events=(calls.CallPlacing, calls.CallStarted, calls.CallCompleted, calls.CallReturned),
)
CONVERSATIONS = Topic(
    "rollcall.conversations.v1",
    writer="dialer",
    key="recipient_id",
    partitions=6,
    events=(conversations.ConversationRecorded,),
)

TOPICS = (
    DIRECTORY,
    BATCHES,
    RECIPIENTS,
    BATCH_STATUS,
    DISPATCH,
    GATES,
    CALLS,
    CONVERSATIONS,
)

TOPIC_OF: Mapping[type[Event], Topic] = MappingProxyType(
    {event: topic for topic in TOPICS for event in topic.events}
)
_NAME_OF = {event: topic.name for event, topic in TOPIC_OF.items()}
EVENT_OF: Mapping[str, type[Event]] = MappingProxyType(
    {event.__name__: event for event in TOPIC_OF}
)


def by_topic(events: Iterable[Event]) -> Mapping[str, list[Event]]:
    """By the topic's name, in order within each: who asks an event its type asks few of them."""
    told: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        told[_NAME_OF[type(event)]].append(event)
    return told


def dead_letters_of(service: str) -> str:
    """Where a service puts records that are not ours; written by that service alone."""
    return f"rollcall.{service}.dead-letters.v1"


def topic_for(event: Event, *, writer: str) -> Topic:
    """The topic this event goes to.  Raises NotTheWriterError if it is not the writer's."""
    topic = TOPIC_OF[type(event)]
    if topic.writer != writer:
        raise NotTheWriterError(
            f"{type(event).__name__} is for {topic.name}: {topic.writer} writes it, not {writer}"
        )
    return topic
