"""How commands print: fitted on a terminal, whole elsewhere; streams piece by piece."""

from __future__ import annotations

import io
import json
import os

import pytest
from ruamel.yaml import YAML

from tui.cli import writing
from tui.cli.live import Screen
from tui.cli.writing import Stream, echo_all, echo_lines, echo_more, echo_rows

ROWS = [("a", "long name", "", "because"), ("bb", "x", "3s", "")]


class Terminal(io.StringIO):
    """Standard output that is a terminal."""

    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> Terminal:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_: os.terminal_size((columns, 24)))
    return terminal


def test_columns_stand_below_each_other_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch, 80)

    echo_rows(ROWS)

    assert terminal.getvalue() == "a   long name      because\nbb  x          3s\n"


def test_nothing_is_wider_than_the_terminal_by_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch, 8)

    echo_lines(["12345678", "123456789", "世界世界世"])
    echo_rows([])

    assert terminal.getvalue().splitlines() == ["12345678", "1234567…", "世界世 …"]


def test_a_report_is_written_over_line_by_line_however_wide_its_signs_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = on_terminal(monkeypatch, 8)
    screen = Screen()

    screen.show(["世界世界世", "x"])
    screen.show(["y"])

    # A line that were wider would be two of the terminal, of which one stayed.
    assert terminal.getvalue() == "世界世…\nx\n\x1b[2A\x1b[Jy\n"


def test_elsewhere_all_is_whole_and_what_is_empty_is_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    echo_rows([*ROWS, ("x" * 500,)])

    assert capsys.readouterr().out.splitlines() == [
        "a  long name  because", "bb  x  3s", "x" * 500,
    ]  # fmt: skip


def test_a_stream_of_json_is_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    stream = Stream("json")
    for value in ({"a": "é\n"}, [1]):
        stream.echo(value)

    assert list(map(json.loads, capsys.readouterr().out.splitlines())) == [{"a": "é\n"}, [1]]


@pytest.mark.parametrize("values", [[{"a": "x\ny"}, {"b": None}], ["text", 3], [[], {}]])
def test_a_stream_of_yaml_is_a_document_for_each(
    values: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    stream = Stream("yaml")
    for value in values:
        stream.echo(value)

    assert list(YAML(typ="safe").load_all(capsys.readouterr().out)) == values


def test_documents_are_a_list_of_json_or_documents_of_yaml(
    capsys: pytest.CaptureFixture[str],
) -> None:
    echo_all([{"a": 1}, {"b": 2}], "json")
    assert json.loads(capsys.readouterr().out) == [{"a": 1}, {"b": 2}]

    echo_all([{"a": 1}, {"b": 2}], "yaml")
    assert capsys.readouterr().out == "a: 1\n---\nb: 2\n"


def test_examples_are_lines_of_their_own() -> None:
    assert writing.examples("podium up", "podium get wf").splitlines()[2:] == [
        "  podium up", "  podium get wf",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        (20, "more: --limit 40 shows more\n"),
        (600, "more: --limit 1000 shows more\n"),
        (1000, "more: no more are told\n"),
    ],
)
def test_that_there_is_more_is_told_beside_the_list(
    limit: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    echo_more(limit, 1000)

    assert capsys.readouterr() == ("", told)
