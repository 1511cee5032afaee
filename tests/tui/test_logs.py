from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from podium.common.v1 import log_pb2 as pb
from tui.views.logs import document, lines, merged

AT = datetime(2026, 11, 26, 19, 33, 8, 123_000, tzinfo=UTC)


def entry(message: str = "It failed.", seconds: float = 0.0, **fields: object) -> pb.LogEntry:
    told = pb.LogEntry(
        level=pb.LOG_LEVEL_ERROR,
        service="edge",
        logger="services.edge.endpoint",
        message=message,
        fields=json.dumps(fields),
    )
    told.time.FromDatetime(AT + timedelta(seconds=seconds))
    return told


def test_an_entry_is_a_line_and_its_exception_is_indented_below() -> None:
    told = entry(request_id="r1", status=500)
    told.exception = "Traceback (most recent call last):\n  File x\nValueError: a"

    assert list(lines(told)) == [
        "2026-11-26T19:33:08.123Z  ERROR     edge      services.edge.endpoint  It failed.  "
        "request_id=r1  status=500",
        "    Traceback (most recent call last):",
        "      File x",
        "    ValueError: a",
    ]


def test_levels_and_services_stand_one_below_the_other() -> None:
    other = entry()
    other.level, other.service = pb.LOG_LEVEL_CRITICAL, "executor"
    other.time.FromDatetime(AT.replace(microsecond=0))

    starts = [next(iter(lines(each))).index("services.") for each in (entry(), other)]
    assert starts[0] == starts[1]


def test_hostile_text_moves_no_cursor_and_stays_on_its_line() -> None:
    told = entry("a\r\nb\x1b[2J")
    told.fields = json.dumps({"x\x1by": "\ud800\n"})
    (line,) = lines(told)

    assert "\x1b" not in line
    assert "a b\\x1b[2J" in line
    line.encode()


def test_entries_are_merged_by_time_and_those_of_one_moment_stay_in_order() -> None:
    some = [entry("c", 2), entry("a"), entry("b1", 1), entry("b2", 1)]

    assert [each.message for each in merged(some)] == ["a", "b1", "b2", "c"]


def test_as_json_it_is_what_the_service_writes() -> None:
    told = entry(request_id="r1", given=["x"])

    assert document(told) == {
        "time": "2026-11-26T19:33:08.123Z",
        "level": "error",
        "service": "edge",
        "logger": "services.edge.endpoint",
        "message": "It failed.",
        "request_id": "r1",
        "given": ["x"],
    }
