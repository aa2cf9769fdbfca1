"""A connection that broke just now is told to aiokafka as such; else it falls silent for good.

uvloop refuses to write to a transport that has closed with RuntimeError, where asyncio only warns.
aiokafka 0.14 expects OSError: one such write, in the instant between a broker's reset and the word
of it, ends the task that finds brokers and groups, and nobody hears of it: records still come,
heartbeats, commits and questions never end.
"""

from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError


def tell_aiokafka() -> None:
    """For all connections of the process; a second time changes nothing."""
    AIOKafkaConnection.send = _send


_plain = AIOKafkaConnection.send


def _send(self: AIOKafkaConnection, request: Any, expect_response: bool = True) -> Any:  # noqa: FBT001, FBT002 - its signature
    try:
        return _plain(self, request, expect_response)
    except RuntimeError as error:
        self.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(f"{self.host}:{self.port} has hung up") from error
