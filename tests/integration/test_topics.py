"""The log is kept for ever, in as many partitions as it began with."""

import asyncio
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from chassis.topics import KEPT_FOR_EVER, READABLE, TopicError, ensure_topics
from contracts.topics import BATCHES


async def create(kafka: str, name: str, partitions: int, settings: dict[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=settings)])
    await admin.close()


async def settings_of(kafka: str, name: str) -> dict[str, Any]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    await admin.close()
    return {entry[0]: entry[1] for entry in answer.resources[0][4]}


async def test_five_services_at_once_make_topics_that_never_forget(
    kafka: str, topic_prefix: str
) -> None:
    await asyncio.gather(*(ensure_topics(kafka, topic_prefix) for _ in range(5)))
    await ensure_topics(kafka, topic_prefix)
    found = await settings_of(kafka, topic_prefix + BATCHES.name)
    assert (KEPT_FOR_EVER | READABLE).items() <= found.items()


async def test_a_topic_that_forgets_is_refused(kafka: str, topic_prefix: str) -> None:
    settings = KEPT_FOR_EVER | {"retention.ms": "604800000"}
    await create(kafka, topic_prefix + BATCHES.name, BATCHES.partitions, settings)
    with pytest.raises(TopicError, match=r"retention\.ms=604800000"):
        await ensure_topics(kafka, topic_prefix)


async def test_a_topic_with_other_partitions_is_refused(kafka: str, topic_prefix: str) -> None:
    await create(kafka, topic_prefix + BATCHES.name, BATCHES.partitions + 1, KEPT_FOR_EVER)
    with pytest.raises(TopicError, match="keys would move"):
        await ensure_topics(kafka, topic_prefix)
