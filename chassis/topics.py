"""The log is kept for ever: a topic that would forget, or whose keys would move, is refused.

Nothing here alters a topic: setting one key through alter_configs resets all the others.
"""

import asyncio

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, TopicAlreadyExistsError, for_code

from chassis.postgres import stand_back
from contracts.topics import SERVICES, TOPICS, dead_letters_of

log = structlog.get_logger()

MAX_MESSAGE_BYTES = 2 * 1024 * 1024
KEPT_FOR_EVER = {
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
    "max.message.bytes": str(MAX_MESSAGE_BYTES),
}

READABLE = {"compression.type": "uncompressed"}
"""Whatever codec a foreign record comes in: one that we have not would hold up its partition."""


class TopicError(Exception):
    """A topic exists, but not as the system of record needs it."""


def declared(prefix: str) -> dict[str, int]:
    """Partitions of each topic there must be."""
    return {prefix + topic.name: topic.partitions for topic in TOPICS} | {
        prefix + dead_letters_of(service): 1 for service in SERVICES
    }


async def ensure_topics(kafka: str, prefix: str = "") -> None:
    """Creates what is missing, compares what is there.  Safe when all services do it at once."""
    admin = await _connected(kafka)
    try:
        wanted = declared(prefix)
        there = set(await admin.list_topics())
        if missing := {name: count for name, count in wanted.items() if name not in there}:
            await _create(admin, missing)
        await _compare_partitions(admin, wanted)
        await _compare_settings(admin, list(wanted))
    finally:
        await admin.close()


async def _connected(kafka: str) -> AIOKafkaAdminClient:
    attempt = 0
    while True:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka, request_timeout_ms=15_000)
        try:
            await admin.start()
        except KafkaConnectionError as error:
            await admin.close()
            attempt += 1
            await stand_back("topics", attempt, error)
        else:
            return admin


async def _create(admin: AIOKafkaAdminClient, missing: dict[str, int]) -> None:
    response = await admin.create_topics(
        [
            NewTopic(
                name,
                num_partitions=count,
                replication_factor=-1,  # the broker's default
                replica_assignments={},
                topic_configs=KEPT_FOR_EVER | READABLE,
            )
            for name, count in missing.items()
        ]
    )
    for name, code, *_ in response.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise TopicError(f"{name} cannot be created: {error.__name__}")
    log.info("topics_created", topics=len(missing))


async def _compare_partitions(admin: AIOKafkaAdminClient, wanted: dict[str, int]) -> None:
    deadline = asyncio.get_running_loop().time() + 30
    while True:
        found = {
            topic["topic"]: len(topic["partitions"])
            for topic in await admin.describe_topics(list(wanted))
            if not topic["error_code"] and all(p["leader"] >= 0 for p in topic["partitions"])
        }
        if len(found) == len(wanted):
            break
        if asyncio.get_running_loop().time() > deadline:
            raise TopicError(f"without a leader: {', '.join(sorted(wanted.keys() - found))}")
        await asyncio.sleep(0.05)
    for name, count in wanted.items():
        if found[name] != count:
            raise TopicError(
                f"{name} has {found[name]} partitions; keys would move, {count} needed"
            )


async def _compare_settings(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    for response in await admin.describe_configs(resources):
        for code, message, _, name, entries in response.resources:
            if code:
                raise TopicError(f"{name} cannot be described: {message}")
            found = {entry[0]: entry[1] for entry in entries}
            for key, value in KEPT_FOR_EVER.items():
                if found.get(key) != value:
                    raise TopicError(f"{name} has {key}={found.get(key)}, {value} needed")
