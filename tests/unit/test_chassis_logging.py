"""People are not logged."""

import json
import logging as stdlib
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog

from chassis import logging, telemetry


@pytest.fixture(autouse=True)
def left_as_found() -> Iterator[None]:
    handlers, level = stdlib.root.handlers[:], stdlib.root.level
    yield
    stdlib.root.handlers[:] = handlers
    stdlib.root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_a_line_carries_the_trace_and_no_person(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure("ingest", "json", "info")
    with telemetry.start_span("a", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"):
        structlog.get_logger().info("row", phone_number="+4915112", row=7)
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "row"
    assert line["row"] == 7
    assert line["dropped"] == ["phone_number"]
    assert line["trace"] == "0af7651916cd43dd8448eb211c80319c"
    assert line["service"] == "ingest"
    assert "4915112" not in json.dumps(line)


def test_libraries_speak_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure("ingest", "json", "info")
    stdlib.getLogger("library").warning("something %s", "odd")
    assert json.loads(capsys.readouterr().err)["event"] == "something odd"


def test_a_trace_goes_on_across_the_log() -> None:
    telemetry.configure("ingest")
    assert telemetry.current_traceparent() is None
    with telemetry.start_span("request"):
        carried = telemetry.current_traceparent()
        trace = telemetry.current_trace_id()
    assert carried is not None
    with telemetry.start_span("fold", carried):
        assert telemetry.current_trace_id() == trace


@pytest.mark.parametrize("kind", ["json", "console"])
def test_an_error_is_logged_by_its_place_not_by_its_words(
    capsys: pytest.CaptureFixture[str], kind: Literal["json", "console"]
) -> None:
    logging.configure("ingest", kind, "info")

    def fails() -> None:
        number = "+4915112"
        try:
            int(number + "x")
        except ValueError as error:
            raise RuntimeError(number) from error

    try:
        fails()
    except RuntimeError as error:
        structlog.get_logger().error("request_failed", exc_info=error)
    told = capsys.readouterr().err
    assert "4915112" not in told
    assert "RuntimeError" in told
    assert "ValueError" in told
    assert "in fails" in told
