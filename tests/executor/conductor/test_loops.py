"""Rounds: what a DO_WHILE repeats, how long, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from services.executor.core.events import Retried
from services.executor.core.model import Json
from tests.executor.conductor.rows import (
    FORKS,
    Act,
    Fields,
    Part,
    Row,
    check,
    happens,
    ids,
    said,
)
from tests.executor.core.simulator import Judge, task, workflow

Shows = Mapping[str, Json | Part]
GIVEN_UP = "FAILED_WITH_TERMINAL_ERROR"
WHILE = "$.loop.iteration < 3"


def looped(rule: str, shows: Shows, *after: Act, condition: str = "", record: str = "",
           judge: Judge | None = None, over: Json = None, inputs: Fields | None = None,
           body: Json = None, passes: str = "") -> Row:  # fmt: skip
    """A loop around ``body``, a NOOP ``say`` unless it is given."""
    fields: dict[str, Json] = {"loopOver": body or [task("say", "NOOP")]}
    if passes:
        fields[passes] = True
    if condition:
        fields["loopCondition"] = condition
    if over is not None:
        fields["items"] = over
    flow = workflow(task("loop", "DO_WHILE", {**(inputs or {})}, **fields), task("next", "NOOP"))
    return Row(rule, flow, shows, after, record, judge=judge, inputs={"most": 3})


def values(*said: Json) -> Judge:
    """Scripts come to these, one after the other."""
    left = list(said)
    return lambda source, scope: left.pop(0)


def throwing(source: str, scope: Mapping[str, Json]) -> Json:
    raise ArithmeticError("it throws")


def few(source: str, scope: Mapping[str, Json]) -> Json:
    said, most = scope["say"], scope["most"]
    return isinstance(said, dict) and said["n"] < most  # type: ignore[operator]


WAITING: list[Json] = [task("say", "WAIT")]
NOT_TRUE: tuple[Json, ...] = (False, 0, -1, None, "true", {"a": 1}, [1])
LOOPS = (
    looped("it runs while its condition holds", {"loop": "COMPLETED", "loop.output.iteration": 3,
           "next": "COMPLETED"}, condition=WHILE),
    looped("at least once", {"loop.output.iteration": 1}, condition="$.loop.iteration < 0"),
    looped("the tasks of a round have its number", {"say": None, "say__1": "COMPLETED",
           "say__3.iteration": 3}, condition=WHILE),
    looped("it gives what its tasks gave, by round and reference",
           {"loop.output": {"iteration": 2, "1": {"say": {"n": 1}}, "2": {"say": {"n": 2}}}},
           said("say__1", "COMPLETED", {"n": 1}), said("say__2", "COMPLETED", {"n": 2}),
           condition="$.loop.iteration < 2", body=WAITING),
    looped("its condition sees the input, resolved, and its tasks by reference",
           {"loop.output.iteration": 2}, said("say__1", "COMPLETED", {"n": 1}),
           said("say__2", "COMPLETED", {"n": 5}), condition="f($.say, $.most)", body=WAITING,
           judge=few, inputs={"most": "${workflow.input.most}"}),
    *(
        looped(f"{value!r} goes on", {"loop.output.iteration": 2}, condition="f($)",
               judge=values(value, False))
        for value in (True, 1, 0.5)
    ),
    *(
        looped(f"{value!r} does not", {"loop.output.iteration": 1}, condition="f($)",
               judge=values(value))
        for value in NOT_TRUE
    ),
    looped("a condition that throws fails it for good, and is told",
           {"loop": GIVEN_UP, "workflow": "FAILED",
            "loop.reason": "Unable to evaluate condition f($), exception it throws"},
           condition="f($)", judge=throwing),
    looped("a task that fails for good fails it", {"loop": "FAILED", "workflow": "FAILED",
           "loop.reason": Part("and reason: 'no'")}, said("say__1", GIVEN_UP, None, "no"),
           condition=WHILE, body=WAITING),
    # There the whole fails, whatever the loop says of itself.
    *(
        looped(f"one that is {flag} is passed then", {"next": "COMPLETED", "loop": status},
               said("say__1", GIVEN_UP), condition=WHILE, body=WAITING, record=FORKS,
               passes=flag)
        for flag, status in (("optional", "COMPLETED_WITH_ERRORS"), ("permissive", "FAILED"))
    ),
    looped("a retry goes on in the same round", {"loop.output.iteration": 2,
           "say__2": "IN_PROGRESS", "say__2.attempts": 2, "say__1.attempts": 1},
           said("say__1", "COMPLETED"), said("say__2", GIVEN_UP), happens(Retried()),
           condition=WHILE, body=WAITING),
    looped("over a list it has each item, from 0", {"loop.output.iteration": 2,
           "loop.output.loopItem": "y", "loop.output.loopIndex": 1}, over=["x", "y"]),
    looped("a task sees the item of its round", {"say__2.input": {"v": "y"}}, over=["x", "y"],
           body=[task("say", "NOOP", {"v": "${loop.output.loopItem}"})]),
    looped("the list may stand in the input", {"loop.output.iteration": 2},
           inputs={"_items": [1, 2]}),
    looped("an empty list runs nothing", {"loop": "COMPLETED", "loop.output": {"iteration": 0},
           "say__1": None}, inputs={"_items": []}),
    looped("a list that is not there is none", {"loop": GIVEN_UP, "say__1": None,
           "loop.reason": Part("items must be a list, and it is null")},
           over="${workflow.input.gone}"),
    looped("with a list and a condition both must hold", {"loop.output.iteration": 2},
           over=[1, 2, 3, 4], condition="$.loop.iteration < 2"),
    looped("a list ends it though its condition would hold", {"loop.output.iteration": 2},
           over=[1, 2], condition="$.loop.iteration < 9"),
    looped("keepLastN drops the rounds before, with what they gave",
           {"say__1": None, "say__2": None, "say__3": "COMPLETED",
            "loop.output": {"iteration": 3, "3": {"say": {}}}},
           condition=WHILE, inputs={"keepLastN": 1}),
    # There is no bound.
    looped("a loop without an end is ended", {"loop": GIVEN_UP,
           "loop.reason": Part("after 5 iterations (maxIterations)")}, record=FORKS,
           condition="$.loop.iteration > 0", inputs={"maxIterations": 5}),
    # There the inner tasks of the second round take the names of those of the first.
    looped("the tasks of a loop within a loop have both numbers", {"say__2__1": "COMPLETED",
           "say__1__2": "COMPLETED", "inner__2.output.iteration": 2}, over=[1, 2], record=FORKS,
           body=[task("inner", "DO_WHILE", items=[1, 2], loopOver=[task("say", "NOOP")])]),
)  # fmt: skip


@pytest.mark.parametrize("row", LOOPS, ids=ids)
def test_loops(row: Row) -> None:
    check(row)
