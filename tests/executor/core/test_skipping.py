"""Tasks that are skipped before the flow comes to them."""

from __future__ import annotations

import pytest

from services.executor.core.events import Paused, Skipped
from services.executor.core.model import Json, Refused
from tests.executor.core.simulator import Simulator, answer, http, task, workflow
from tests.executor.core.test_rerun import fork, looped


def test_the_flow_goes_on_behind_it() -> None:
    run = Simulator(workflow(http("a"), http("b"), http("c", {"body": "${b.output.n}"}))).begin()
    run.happens(Skipped("b", {"given": 1}, {"n": 7}))

    skipped = run.task("b")
    assert (skipped.status, skipped.input, skipped.output) == ("SKIPPED", {"given": 1}, {"n": 7})
    run.crash()
    assert list(run.performs) == [run.task("a").id]
    run.answers("a", answer())
    assert run.request("c").body == 7
    run.answers("c", answer())
    assert run.status == "COMPLETED"


def test_the_last_one_may_be_skipped() -> None:
    run = Simulator(workflow(http("a"), http("b"))).begin()
    run.happens(Skipped("b", output={"n": 7}))
    run.answers("a", answer())

    assert (run.status, run.execution.output) == ("COMPLETED", {"n": 7})


def test_a_join_waits_until_the_flow_comes_there() -> None:
    run = Simulator(workflow(*fork([http("a1"), http("a2")], [http("b")]))).begin()
    run.happens(Skipped("a2", output={"n": 7}))
    run.answers("b", answer())
    assert run.task("join").status == "IN_PROGRESS"
    run.answers("a1", answer())

    assert run.status == "COMPLETED"
    output = run.task("join").output
    assert isinstance(output, dict)
    assert output["a2"] == {"n": 7}


def test_a_fork_may_be_skipped_with_its_branches() -> None:
    run = Simulator(workflow(http("first"), *fork([http("a")], [http("b")]))).begin()
    run.happens(Skipped("fork"))
    run.answers("first", answer())

    assert run.status == "COMPLETED"
    assert sorted(run.execution.tasks) == ["first", "fork", "join"]


def test_in_a_loop_it_is_the_one_of_this_round_or_of_a_round_that_is_named() -> None:
    run = Simulator(workflow(looped(http("a"), http("b"), items=["x", "y", "z"]))).begin()
    run.happens(Skipped("b"))
    run.happens(Skipped("b__3"))
    run.answers("a__1", answer())
    run.answers("a__2", answer())
    with pytest.raises(Refused, match="is over"):
        run.happens(Skipped("a__0"))
    run.answers("b__2", answer())
    run.answers("a__3", answer())

    assert run.status == "COMPLETED"
    statuses = [run.task(f"b__{number}").status for number in (1, 2, 3)]
    assert statuses == ["SKIPPED", "COMPLETED", "SKIPPED"]


@pytest.mark.parametrize("ref", ["none", "a__1", "loop__2__3", "b__1__1", ""])
def test_what_is_not_in_the_workflow_is_not_found(ref: str) -> None:
    run = Simulator(workflow(http("a"), looped(http("b"), items=["x"]))).begin()
    with pytest.raises(Refused) as caught:
        run.happens(Skipped(ref))
    assert caught.value.missing


def test_what_was_reached_or_skipped_or_does_not_run_is_refused() -> None:
    run = Simulator(workflow(http("a"), http("b"))).begin()
    with pytest.raises(Refused, match="it is IN_PROGRESS; only what is not reached yet"):
        run.happens(Skipped("a"))
    run.happens(Skipped("b"))
    with pytest.raises(Refused, match="it is SKIPPED"):
        run.happens(Skipped("b"))
    run.happens(Paused())
    with pytest.raises(Refused, match="it is PAUSED"):
        run.happens(Skipped("b"))


def test_an_output_that_no_document_can_hold_is_refused() -> None:
    run = Simulator(workflow(http("a"), http("b"))).begin()
    deep: Json = []
    for _ in range(800):
        deep = [deep]
    with pytest.raises(Refused, match="nest deeper"):
        run.happens(Skipped("b", output={"deep": deep}))


def test_a_condition_that_goes_another_way_leaves_it_where_it_is() -> None:
    switch = task("s", "SWITCH", {"x": "2"}, evaluatorType="value-param", expression="x",
                  decisionCases={"1": [http("one")]})  # fmt: skip
    run = Simulator(workflow(http("a"), switch)).begin()
    run.happens(Skipped("one"))
    run.answers("a", answer())

    assert run.status == "COMPLETED"
