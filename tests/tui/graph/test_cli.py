"""`podium graph` of files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from ruamel.yaml import YAML

from tests.tui.graph.workflows import ORDER, task, workflow
from tui.cli.graph import graph
from tui.views.graph.drawing import lay_out


def drawn(*arguments: str, text: str = "", **environment: str) -> Result:
    return CliRunner(env=environment).invoke(graph, arguments, input=text)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "order.json"
    path.write_text(json.dumps([ORDER, {"kind": "schema", "name": "s"}, workflow(task("two"))]))
    return str(path)


def test_every_workflow_of_a_file_is_drawn_and_nothing_else(file: str) -> None:
    done = drawn(file)

    rows = "\n".join(lay_out(ORDER).text())
    assert done.exit_code == 0
    assert done.stdout.startswith(f"w v1  15 tasks\n\n{rows}\n\nw v1  1 task\n\n")
    assert done.stderr == ""


def test_it_comes_in_ascii_and_folded(file: str) -> None:
    done = drawn("--ascii", "--fold", "risk", "--fold", "nope", file)

    assert done.stdout.isascii()
    assert "SWITCH x4 (4 tasks)" in done.stdout
    assert "nope is nothing that can be folded" in done.stderr


def test_it_comes_as_data(file: str) -> None:
    first, second = json.loads(drawn("--output", "json", file).stdout)

    assert [node["ref"] for node in second["nodes"]] == ["two"]
    assert {"ref": "audit", "opens": {"name": "audit_log", "version": 2}}.items() <= first["nodes"][
        -1
    ].items()
    read = YAML(typ="safe", pure=True).load(drawn("--output", "yaml", file).stdout)
    assert read == [first, second]


def test_standard_input_is_read_and_what_is_wrong_is_told() -> None:
    done = drawn("-", text=json.dumps(workflow(7, task("a"))))

    assert done.exit_code == 0
    assert "│   a" in done.stdout
    assert done.stderr == "podium: tasks[0] is no object\n"


@pytest.mark.parametrize("text", ["{", '{"kind": "schema"}', ""])
def test_without_a_workflow_it_fails(text: str) -> None:
    done = drawn("-", text=text)

    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.startswith("podium: ")


@pytest.mark.parametrize(
    "arguments", [(), ("w", "--execution", "e"), ("--version", "2", "w.json"), ("--output", "x")]
)
def test_wrong_usage_is_told(arguments: tuple[str, ...]) -> None:
    assert drawn(*arguments).exit_code == 2


def test_a_drawing_that_no_file_has_room_for_is_refused() -> None:
    wide = task("f", "FORK_JOIN", forkTasks=[[task(f"{'b' * 30}{n}")] for n in range(199)])
    document = workflow(wide, *(task(f"t{number}") for number in range(9_000)))

    done = drawn("-", text=json.dumps(document))

    assert done.exit_code == 1
    assert "--fold REF makes it smaller" in done.stderr
