"""Circuit breakers as rows and lines."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from podium.executor.v1 import breakers_pb2 as pb
from tui.views.breakers import breakers, lines, none_of

NOW = 1_800_000_000.0


def at(seconds_ago: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromNanoseconds(int((NOW - seconds_ago) * 1e9))
    return stamp


TOLD = pb.ListBreakersResponse(
    breakers=[
        pb.Breaker(host="shop.example:443", state=pb.BREAKER_STATE_OPEN, since=at(2), calls=1200,
                   failed=900, mode=pb.BREAKER_MODE_AUTOMATIC, trials_at=at(-3)),
        pb.Breaker(host="bank.example:443", state=pb.BREAKER_STATE_OPEN, since=at(90), set_by="ops",
                   mode=pb.BREAKER_MODE_OPEN, set_at=at(90)),
        pb.Breaker(host="a\x1b[1m:80", state=pb.BREAKER_STATE_HALF_OPEN, since=at(1), calls=20,
                   failed=10, mode=pb.BREAKER_MODE_AUTOMATIC),
    ]
)  # fmt: skip


def test_a_line_says_how_a_breaker_stands_and_who_set_it() -> None:
    assert list(lines(breakers(TOLD), NOW)) == [
        "HOST              STATE      FAILED  CALLS  SINCE  TRIALS IN  SET BY",
        "shop.example:443  OPEN       900     1,200  2s     3s         -",
        "bank.example:443  OPEN       0       0      1m     -          ops",
        "a\\x1b[1m:80       HALF OPEN  10      20     1s     -          -",
    ]


def test_as_data_it_has_what_is_known() -> None:
    first, second, _ = [row.document for row in breakers(TOLD)]

    assert (first["state"], first["mode"], first["failed"]) == ("OPEN", "AUTOMATIC", 900)
    assert "trialsAt" in first
    assert "setBy" not in first
    assert (second["mode"], second["setBy"]) == ("OPEN", "ops")


def test_that_one_host_has_none_says_nothing_of_others() -> None:
    assert none_of("").startswith("There are none: ")
    assert none_of("shop.example").startswith("There is none of 'shop.example': no task")
    assert "HOST:PORT" in none_of("shop.example")
