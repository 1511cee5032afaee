"""A rerun from one of the tasks: what begins anew, what stays, what waits again."""

from __future__ import annotations

import pytest

from services.executor.core.events import (
    ChildEnded,
    ChildReopened,
    Paused,
    Rerun,
    Restarted,
    Skipped,
)
from services.executor.core.model import ExecutionStatus, Json, Refused
from tests.executor.core.simulator import Simulator, answer, http, task, workflow
from tests.executor.kinds.test_sub_workflow import ends, sub


def done(*refs: str) -> Simulator:
    """A chain of calls that has completed."""
    run = Simulator(workflow(*(http(ref, {"body": f"${{{refs[0]}.output.body}}"}) for ref in refs)))
    run.begin()
    for ref in refs:
        run.answers(ref, answer({"of": ref}))
    assert run.status == "COMPLETED"
    return run


def refs(run: Simulator) -> list[str]:
    """Of its rows, in order."""
    return [row.ref for row in sorted(run.rows.values(), key=lambda row: row.sequence)]


def test_the_task_and_what_follows_begin_anew_and_what_was_before_stays() -> None:
    run = done("a", "b", "c")
    before, key = run.task("a"), run.task("b").id
    run.happens(Rerun("b"))

    assert (run.status, refs(run), run.task("a")) == ("RUNNING", ["a", "b"], before)
    assert run.task("b").id != key
    run.crash()
    run.answers("b", answer())
    run.answers("c", answer({"n": 2}))
    assert run.status == "COMPLETED"
    assert refs(run) == ["a", "b", "c"]


def test_what_it_sends_is_another_call_to_the_remote() -> None:
    run = Simulator(workflow(http("a"), http("b"))).begin()
    keys = [run.request("a").idempotency_key]
    run.answers("a", answer())
    run.answers("b", answer(status=400))
    for _ in range(2):
        run.happens(Rerun("a"))
        keys.append(run.request("a").idempotency_key)
        run.answers("a", answer(status=400))

    assert len(set(keys)) == 3


def test_its_input_is_what_is_given_and_a_retry_has_it_again() -> None:
    run = Simulator(workflow(http("a"), definitions={"a": {"retryCount": 1}})).begin()
    run.answers("a", answer(status=400))
    run.fires()
    run.answers("a", answer(status=400))
    given: Json = {"uri": "http://other/", "method": "PUT", "body": "${workflow.secrets.KEY}"}
    run.happens(Rerun("a", input=given))  # type: ignore[arg-type]

    assert run.request("a").uri == "http://other/"
    run.answers("a", answer(status=400))
    run.fires()
    assert (run.task("a").attempt, run.request("a").uri) == (1, "http://other/")
    run.answers("a", answer())
    assert run.status == "COMPLETED"


def test_no_secret_is_put_into_what_is_given() -> None:
    call = http("a", {"headers": {"Authorization": "${workflow.secrets.KEY}"}})
    run = Simulator(workflow(call)).begin()
    run.answers("a", answer())
    given: Json = {"uri": "http://elsewhere/${workflow.secrets.KEY}", "method": "GET"}
    run.happens(Rerun("a", input=given))  # type: ignore[arg-type]

    assert run.request("a").uri == "http://elsewhere/$${workflow.secrets.KEY}"


def test_an_earlier_attempt_names_its_task() -> None:
    run = Simulator(workflow(http("a"), definitions={"a": {"retryCount": 1}})).begin()
    first = run.task("a").id
    run.answers("a", answer(status=500))
    run.fires()
    run.answers("a", answer())
    run.happens(Rerun(task_id=first))

    assert run.task("a").attempt == 0
    assert run.task("a").id != first


def test_what_has_not_ended_or_is_not_there_is_refused() -> None:
    run = Simulator(workflow(http("a"))).begin()
    with pytest.raises(Refused, match="Allowed are pause, terminate"):
        run.happens(Rerun("a"))
    run.happens(Paused())
    with pytest.raises(Refused, match="PAUSED"):
        run.happens(Rerun("a"))
    run.answers("a", answer())
    again = done("a")
    for event in (Rerun("b"), Rerun(task_id="x")):
        with pytest.raises(Refused) as caught:
            again.happens(event)
        assert caught.value.missing
        assert caught.value.detail.endswith("not found")


def test_what_was_skipped_and_never_reached_is_refused() -> None:
    cases: Json = {"other": [*fork([http("a")]), http("b")]}
    choice = task("s", "SWITCH", inputParameters={"x": 1}, evaluatorType="value-param",
                  expression="x", decisionCases=cases, defaultCase=[])  # fmt: skip
    run = Simulator(workflow(choice, http("last"))).begin()
    run.happens(Skipped("join"))
    run.answers("last", answer())

    with pytest.raises(Refused, match="join was never reached"):
        run.happens(Rerun("join"))


def fork(*branches: list[dict[str, Json]]) -> list[dict[str, Json]]:
    joined: Json = [branch[-1]["taskReferenceName"] for branch in branches]
    return [
        task("fork", "FORK_JOIN", forkTasks=list[Json](map(list[Json], branches))),
        task("join", "JOIN", joinOn=joined),
    ]


def test_other_branches_of_a_fork_stay_and_the_join_waits_again() -> None:
    flow = workflow(*fork([http("a1"), http("a2")], [http("b1"), http("b2")]), http("after"))
    run = Simulator(flow).begin()
    for ref in ("a1", "b1", "a2", "b2", "after"):
        run.answers(ref, answer({"of": ref}))
    join = run.task("join").id
    run.happens(Rerun("a1"))

    assert set(refs(run)) == {"fork", "join", "b1", "b2", "a1"}
    assert (run.task("join").status, run.task("join").id) == ("IN_PROGRESS", join)
    run.crash()
    run.answers("a1", answer())
    run.answers("a2", answer({"n": 2}))
    run.answers("after", answer())
    assert run.status == "COMPLETED"
    output = run.task("join").output
    assert isinstance(output, dict)
    assert {ref: each["body"] for ref, each in output.items()} == {  # type: ignore[index, call-overload]
        "a2": {"n": 2}, "b2": {"of": "b2"}
    }  # fmt: skip


def test_what_was_cancelled_beside_it_runs_again_too() -> None:
    run = Simulator(workflow(*fork([http("a")], [http("b")]))).begin()
    run.answers("a", answer(status=400))
    assert (run.status, run.task("b").status) == ("FAILED", "CANCELED")
    run.happens(Rerun("a"))

    assert (run.task("a").attempt, run.task("b").attempt) == (0, 1)
    run.answers("a", answer())
    run.answers("b", answer())
    assert run.status == "COMPLETED"


def looped(*body: dict[str, Json], **more: Json) -> dict[str, Json]:
    return task("loop", "DO_WHILE", loopOver=list[Json](body), **more)


def test_a_loop_goes_on_from_the_round_of_the_task() -> None:
    loop = looped(http("a", {"body": "${loop.output.loopItem}"}), http("b"), items=["x", "y", "z"])
    run = Simulator(workflow(loop, http("after"))).begin()
    for number in (1, 2, 3):
        run.answers(f"a__{number}", answer())
        run.answers(f"b__{number}", answer())
    run.answers("after", answer())
    run.happens(Rerun("a__2"))

    assert refs(run) == ["loop", "a__1", "b__1", "a__2"]
    assert run.task("loop").output == {"iteration": 2, "loopIndex": 1, "loopItem": "y"}
    run.crash()
    assert run.request("a__2").body == "y"
    for ref in ("a__2", "b__2", "a__3", "b__3", "after"):
        run.answers(ref, answer())
    assert run.status == "COMPLETED"
    assert run.task("loop").round == 3


def test_a_loop_from_its_beginning_forgets_its_rounds() -> None:
    run = Simulator(workflow(looped(http("a"), items=["x", "y"]))).begin()
    run.answers("a__1", answer())
    run.answers("a__2", answer())
    run.happens(Rerun("loop"))

    assert refs(run) == ["loop", "a__1"]


def test_branches_made_at_run_time_may_be_others_the_next_time() -> None:
    inputs: Json = {
        "forkTaskName": "part", "forkTaskType": "HTTP", "forkTaskInputs": "${first.output.body}"
    }  # fmt: skip
    made = task("made", "FORK_JOIN_DYNAMIC", inputs)
    run = Simulator(workflow(http("first"), made, task("join", "JOIN"))).begin()
    parts: Json = [{"uri": f"http://x/{number}", "method": "GET"} for number in (0, 1)]
    run.answers("first", answer(parts))
    one, two = sorted(ref for ref in run.execution.tasks if ref.startswith("_part"))
    run.answers(one, answer())
    run.answers(two, answer())
    assert run.status == "COMPLETED"

    run.happens(Rerun(two))
    assert (run.task("join").status, run.task(one).status) == ("IN_PROGRESS", "COMPLETED")
    assert run.request(two).uri == "http://x/1"
    run.answers(two, answer())
    run.happens(Rerun("first"))
    run.crash()
    fewer: Json = [{"uri": "http://y/0", "method": "GET"}]
    run.answers("first", answer(fewer))
    assert run.request(one).uri == "http://y/0"
    run.answers(one, answer())
    assert (run.status, two in run.execution.tasks) == ("COMPLETED", False)


def test_another_case_may_be_taken_the_next_time() -> None:
    cases: Json = {"1": [http("one")], "2": [http("two")]}
    switch = task("s", "SWITCH", {"x": "${a.output.body}"}, evaluatorType="value-param",
                  expression="x", decisionCases=cases)  # fmt: skip
    run = Simulator(workflow(http("a"), switch, http("after"))).begin()
    for ref in ("a", "one", "after"):
        run.answers(ref, answer(1))
    run.happens(Rerun("a"))
    run.answers("a", answer(2))

    assert refs(run) == ["a", "s", "two"]
    run.answers("two", answer())
    run.answers("after", answer())
    run.happens(Rerun("two"))
    assert refs(run) == ["a", "s", "two"]


def test_what_runs_again_within_a_workflow_has_its_parent_wait_again() -> None:
    run = Simulator(workflow(sub("s"), http("after"))).begin()
    ends(run, "s", "COMPLETED", {"n": 1})
    run.answers("after", answer())
    child = run.task("s").id
    run.happens(ChildReopened(child))

    assert (run.status, refs(run), run.task("s").id) == ("RUNNING", ["s"], child)
    assert len(run.started) == 1
    run.crash()
    run.happens(ChildEnded(child, "child.1/x", ExecutionStatus.COMPLETED, {"n": 2}))
    output = run.task("s").output
    assert isinstance(output, dict)
    assert output["n"] == 2
    run.answers("after", answer())
    assert run.status == "COMPLETED"


def test_a_parent_that_has_gone_on_does_not_wait_again() -> None:
    run = Simulator(workflow(sub("s"), http("after"))).begin()
    ends(run, "s", "COMPLETED")
    before = run.execution
    assert run.happens(ChildReopened(run.task("s").id)).execution is before


def test_the_whole_runs_again_on_other_input_under_another_name() -> None:
    run = done("a", "b")
    run.happens(Restarted(input={"order": 2}, correlation_id="c-2"))

    assert (run.execution.input, run.execution.correlation_id) == ({"order": 2}, "c-2")
    assert refs(run) == ["a"]
