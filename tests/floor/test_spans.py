"""Spans on their way to a collector that does not behave."""

from __future__ import annotations

import logging
import socket
import threading

import pytest

from services import tracing
from services.spans import INTERNAL, Span, exported

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PATIENCE_SECONDS = 20.0


def _span(state: str = "") -> Span:
    trace = tracing.read(PARENT, state)
    assert trace is not None
    return Span("work", INTERNAL, trace, "", 1.0, 2.0, {})


def test_a_collector_that_hangs_holds_up_no_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:

        def send() -> None:
            endpoint = f"http://127.0.0.1:{hanging.getsockname()[1]}/v1/traces"
            with exported("edge", endpoint, 1.0) as spans:
                assert spans is not None
                for _ in range(2000):
                    spans.add(_span())

        # The SDK would go on for half a minute.
        sending = threading.Thread(target=send, daemon=True)
        sending.start()
        sending.join(PATIENCE_SECONDS)
        assert not sending.is_alive()


def test_a_state_that_makes_no_sense_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), exported("edge", "http://127.0.0.1:9/", 1.0) as spans:
        assert spans is not None
        spans.add(_span("no members, at all"))

    assert not [each for each in caplog.records if each.name == "opentelemetry.trace.span"]
