"""What ends an execution, what it waits for, and what it keeps: TERMINATE, WAIT, SET_VARIABLE."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from services.executor.core.model import Json
from services.executor.core.sizes import MAX_VARIABLES_BYTES
from tests.executor.conductor.rows import (
    SMALLER,
    Act,
    Part,
    Row,
    check,
    fires,
    ids,
    said,
)
from tests.executor.core.simulator import EPOCH, Simulator, task, workflow

Shows = Mapping[str, Json | Part]
GIVEN_UP = "FAILED_WITH_TERMINAL_ERROR"


def ended(rule: str, inputs: Json, shows: Shows, *, record: str = "", **more: Json) -> Row:
    """A TERMINATE beside a WAIT in another branch."""
    fork = task("fork", "FORK_JOIN", forkTasks=[[task("w", "WAIT")],
                [task("t", "TERMINATE", inputs)]])  # fmt: skip
    flow = workflow(fork, task("join", "JOIN", joinOn=["w", "t"]), task("next", "NOOP"), **more)
    return Row(rule, flow, shows, record=record)


TOLD: tuple[tuple[str, Json], ...] = (
    ("FAILED", ["mourn"]), ("TERMINATED", ["mourn"]), ("COMPLETED", [])
)  # fmt: skip
TERMINATED = (
    *(
        ended(f"it ends the whole as {status}, and cancels what runs beside it",
              {"terminationStatus": status}, {"workflow": status, "t": "COMPLETED",
              "w": "CANCELED", "next": None})
        for status in ("COMPLETED", "FAILED", "TERMINATED")
    ),
    ended("with its output", {"terminationStatus": "COMPLETED", "workflowOutput": {"k": 1}},
          {"workflow.output": {"k": 1}, "t.output": {"k": 1}}),
    ended("which wins over that of the definition", {"terminationStatus": "COMPLETED",
          "workflowOutput": {"k": 1}}, {"workflow.output": {"k": 1}},
          outputParameters={"other": 1}),
    ended("what is no object goes under output", {"terminationStatus": "FAILED",
          "workflowOutput": [7]}, {"workflow.output": {"output": [7]}}),
    ended("with its reason", {"terminationStatus": "FAILED", "terminationReason": "no"},
          {"workflow.reason": "no"}),
    *(
        ended(f"without one it says who ended it as {status}", {"terminationStatus": status},
              {"workflow.reason": Part(f"Workflow is {status} by TERMINATE task: ")})
        for status in ("FAILED", "TERMINATED")
    ),
    # There a completed execution has that sentence for its reason, too.
    ended("what is complete has no reason why it is not", {"terminationStatus": "COMPLETED"},
          {"workflow.reason": ""}, record=SMALLER),
    *(
        ended(f"its failure workflow runs where it is {status}", {"terminationStatus": status},
              {"started": started}, failureWorkflow="mourn")
        for status, started in TOLD
    ),
    ended("a status that is none fails the task", {"terminationStatus": "PAUSED"},
          {"t": "FAILED", "t.reason": "given termination status is not valid",
           "workflow": "FAILED"}),
)  # fmt: skip


def waited(rule: str, inputs: Json, shows: Shows, *after: Act, record: str = "",
           kind: str = "WAIT") -> Row:  # fmt: skip
    named = {f"w.{name}" if name else "w": value for name, value in shows.items()}
    return Row(rule, workflow(task("w", kind, inputs)), named, after, record)


NOON = EPOCH.timestamp()
WAITS = (
    *(
        waited(f"it waits for {text}", {"duration": text}, {"": "IN_PROGRESS", "waits": [seconds]})
        for text, seconds in (
            ("2 days 3 hours 5 minutes 10 seconds", 183_910.0), ("1d 1h 1m 1s", 90_061.0),
            ("10s", 10.0), ("3 HOURS", 10_800.0), ("1 minute", 60.0),
        )
    ),
    *(
        waited(f"or until {text}", {"until": text}, {"": "IN_PROGRESS", "waits": [seconds]})
        # It is noon of the 22nd in UTC.
        for text, seconds in (
            ("2026-11-22 13:30", 5_400.0), ("2026-11-22 13:30 CET", 1_800.0),
            ("2026-11-23", 43_200.0),
        )
    ),
    waited("its time over, it is done", {"duration": "1s"}, {"": "COMPLETED"}, fires),
    waited("with neither it waits for a word", {}, {"": "IN_PROGRESS", "waits": []}),
    waited("whose output is its", {}, {"": "COMPLETED", "output": {"k": 1}},
           said("w", "COMPLETED", {"k": 1})),
    waited("a word may fail it", {}, {"": "FAILED", "reason": "no"},
           said("w", "FAILED", None, "no")),
    waited("both are refused", {"duration": "1s", "until": "2027-01-01"},
           {"": GIVEN_UP, "reason": "Both 'duration' and 'until' specified. Please provide only "
            "one input"}),
    waited("a moment that is none is", {"until": "tomorrow"},
           {"": GIVEN_UP, "reason": Part("Invalid/Unsupported Wait Until format.  Provided: ")}),
    waited("a duration that is none, too", {"duration": "soon"},
           {"": GIVEN_UP, "reason": Part("soon")}),
    waited("a person's task waits for a word", {"form": 1}, {"": "IN_PROGRESS", "waits": []},
           kind="HUMAN"),
    waited("which ends it", {"form": 1}, {"": "COMPLETED", "output": {"ok": True}},
           said("w", "COMPLETED", {"ok": True}), kind="HUMAN"),
    waited("NOOP is done at once", {"x": 1}, {"": "COMPLETED"}, kind="NOOP"),
)  # fmt: skip


LARGE = "x" * (MAX_VARIABLES_BYTES - 40)


def kept(rule: str, inputs: Json, shows: Shows, **more: Json) -> Row:
    flow = workflow(task("v", "SET_VARIABLE", inputs),
                    task("next", "NOOP", {"n": "${workflow.variables.n}"}), **more)  # fmt: skip
    return Row(rule, flow, shows)


VARIABLES = (
    kept("each key of the input is a variable", {"n": 1, "m": {"k": None}},
         {"v": "COMPLETED", "workflow.variables": {"n": 1, "m": {"k": None}}, "next.input.n": 1}),
    kept("those of the definition stay", {"n": 1}, {"workflow.variables": {"o": 2, "n": 1}},
         variables={"o": 2}),
    kept("and are replaced whole", {"o": {"b": 1}}, {"workflow.variables": {"o": {"b": 1}}},
         variables={"o": {"a": 1}}),
    kept("they hold 256 KB", {"n": LARGE}, {"v": "COMPLETED"}),
    kept("and no more: then none is set", {"n": LARGE + LARGE, "m": 1},
         {"v": GIVEN_UP, "workflow": "FAILED", "workflow.variables": {"o": 2}},
         variables={"o": 2}),
)  # fmt: skip


@pytest.mark.parametrize("row", [*TERMINATED, *WAITS, *VARIABLES], ids=ids)
def test_ends_and_waits(row: Row) -> None:
    check(row)


def test_variables_of_one_execution_are_not_those_of_the_next() -> None:
    # In Conductor the definition's own object is written to.
    flow = workflow(task("v", "SET_VARIABLE", {"n": "${workflow.input.n}"}), variables={"o": 2})
    for number in (1, 2):
        run = Simulator(flow, {"n": number}).begin()
        assert run.execution.variables == {"o": 2, "n": number}
    assert flow.variables == {"o": 2}
