from __future__ import annotations

import io
import json
import os
import threading
from contextlib import suppress
from typing import Any

from services.activity import Activity


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_has_what_is_known_in_the_order_it_was_told() -> None:
    out = io.StringIO()
    activity = Activity("edge", out)
    activity.tell(1_767_225_600.25, "request", {"status": 200, "route": "/a\n", "problem": ""})
    activity.tell(1_767_225_601, "request", {"status": 404, "took_ms": 0.0})
    activity.close()

    known = {"level": "info", "service": "edge", "event": "request"}
    assert lines_of(out.getvalue()) == [
        {"time": "2026-01-01T00:00:00.250Z", **known, "status": 200, "route": "/a\n"},
        {"time": "2026-01-01T00:00:01.000Z", **known, "status": 404, "took_ms": 0.0},
    ]


def test_a_reader_who_is_slow_holds_nobody_up_and_hears_what_he_missed() -> None:
    reads, writes = os.pipe()
    with os.fdopen(writes, "w") as out:
        activity = Activity("edge", out, most_waiting=10)
        # More than the pipe and the queue hold: the writer stands still, the teller does not.
        for number in range(2_000):
            activity.tell(0, "request", {"number": number, "padding": "x" * 500})
        assert activity.dropped

        found: list[bytes] = []
        reader = threading.Thread(target=lambda: found.extend(iter(lambda: os.read(reads, 1), b"")))
        reader.start()
        activity.close()
    reader.join(20)
    os.close(reads)

    told = lines_of(b"".join(found).decode())
    numbers = [line["number"] for line in told if line["event"] == "request"]
    missed = sum(line["lines"] for line in told if line["event"] == "dropped")
    assert numbers == sorted(set(numbers))
    assert len(numbers) + missed == 2_000


def test_a_reader_who_is_gone_ends_it_quietly() -> None:
    reads, writes = os.pipe()
    os.close(reads)
    out = os.fdopen(writes, "w")
    activity = Activity("edge", out)
    activity.tell(0, "request", {})
    activity.close()

    with suppress(BrokenPipeError):
        out.close()
    assert not activity._thread.is_alive()
