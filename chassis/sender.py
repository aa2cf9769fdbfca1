"""How aiokafka's sending task ends: the one place that reaches into a producer's private parts.

A sequence error or a fencing ends the task and the producer itself does not say so; aiokafka's own
clearing up then trips over a producer without transactions, and leaves errors that nobody reads.
"""

import asyncio
from itertools import chain

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerClosed


def clear_up_when_it_ends(producer: AIOKafkaProducer) -> None:
    """Whatever a started producer holds is failed when its sending task dies of itself."""
    sender = producer._sender  # noqa: SLF001
    sender.sender_task.remove_done_callback(sender._fail_all)  # noqa: SLF001

    def ended(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _fail_all(producer, error)

    sender.sender_task.add_done_callback(ended)


def is_dead(producer: AIOKafkaProducer) -> bool:
    task = producer._sender.sender_task  # noqa: SLF001
    return task is not None and bool(task.done())


async def kill(producer: AIOKafkaProducer) -> None:
    """Ends it without a flush, which a broken producer never comes to the end of."""
    producer._closed = True  # noqa: SLF001
    task = producer._sender.sender_task  # noqa: SLF001
    if task is not None:
        task.cancel()
    await producer.client.close()
    if task is not None and not task.done():
        # The first cancel ends its loop, after which it waits for the request in hand.
        _, waiting = await asyncio.wait([task], timeout=1)
        for still in waiting:
            still.cancel()
            await asyncio.wait([still])
    _fail_all(producer, ProducerClosed())


def _fail_all(producer: AIOKafkaProducer, error: BaseException) -> None:
    accumulator = producer._message_accumulator  # noqa: SLF001
    accumulator.fail_all(error)
    queued = chain.from_iterable(accumulator._batches.values())  # noqa: SLF001
    for batch in (*queued, *accumulator._pending_batches):  # noqa: SLF001
        waiter = batch._drain_waiter  # noqa: SLF001
        if waiter.done() and not waiter.cancelled():
            # Asked for, so that it is not reported as an error nobody looked at.
            waiter.exception()
