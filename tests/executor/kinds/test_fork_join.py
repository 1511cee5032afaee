"""FORK_JOIN, JOIN and EXCLUSIVE_JOIN."""

from __future__ import annotations

from collections import Counter

import pytest

from services.executor.core.events import Retried
from services.executor.core.model import Json
from services.executor.kinds import KINDS
from tests.executor.core.counting import Counting
from tests.executor.core.simulator import Simulator, answer, http, task, workflow


def forked(branches: int) -> list[dict[str, Json]]:
    ends: list[Json] = [f"b{number}" for number in range(branches)]
    tasks: list[Json] = [[http(f"a{number}"), http(f"b{number}")] for number in range(branches)]
    return [
        task("fork", "FORK_JOIN", forkTasks=tasks),
        task("join", "JOIN", joinOn=ends),
        task("end", "NOOP"),
    ]


def test_a_fork_runs_side_by_side_and_a_join_waits_for_all() -> None:
    run = Simulator(workflow(*forked(2))).begin()
    assert set(run.execution.tasks) == {"fork", "a0", "a1", "join"}
    run.answers("a1", answer())
    run.answers("b1", answer({"n": 1}))
    run.crash()
    assert run.task("join").open == 1
    run.answers("a0", answer())
    assert run.task("join").status == "IN_PROGRESS"
    run.answers("b0", answer({"n": 0}))

    assert run.status == "COMPLETED"
    assert run.task("join").output == {"b0": run.task("b0").output, "b1": run.task("b1").output}


def test_a_branch_that_fails_ends_the_rest_and_can_be_retried() -> None:
    run = Simulator(workflow(*forked(2))).begin()
    run.answers("a0", answer(status=500))
    assert [run.task(ref).status.value for ref in ("a1", "join")] == ["CANCELED", "CANCELED"]
    run.happens(Retried())

    assert run.task("join").status == "IN_PROGRESS"
    for ref in ("a0", "a1", "b0", "b1"):
        run.answers(ref, answer())
    assert run.status == "COMPLETED"
    assert (run.task("join").attempt, run.task("a0").attempt) == (0, 1)


@pytest.mark.parametrize("order", [("a0", "b0", "b1"), ("b0", "a0", "b1")])
def test_a_join_waits_for_all_that_a_retry_runs_again(order: tuple[str, ...]) -> None:
    fork, *rest = forked(2)
    first = http("a0", None, permissive=True)
    fork["forkTasks"] = [[first, http("b0")], [http("a1"), http("b1")]]
    run = Simulator(workflow(fork, *rest)).begin()
    run.answers("a1", answer())
    run.answers("a0", answer(status=500))
    run.answers("b0", answer(status=500))
    run.happens(Retried())
    for ref in order:
        assert run.task("join").status == "IN_PROGRESS"
        run.answers(ref, answer())

    assert run.status == "COMPLETED"
    assert {row.status for row in run.execution.tasks.values()} == {"COMPLETED"}


def test_a_branch_that_is_retried_behind_its_join_is_waited_for() -> None:
    fork, *rest = forked(2)
    first = http("a0", None, permissive=True)
    fork["forkTasks"] = [[first, http("b0")], [http("a1"), http("b1")]]
    run = Simulator(workflow(fork, *rest)).begin()
    for ref in ("a0", "a1", "b0", "b1"):
        run.answers(ref, answer(status=500 if ref == "a0" else 200))
    assert run.status == "FAILED"
    run.happens(Retried())
    assert run.status == "RUNNING"
    run.answers("a0", answer())

    assert run.status == "COMPLETED"


def test_a_wide_fork_costs_one_small_step_a_branch() -> None:
    asked: Counter[str] = Counter()
    kinds = {name: Counting(kind, asked) for name, kind in KINDS.items()}
    run = Simulator(workflow(*forked(2_000)), kinds=kinds).begin()
    assert asked == {"begin": 2_002}
    asked.clear()
    touched = 0
    for number in range(2_000):
        touched += len(run.answers(f"a{number}", answer()).changed)
        touched += len(run.answers(f"b{number}", answer()).changed)

    assert run.status == "COMPLETED"
    assert asked == {"performed": 4_000, "begin": 2_001, "joined": 1}
    # The task and its successor; the task, the fork and the join; at last the end.
    assert touched == 2_000 * 2 + 2_000 * 3 + 1


def test_a_join_does_not_wait_for_what_no_branch_leads_to() -> None:
    switch = task(
        "s", "SWITCH", {"v": "${workflow.input.way}"}, evaluatorType="value-param",
        expression="v", decisionCases={"far": [http("far")]},
    )  # fmt: skip
    flow = workflow(
        task("fork", "FORK_JOIN", forkTasks=[[switch], [http("other")]]),
        task("join", "JOIN", joinOn=["far", "other"]),
    )
    run = Simulator(flow, {"way": "near"}).begin()
    assert run.task("join").status == "IN_PROGRESS"
    run.answers("other", answer({"n": 1}))

    assert run.status == "COMPLETED"
    assert run.task("join").output == {"other": run.task("other").output}


def test_a_join_on_some_lets_the_flow_go_on_before_the_others() -> None:
    flow = workflow(
        task("fork", "FORK_JOIN", forkTasks=[[http("quick")], [http("slow")]]),
        task("join", "JOIN", joinOn=["quick"]),
        http("next"),
    )
    run = Simulator(flow).begin()
    run.answers("quick", answer())
    run.answers("next", answer())
    assert run.status == "RUNNING"
    run.crash()
    run.answers("slow", answer())

    assert run.status == "COMPLETED"


def test_a_permissive_failure_fails_the_join_after_all_have_ended() -> None:
    flow = workflow(
        task("fork", "FORK_JOIN", forkTasks=[[http("a", None, permissive=True)], [http("b")]]),
        task("join", "JOIN", joinOn=["a", "b"]),
    )
    run = Simulator(flow).begin()
    run.answers("a", answer(status=500))
    assert run.task("join").status == "IN_PROGRESS"
    run.answers("b", answer())

    assert (run.task("join").status, run.status) == ("FAILED", "FAILED")
    assert run.task("join").reason == run.task("a").reason
    run.happens(Retried())
    run.answers("a", answer())
    assert (run.task("join").status, run.status) == ("COMPLETED", "COMPLETED")


def test_an_optional_failure_leaves_the_join_completed_with_errors() -> None:
    flow = workflow(
        task("fork", "FORK_JOIN", forkTasks=[[http("a", None, optional=True)], [http("b")]]),
        task("join", "JOIN", joinOn=["a", "b"]),
    )
    run = Simulator(flow).begin()
    run.answers("a", answer(status=500))
    run.answers("b", answer())

    assert (run.task("join").status, run.status) == ("COMPLETED_WITH_ERRORS", "COMPLETED")
    assert run.task("join").reason == f"a/{run.task('a').id} completed with errors"


def test_a_fork_within_a_round_of_a_loop_is_joined_there() -> None:
    flow = workflow(
        task(
            "loop",
            "DO_WHILE",
            loopCondition="$.loop.iteration < 2",
            loopOver=[
                task("fork", "FORK_JOIN", forkTasks=[[http("a")], [http("b")]]),
                task("join", "JOIN", joinOn=["a", "b"]),
            ],
        )
    )
    run = Simulator(flow).begin()
    for round in (1, 2):
        for ref in ("a", "b"):
            run.crash()
            run.answers(f"{ref}__{round}", answer({"n": round}))

    assert run.status == "COMPLETED"
    assert run.task("join__2").output == {ref: run.task(ref).output for ref in ("a__2", "b__2")}


def test_a_fork_whose_branches_are_empty_is_passed() -> None:
    nothing: list[Json] = [[], []]
    flow = workflow(
        task("fork", "FORK_JOIN", forkTasks=nothing), task("join", "JOIN", joinOn=["gone"])
    )
    assert Simulator(flow).begin().status == "COMPLETED"


def chosen(way: str) -> list[dict[str, Json]]:
    cases: dict[str, Json] = {"a": [http("a")], "b": [http("b")]}
    return [
        http("before"),
        task("s", "SWITCH", {"v": way}, evaluatorType="value-param", expression="v",
             decisionCases=cases),
        task("join", "EXCLUSIVE_JOIN", joinOn=["a", "b"], defaultExclusiveJoinTask=["before"]),
    ]  # fmt: skip


@pytest.mark.parametrize("way", ["a", "b"])
def test_an_exclusive_join_has_the_output_of_the_branch_that_was_taken(way: str) -> None:
    run = Simulator(workflow(*chosen(way))).begin()
    run.answers("before", answer({"way": "before"}))
    run.answers(way, answer({"way": way}))

    assert run.status == "COMPLETED"
    assert run.task("join").output == run.task(way).output


def test_an_exclusive_join_falls_back_to_its_default() -> None:
    run = Simulator(workflow(*chosen("none"))).begin()
    run.answers("before", answer({"way": "before"}))

    assert run.task("join").output == run.task("before").output


def test_an_exclusive_join_in_a_branch_waits_for_what_it_chose() -> None:
    flow = workflow(
        task("fork", "FORK_JOIN", forkTasks=[
            [http("a")], [task("x", "EXCLUSIVE_JOIN", joinOn=["gone", "a"]), http("after")],
        ]),
        task("join", "JOIN", joinOn=["a", "after"]),
    )  # fmt: skip
    run = Simulator(flow).begin()
    assert run.task("x").status == "IN_PROGRESS"
    run.answers("a", answer({"n": 1}))
    assert run.task("x").output == run.task("a").output
    run.answers("after", answer())
    assert run.status == "COMPLETED"
