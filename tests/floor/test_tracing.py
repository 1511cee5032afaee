from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from services import tracing
from services.tracing import Trace

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"


def test_what_the_headers_say_is_said_again() -> None:
    trace = tracing.read(PARENT, "congo=t61rcWkgMzE")

    assert trace == Trace(TRACE_ID, SPAN_ID, "01", "congo=t61rcWkgMzE")
    assert trace.sampled
    assert trace.parent == PARENT
    assert trace.below("00f067aa0ba902b7").parent == f"00-{TRACE_ID}-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "t",
        PARENT + "-more",
        PARENT + "\n",
        PARENT.upper(),
        "ff" + PARENT[2:],
        PARENT.replace(TRACE_ID, "0" * 32),
        PARENT.replace(SPAN_ID, "0" * 16),
        "00-" + TRACE_ID,
    ],
)
def test_what_is_not_sound_is_no_trace(parent: str) -> None:
    assert tracing.read(parent, "a=b") is None


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    for later in ("cc" + PARENT[2:], "cc" + PARENT[2:] + "-more"):
        trace = tracing.read(later)

        assert trace is not None
        assert trace.parent == PARENT
    assert tracing.read("cc" + PARENT[2:] + "more") is None


def test_flags_that_nobody_knows_are_not_handed_on() -> None:
    trace = tracing.read(PARENT[:-2] + "ff")

    assert trace is not None
    assert trace.flags == "03"


def test_a_state_is_handed_on_without_the_space_around_it() -> None:
    assert tracing.read(PARENT, " a=b ") == Trace(TRACE_ID, SPAN_ID, "01", "a=b")


@pytest.mark.parametrize("state", ["a=b\r\nx: y", "a" * 513, "a=ü", "\0"])
def test_a_state_that_is_not_sound_is_left_out(state: str) -> None:
    assert tracing.read(PARENT, state) == Trace(TRACE_ID, SPAN_ID, "01")


@given(st.uuids(version=4))
def test_the_span_of_an_id_is_one_that_a_trace_may_name(an_id: object) -> None:
    trace = Trace(TRACE_ID, SPAN_ID).below(tracing.span_of(str(an_id)))

    assert tracing.read(trace.parent) == trace


@given(st.sampled_from(["", "a=b"]))
def test_metadata_say_what_they_were_given(state: str) -> None:
    trace = Trace(TRACE_ID, SPAN_ID, "01", state)

    assert tracing.of_metadata(dict(tracing.to_metadata(trace))) == trace
    assert tracing.to_metadata(None) == ()
    assert tracing.of_metadata({}) is None
