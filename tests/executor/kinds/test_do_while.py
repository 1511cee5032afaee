"""DO_WHILE."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from services.executor.core.events import Retried
from services.executor.core.model import Json
from tests.executor.core.simulator import Simulator, answer, http, task, workflow


def _iteration(scope: Mapping[str, Json]) -> Json:
    loop = scope["loop"]
    assert isinstance(loop, dict)
    return loop["iteration"]


def looped(*block: dict[str, Json]) -> list[dict[str, Json]]:
    tasks: list[Json] = [*block]
    return [task("loop", "DO_WHILE", loopOver=tasks, loopCondition="$.loop.iteration < 3 && true"),
            task("end", "INLINE", {"expression": "n", "evaluatorType": "value-param",
                                   "n": "${say.output}"})]  # fmt: skip


def test_a_loop_numbers_its_tasks_and_sees_its_latest_round() -> None:
    switch = task("s", "SWITCH", {"v": "x"}, evaluatorType="value-param", expression="v",
                  decisionCases={"x": [http("deep", {"body": "${say.output.body}"})]})  # fmt: skip

    def less_than_three(source: str, scope: Mapping[str, Json]) -> Json:
        return _iteration(scope) in (1, 2)

    flow = workflow(*looped(http("say"), switch))
    run = Simulator(flow, judge=less_than_three).begin()
    keys = set()
    for number in (1, 2, 3):
        keys.add(run.request(f"say__{number}").idempotency_key)
        run.answers(f"say__{number}", answer({"n": number}))
        assert run.request(f"deep__{number}").body == {"n": number}
        assert run.task(f"deep__{number}").iteration == number
        run.answers(f"deep__{number}", answer())
        run.crash()

    assert run.status == "COMPLETED"
    assert len(keys) == 3
    loop = run.task("loop").output
    assert isinstance(loop, dict)
    assert list(loop) == ["1", "2", "3", "iteration"]
    assert loop["2"] == {
        "say": run.task("say__2").output,
        "s": run.task("s__2").output,
        "deep": run.task("deep__2").output,
    }
    output = run.execution.output
    assert isinstance(output, dict)
    assert output["result"] == run.task("say__3").output


def test_a_round_that_fails_is_retried_within_its_loop() -> None:
    run = Simulator(workflow(*looped(http("say"))), judge=lambda s, c: False).begin()
    run.answers("say__1", answer(status=500))
    assert run.status == "FAILED"
    run.happens(Retried())
    run.answers("say__1", answer())

    assert run.status == "COMPLETED"


def test_a_loop_whose_condition_failed_asks_it_again_when_it_is_retried() -> None:
    verdicts = iter((ArithmeticError("it throws"), False))

    def judge(source: str, scope: Mapping[str, Json]) -> Json:
        verdict = next(verdicts)
        if isinstance(verdict, ArithmeticError):
            raise verdict
        return verdict

    run = Simulator(workflow(*looped(http("say"))), judge=judge).begin()
    run.answers("say__1", answer())
    assert run.status == "FAILED"
    run.happens(Retried())

    assert run.status == "COMPLETED"


def over(items: Json, *block: dict[str, Json], **more: Json) -> list[dict[str, Json]]:
    return [task("loop", "DO_WHILE", loopOver=[*block], items=items, **more)]


def test_a_loop_over_a_list_has_each_item_in_turn() -> None:
    say = http("say", {"body": "${loop.output.loopIndex}: ${loop.output.loopItem}"})
    run = Simulator(workflow(*over("${workflow.input.names}", say)), {"names": ["x", "y"]}).begin()
    for number, said in ((1, "0: x"), (2, "1: y")):
        assert run.request(f"say__{number}").body == said
        run.answers(f"say__{number}", answer())
        run.crash()

    assert run.status == "COMPLETED"
    output = run.task("loop").output
    assert isinstance(output, dict)
    assert (output["iteration"], output["loopIndex"], output["loopItem"]) == (2, 1, "y")


def test_a_loop_over_an_empty_list_runs_nothing() -> None:
    run = Simulator(workflow(*over("${workflow.input.names}", http("say"))), {"names": []}).begin()
    assert run.status == "COMPLETED"
    assert run.task("loop").output == {"iteration": 0}


@pytest.mark.parametrize(
    ("value", "reason"),
    [("text", "items must be a list, not a string."),
     ({"a": 1}, "items must be a list, not an object."),
     (None, "items must be a list, and it is null: what it names is not there.")],
)  # fmt: skip
def test_a_loop_over_no_list_says_so(value: Json, reason: str) -> None:
    run = Simulator(workflow(*over("${workflow.input.x}", task("say", "NOOP"))), {"x": value})
    run.begin()
    assert (run.task("loop").reason, run.task("loop").status.successful) == (reason, False)
    assert "say__1" not in run.execution.tasks


def test_a_list_and_a_condition_must_both_hold() -> None:
    more: dict[str, Json] = {"loopCondition": "$.loop.iteration < 2"}
    run = Simulator(workflow(*over([1, 2, 3], task("say", "NOOP"), **more))).begin()
    output = run.task("loop").output
    assert isinstance(output, dict)
    assert output["iteration"] == 2


def test_only_the_last_rounds_are_kept() -> None:
    loop = task("inner", "DO_WHILE", loopCondition="$.inner.iteration < 2",
                loopOver=[task("deep", "NOOP")])  # fmt: skip
    run = Simulator(workflow(*over([1, 2, 3, 4], http("say"), loop, keepLastN=2))).begin()
    for number in range(1, 5):
        run.answers(f"say__{number}", answer(status=200))
        run.reread()

    assert run.status == "COMPLETED"
    output = run.task("loop").output
    assert isinstance(output, dict)
    assert list(output) == ["3", "4", "iteration", "loopIndex", "loopItem"]
    assert {row.ref for row in run.rows.values()} == {
        "loop", *(f"{ref}__{n}" for ref in ("say", "inner", "deep__1", "deep__2") for n in (3, 4)
                  if not ref.startswith("deep")),
        *(f"deep__{n}__{m}" for n in (3, 4) for m in (1, 2)),
    }  # fmt: skip


def test_a_loop_without_end_is_ended() -> None:
    flow = workflow(task("loop", "DO_WHILE", loopCondition="$.loop.iteration > 0",
                         maxIterations=5, loopOver=[task("say", "NOOP")]))  # fmt: skip
    run = Simulator(flow).begin()
    assert run.task("loop").status == "FAILED_WITH_TERMINAL_ERROR"
    assert run.task("loop").reason == "It would go on after 5 iterations (maxIterations)."


@pytest.mark.parametrize("value", [-1, 0, "many", True])
def test_a_number_of_rounds_that_is_none_is_refused(value: Json) -> None:
    flow = workflow(task("loop", "DO_WHILE", {"keepLastN": value}, loopCondition="false",
                         loopOver=[task("say", "NOOP")]))  # fmt: skip
    run = Simulator(flow).begin()
    assert run.task("loop").status == "FAILED_WITH_TERMINAL_ERROR"
    assert "keepLastN must be a whole number above 0" in run.task("loop").reason


@pytest.mark.parametrize(("value", "rounds"), [(True, 2), (1, 2), (0.5, 2), (0, 1), ("true", 1),
                                               ({}, 1), (None, 1), (-1, 1)])  # fmt: skip
def test_only_true_and_numbers_above_nothing_go_on(value: Json, rounds: int) -> None:
    def judge(source: str, scope: Mapping[str, Json]) -> Json:
        return value if _iteration(scope) == 1 else False

    run = Simulator(workflow(*looped(task("say", "NOOP"))), judge=judge).begin()
    output = run.task("loop").output
    assert isinstance(output, dict)
    assert output["iteration"] == rounds


def test_the_failure_of_a_task_is_the_loops() -> None:
    run = Simulator(workflow(*looped(http("say")))).begin()
    run.answers("say__1", answer(status=500))

    assert (run.task("loop").status, run.status) == ("FAILED", "FAILED")
    assert run.task("say__1").id in run.task("loop").reason


def test_an_optional_loop_is_passed_when_a_task_of_it_fails() -> None:
    fork = task("fork", "FORK_JOIN", forkTasks=[[http("a"), http("after")], [http("b")]])
    loop = task("loop", "DO_WHILE", loopCondition="false", optional=True,
                loopOver=[fork, task("join", "JOIN", joinOn=["a", "b"])])  # fmt: skip
    run = Simulator(workflow(loop, http("next"))).begin()
    run.answers("a__1", answer(status=500))

    assert run.task("loop").status == "COMPLETED_WITH_ERRORS"
    assert [run.task(f"{ref}__1").status for ref in ("b", "join")] == ["CANCELED", "CANCELED"]
    assert run.performs.keys() >= {run.task("next").id}
    run.crash()
    run.answers("next", answer())
    assert run.status == "COMPLETED"


def test_a_thousand_rounds_touch_a_few_tasks_each() -> None:
    flow = workflow(task("loop", "DO_WHILE", loopCondition="$.loop.iteration < 1000",
                         loopOver=[http("say")]))  # fmt: skip
    run = Simulator(flow).begin()
    touched = [len(run.answers(f"say__{number}", answer()).changed) for number in range(1, 1001)]
    # What answered, the loop, and the next one; at the end there is no next one.
    assert max(touched) == 3
    assert run.status == "COMPLETED"


def test_what_failed_in_a_round_that_was_dropped_has_failed() -> None:
    loop = task("l", "DO_WHILE", loopCondition="$.l.iteration < 3", keepLastN=1,
                loopOver=[http("h", permissive=True)])  # fmt: skip
    run = Simulator(workflow(loop, failureWorkflow="mend")).begin()
    run.answers("h__1", answer(status=500))
    run.answers("h__2", answer())
    run.answers("h__3", answer())

    assert run.status == "FAILED"
    assert run.execution.failed_refs == ("h__1",)
    assert run.execution.reason == "Task h__1 failed in a round that was dropped (keepLastN)"
    assert [each.workflow for each in run.started] == ["mend"]
