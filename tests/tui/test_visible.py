"""What others have written is shown, and does nothing to a terminal."""

from __future__ import annotations

from typing import Any

from hypothesis import given, strategies as st

from podium.edge.v1 import edge_pb2
from podium.executor.v1 import executor_pb2 as pb
from tui.views import trial
from tui.views.editing import Language
from tui.views.timeline import ended_line, execution_line, task_line
from tui.views.visible import in_one_line, masked, visible
from tui.views.writing import read, written

_LANGUAGES: tuple[Language, ...] = ("json", "yaml")
HOSTILE = "a\x1b[2J\x9b1m\r\nb\tü"


def test_control_characters_are_told_by_their_names() -> None:
    assert visible(HOSTILE) == "a\\x1b[2J\\x9b1m\\x0d\nb\tü"
    assert in_one_line(HOSTILE) == "a\\x1b[2J\\x9b1m b ü"


def test_what_turns_text_around_is_told_by_its_name() -> None:
    assert visible("a\u202eb\u2066c\u2069 שלום \ud800") == r"a\u202eb\u2066c\u2069 שלום \ud800"
    assert in_one_line("a\u2028b\u202e") == r"a b\u202e"


def test_what_is_not_seen_is_told_too_and_masked_where_it_must_keep_its_place() -> None:
    assert visible("pay\u200bpal\ufeff \u061c") == r"pay\u200bpal\ufeff \u061c"
    assert masked("pay\u200bpal\x1b \u202e") == "pay?pal? ?"


@given(st.text())
def test_a_masked_text_has_nothing_to_obey_and_every_place_where_it_was(text: str) -> None:
    assert len(masked(text)) == len(text)
    assert visible(masked(text)) == masked(text)


def test_documents_are_written_with_nothing_hidden_and_read_back_the_same() -> None:
    document: Any = {"a\u202e": ["b\u200b\u2028", "c\nd\u2066\n", "\U0001f468\u200d\U0001f469"]}

    for language in _LANGUAGES:
        text = written(document, language)

        assert visible(text.replace("\u200d", "")) == text.replace("\u200d", "")
        assert read(text, language).document == document


def test_a_reason_is_one_line_that_does_nothing() -> None:
    task = pb.TaskState(ref="x", kind="HTTP", status=pb.TASK_STATUS_FAILED, reason=HOSTILE)
    state = pb.ExecutionState(status=pb.EXECUTION_STATUS_FAILED, reason=HOSTILE)

    for line in (task_line(task), ended_line(state), execution_line(state)):
        assert line.endswith(in_one_line(HOSTILE))


def test_an_answer_of_a_trial_does_nothing() -> None:
    body = HOSTILE.encode()
    response = edge_pb2.TestRouteResponse(status=200, body=body, body_bytes=len(body))

    shown = trial.text(response, "GET", "http://127.0.0.1")

    assert shown.endswith(visible(HOSTILE))
