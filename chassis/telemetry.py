"""One trace from the request to the ring: W3C trace context in, out, and beside every event."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Receive, Scope, Send

_W3C = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("rollcall")


def configure(service: str, exporter: SpanExporter | None = None) -> None:
    """Spans are always made, so that ids travel; they are sent on only with an exporter."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    if exporter is not None:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)


def current_traceparent() -> str | None:
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent")


def current_trace_id() -> str | None:
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


@contextmanager
def start_span(name: str, traceparent: str | None = None) -> Iterator[Span]:
    """A span under the given parent; without one, under the current span or at the root."""
    parent: Context | None = None
    if traceparent:
        parent = _W3C.extract({"traceparent": traceparent})
    with _tracer.start_as_current_span(name, context=parent) as span:
        yield span


class TraceMiddleware:
    """Each HTTP request runs in a span that continues its caller's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        parent = dict(scope["headers"]).get(b"traceparent", b"").decode("latin-1")
        with start_span(scope["method"], parent or None):
            await self._app(scope, receive, send)
