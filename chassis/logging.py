"""Events are logged, people are not: a key that could hold personal data is dropped unwritten."""

import logging
import sys
import traceback
from typing import Literal

import structlog
from structlog.processors import ExceptionRenderer, JSONRenderer
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from chassis.telemetry import current_trace_id

PERSONAL = frozenset(
    {
        "phone_number", "from_number", "to_number", "number", "name", "variables", "transcript",
        "collected", "first_message", "webhook_url", "recording_url", "sealed", "secrets", "body",
    }
)  # fmt: skip
DEEPEST = 10
NOISY = ("aiokafka", "uvicorn", "faststream", "asyncio")


def without_people(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Drops what may not be logged, and says which keys it dropped."""
    dropped = sorted(PERSONAL & event.keys())
    for key in dropped:
        del event[key]
    if dropped:
        event["dropped"] = dropped
    return event


def with_trace(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    if trace := current_trace_id():
        event["trace"] = trace
    return event


def place_of(exc_info: ExcInfo) -> str:
    """Types and places of an error and of what led to it; not its words, which may quote people."""
    raised: BaseException | None = exc_info[1]
    told: list[str] = []
    while raised is not None and len(told) < DEEPEST:
        frames = "".join(traceback.format_tb(raised.__traceback__))
        told.append(f"{frames}{type(raised).__module__}.{type(raised).__qualname__}")
        raised = raised.__cause__ or (None if raised.__suppress_context__ else raised.__context__)
    return "\nafter:\n".join(told)


def configure(service: str, log_format: Literal["json", "console"], level: str) -> None:
    """Every line, of ours and of the libraries, leaves through the same processors."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        with_trace,
        without_people,
    ]
    renderers: list[Processor] = (
        [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                exception_formatter=lambda out, error: print(place_of(error), file=out),
            )
        ]
        if log_format == "console"
        else [ExceptionRenderer(place_of), JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.root.level))
    structlog.contextvars.bind_contextvars(service=service)
