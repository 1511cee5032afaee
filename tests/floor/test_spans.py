"""Spans on their way to a collector that does not behave; each in a process of its own.

The SDK's threads go on for a while, and draw random numbers, which other tests would see.
"""

from __future__ import annotations

import socket
import subprocess
import sys

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
# The SDK would go on for half a minute.
PATIENCE_SECONDS = 20.0
PROGRAM = f"""
import logging, sys
from services import tracing
from services.spans import INTERNAL, Span, exported

endpoint, state, count = sys.argv[1:]
logging.basicConfig(level=logging.WARNING)
span = Span("work", INTERNAL, tracing.read("{PARENT}", state), "", 1.0, 2.0, {{}})
with exported("edge", endpoint, 1.0) as spans:
    for _ in range(int(count)):
        spans.add(span)
print("ended")
"""


def sent(endpoint: str, state: str, count: int) -> subprocess.CompletedProcess[str]:
    """What a process says that sends so many spans, and ends."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, endpoint, state, str(count)],
        capture_output=True, text=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip


def test_a_collector_that_hangs_holds_up_no_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        done = sent(f"http://127.0.0.1:{hanging.getsockname()[1]}/v1/traces", "", 2000)

    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr


def test_a_state_that_makes_no_sense_fills_no_log() -> None:
    done = sent("http://127.0.0.1:9/", "no members, at all", 1)

    assert done.stdout == "ended\n", done.stderr
    assert "opentelemetry.trace.span" not in done.stderr
