"""Operations on one execution and on many, as the commands do them."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from tests.system.commands import printed
from tests.system.running import Suite

# Each command is a process of its own, which takes seconds on a machine that does much else.
pytestmark = pytest.mark.timeout(180)


def held(suite: Suite, name: str, number: int) -> list[str]:
    """Ids of executions that wait for somebody's word."""
    wait = {"name": "hold", "taskReferenceName": "hold", "type": "WAIT"}
    suite.apply({"name": name, "version": 1, "tasks": [wait]})
    return [suite.podium("run", name).stdout.strip() for _ in range(number)]


def test_several_are_named_and_each_is_told(suite: Suite) -> None:
    ids = held(suite, "several", 2)
    missing = str(uuid4())

    paused = suite.podium("pause", *ids)
    again = suite.podium("pause", *ids, "--output", "yaml")
    ended = suite.podium("terminate", *ids, missing, "--reason", "enough", "--output", "json")

    assert paused.returncode == 0, paused.stderr
    assert [line.split()[0] for line in paused.stdout.splitlines()] == ids
    assert again.stdout.count("outcome: ALREADY") == 2
    results = json.loads(ended.stdout)
    assert ended.returncode == 1
    assert [each["outcome"] for each in results] == ["DONE", "DONE", "REFUSED"]
    assert [each["status"] for each in results] == ["TERMINATED", "TERMINATED", None]
    assert results[2]["reason"] == "NOT_FOUND"


def test_what_a_query_finds_is_shown_and_done_only_if_so_said(suite: Suite) -> None:
    ids = held(suite, "queried", 3)

    asked = suite.podium("terminate", "--query", "wf:queried")
    done = suite.podium("terminate", "--query", "wf:queried", "--limit", "2", "--yes")
    rest = suite.podium("terminate", "--query", "wf:queried", "--yes")
    nothing = suite.podium("terminate", "--query", "wf:queried", "--yes")

    assert (asked.returncode, asked.stdout) == (1, "")
    assert "3 found: 3 RUNNING; terminate applies to 3" in asked.stderr
    assert "--yes" in asked.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ids[:2]
    assert "the oldest 2 are taken" in done.stderr
    assert [line.split()[0] for line in rest.stdout.splitlines()] == ids[2:]
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "3 found: 3 TERMINATED; terminate applies to 0" in nothing.stderr


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        (("pause",), 2, "one ID or more, or a --query"),
        (("pause", "x", "--query", "status:running"), 2, "one ID or more, or a --query"),
        (("pause", "--query", "nope:1"), 1, "nope"),
        (("pause", "--query", " ", "--yes"), 1, "id:*"),
        (("pause", "x", "y", "--limit", "1"), 2, "--limit goes with a --query"),
        (("pause", "x", "--output", "xml"), 2, "xml"),
    ],
)
def test_what_makes_no_sense_is_told(
    command: tuple[str, ...], code: int, says: str, suite: Suite
) -> None:
    done = suite.podium(*command)

    assert (done.returncode, says in done.stderr) == (code, True), done.stderr


def test_two_executions_are_compared(suite: Suite) -> None:
    script = {"expression": "(function () { return $.n * 2; })()", "n": "${workflow.input.n}"}
    double = {"name": "a", "taskReferenceName": "double", "type": "INLINE"}
    suite.apply({"name": "compared", "tasks": [{**double, "inputParameters": script}]})
    ids = [
        json.loads(
            suite.podium(
                "run", "compared", "--input", f'{{"n": {n}}}', "--wait", "20", "--output", "json"
            ).stdout
        )["workflowId"]
        for n in (1, 1, 2)
    ]

    same = suite.podium("diff", "--executions", *ids[:2])
    other = suite.podium("diff", "--executions", ids[0], ids[2])
    data = suite.podium("diff", "--executions", ids[0], ids[2], "--output", "json")
    missing = suite.podium("diff", "--executions", ids[0], str(uuid4()))
    alone = suite.podium("diff", "--executions", ids[0])

    assert same.returncode == 0, same.stderr
    assert same.stdout.endswith("They went the same way, with the same data.\n")
    assert other.returncode == 1
    assert "output.result 2 → 4" in other.stdout
    assert json.loads(data.stdout)["tasks"][0]["differs"]
    assert (missing.returncode, alone.returncode) == (2, 2)
    assert "There is no execution" in missing.stderr


def test_a_part_of_an_id_is_told_what_finds_the_whole(suite: Suite) -> None:
    (id_,) = held(suite, "in-part", 1)
    part = id_[:13]
    commands = (
        ("watch", part),
        ("events", part),
        ("terminate", part),
        ("complete-task", part, "hold"),
        ("task-logs", part, "hold"),
        ("graph", "--execution", part),
    )
    told = printed(suite.home, [*commands, ("executions", part)])

    way = f"There is no execution {part!r}. Ids are written whole; podium executions {part} finds"
    for command, text in zip(commands, told, strict=False):
        assert way in text, command
    assert id_ in told[len(commands)]
