"""Tasks side by side: FORK_JOIN, FORK_JOIN_DYNAMIC in its three forms, JOIN and EXCLUSIVE_JOIN."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from services.executor.core.model import Json
from services.executor.core.scope import shown_kind
from services.executor.kinds import with_branches
from tests.executor.conductor.rows import (
    FORKS,
    RECORDS,
    SMALLER,
    Act,
    Fields,
    Part,
    Row,
    check,
    ids,
    said,
    taken,
    worker_says,
)
from tests.executor.core.simulator import Simulator, task, workflow

Shows = Mapping[str, Json | Part]


def wait(ref: str, **more: Json) -> dict[str, Json]:
    return task(ref, "WAIT", **more)


def forked(rule: str, shows: Shows, *after: Act, record: str = "", first: Fields | None = None,
           join: Fields | None = None, joined: Json = None) -> Row:  # fmt: skip
    """Branches ``a``, of which ``first`` are fields, and ``b`` then ``c``; a join of a and c."""
    fork = task("fork", "FORK_JOIN", forkTasks=[[wait("a", **(first or {}))], [wait("b"),
                wait("c")]])  # fmt: skip
    joins = task("join", "JOIN", joinOn=joined or ["a", "c"], **(join or {}))
    return Row(rule, workflow(fork, joins, task("next", "NOOP")), shows, after, record)


DONE = (said("a", "COMPLETED", {"n": 1}), said("b", "COMPLETED", {"n": 2}))
GIVEN_UP = "FAILED_WITH_TERMINAL_ERROR"
SIDE_BY_SIDE = (
    forked("a fork is done at once, and begins each branch and its join",
           {"fork": "COMPLETED", "a": "IN_PROGRESS", "b": "IN_PROGRESS", "c": None,
            "join": "IN_PROGRESS"}),
    forked("a join waits until all have ended", {"join": "IN_PROGRESS", "next": None}, *DONE),
    forked("its output is theirs, by reference",
           {"join": "COMPLETED", "join.output": {"a": {"n": 1}, "c": {"n": 3}},
            "next": "COMPLETED"}, *DONE, said("c", "COMPLETED", {"n": 3})),
    forked("but for those that gave nothing", {"join.output": {"a": {"n": 1}}}, *DONE,
           said("c", "COMPLETED", {})),
    forked("a failure ends the join and what runs beside it at once",
           {"workflow": "FAILED", "join": "CANCELED", "b": "CANCELED"}, said("a", GIVEN_UP)),
    forked("a permissive one only when all have ended", {"join": "IN_PROGRESS"},
           said("a", GIVEN_UP), said("b", "COMPLETED"), first={"permissive": True}),
    forked("and then with its reason", {"join": "FAILED", "join.reason": "no", "workflow": "FAILED",
                                        "next": None},
           said("a", GIVEN_UP, None, "no"), said("b", "COMPLETED"), said("c", "COMPLETED"),
           first={"permissive": True}),
    forked("cancelled tasks alone cancel it", {"join": "CANCELED", "workflow": "TERMINATED"},
           said("a", "CANCELED"), said("b", "COMPLETED"), said("c", "COMPLETED"),
           first={"permissive": True}),
    forked("an optional failure leaves it with errors, which name the task",
           {"join": "COMPLETED_WITH_ERRORS", "join.reason": Part("a/"), "workflow": "COMPLETED"},
           said("a", GIVEN_UP), said("b", "COMPLETED"), said("c", "COMPLETED"),
           first={"optional": True}),
    forked("what it says of them", {"join.reason": Part("completed with errors")},
           said("a", GIVEN_UP), said("b", "COMPLETED"), said("c", "COMPLETED"),
           first={"optional": True}),
    # There it looks again and again, with longer and longer waits.
    *(
        forked(f"{mode} of it is evaluated as soon as a task has ended", {"join": "COMPLETED"},
               *DONE, said("c", "COMPLETED"), join={"joinMode": mode}, record=FORKS)
        for mode in ("SYNC", "ASYNC")
    ),
    forked("what it waits for stands in its definition only", {"join.input": {}}, record=SMALLER),
    forked("a join on some does not wait for the others", {"next": "COMPLETED",
           "workflow": "RUNNING"}, said("a", "COMPLETED"), joined=["a"]),
)  # fmt: skip


def dynamic(rule: str, inputs: Json, shows: Shows, *after: Act, record: str = "",
            form: Fields | None = None) -> Row:  # fmt: skip
    """A dynamic fork, and its join; ``form`` are fields of the fork."""
    flow = workflow(task("fork", "FORK_JOIN_DYNAMIC", inputs, **(form or {})), task("join", "JOIN"),
                    task("next", "NOOP"))  # fmt: skip
    return Row(rule, flow, shows, after, record, known={"charge": {"name": "charge"}})


ITEMS: dict[str, Json] = {"forkTaskInputs": [{"n": 1}, "two"], "forkTaskName": "charge"}
LISTED: dict[str, Json] = {"dynamicForkTasksParam": "tasks",
                           "dynamicForkTasksInputParamName": "given"}  # fmt: skip
TWO: list[Json] = [task("x", "WAIT"), task("y", "WAIT")]
OLDER: dict[str, Json] = {"dynamicForkJoinTasksParam": "older"}
OLD: dict[str, Json] = {"dynamicTasks": [
    {"taskName": "charge", "referenceName": "p", "input": {"n": 1}},
    {"taskName": "w", "referenceName": "q", "type": "WAIT"},
    {"workflowName": "child", "referenceName": "r"},
]}  # fmt: skip


def failing(rule: str, inputs: Json, reason: str, form: Fields | None = None) -> Row:
    # There the execution fails without a task that says why.
    shows: Shows = {"fork.reason": Part(reason), "fork": GIVEN_UP, "workflow": "FAILED"}
    return dynamic(rule, inputs, shows, record=SMALLER, form=form)


MADE_OF_INPUT = (
    dynamic("a task for each item, which waits for a worker where no type is given", ITEMS,
            {"_charge_0": "SCHEDULED", "_charge_1.queue": ":charge", "_charge_2": None}),
    dynamic("each is given its item, with its place; what is no object as input", ITEMS,
            {"_charge_0.input": {"n": 1, "__index": 0},
             "_charge_1.input": {"input": "two", "__index": 1}}),
    dynamic("or of a type that is built in", {**ITEMS, "forkTaskType": "NOOP"},
            {"_charge_1": "COMPLETED", "join": "COMPLETED"}),
    dynamic("or a workflow, whose version is a text", {**ITEMS, "forkTaskWorkflow": "child",
            "forkTaskWorkflowVersion": "3"}, {"started": ["child", "child"],
            "_child_0.kind": "SUB_WORKFLOW", "_child_1.step": "_child_1"}),
    dynamic("the branches are optional where the fork is", ITEMS,
            {"workflow": "COMPLETED", "join": "COMPLETED_WITH_ERRORS"},
            *(act for ref in ("_charge_0", "_charge_1")
              for act in (taken(ref), worker_says(ref, GIVEN_UP))), form={"optional": True}),
    dynamic("the names of its branches are noted", ITEMS,
            {"fork.input.forkedTasks": ["_charge_0", "_charge_1"]}),
    # There the definitions stand beside them, a copy for each branch.
    dynamic("what they were made of is not", ITEMS, {"fork.input.forkedTaskDefs": None},
            record=SMALLER),
    dynamic("an empty list is joined at once", {**ITEMS, "forkTaskInputs": []},
            {"fork": "COMPLETED", "join": "COMPLETED", "join.output": {}, "next": "COMPLETED"}),
    dynamic("tasks as a definition has them, with inputs by reference",
            {"tasks": TWO, "given": {"y": {"k": 2}}},
            {"x": "IN_PROGRESS", "y.input": {"k": 2}, "x.input": {}}, form=LISTED),
    dynamic("its join waits for all of them", {"tasks": TWO, "given": {}},
            {"join": "IN_PROGRESS"}, said("x", "COMPLETED"), form=LISTED),
    dynamic("and has what they gave", {"tasks": TWO, "given": {}},
            {"join.output": {"x": {"n": 1}, "y": {"n": 2}}},
            said("x", "COMPLETED", {"n": 1}), said("y", "COMPLETED", {"n": 2}), form=LISTED),
    dynamic("the older form has tasks and inputs in one", {"older": OLD},
            {"p.queue": ":charge", "p.input": {"n": 1}, "q": "IN_PROGRESS", "started": ["child"]},
            form=OLDER),
    failing("a list of tasks that is none", {"tasks": 7, "given": {}},
            "Input 'tasks' is invalid. Cannot deserialize a list of Workflow Tasks from",
            form=LISTED),
    failing("inputs that are no map", {"tasks": TWO, "given": [1]},
            "Input to the dynamically forked tasks is not a map -> expecting a map of K,V  but "
            "found", form=LISTED),
    failing("a reference that stands twice", {"tasks": [TWO[0], TWO[0]], "given": {}},
            "'x' is there already", form=LISTED),
    failing("one that the workflow has already", {"tasks": [task("next", "NOOP")], "given": {}},
            "'next' is there already", form=LISTED),
    failing("items that are no list", {**ITEMS, "forkTaskInputs": "text"},
            "forkTaskInputs must be a list"),
)  # fmt: skip


def exclusive(rule: str, way: str, shows: Shows, *after: Act, record: str = "",
              **more: Json) -> Row:  # fmt: skip
    """A SWITCH with branches a and b, each a WAIT, and an exclusive join of both."""
    cases: dict[str, Json] = {"a": [wait("a")], "b": [wait("b")], "none": []}
    flow = workflow(
        task("before", "INLINE", {"expression": "n", "n": 0, "evaluatorType": "value-param"}),
        task("s", "SWITCH", {"v": way}, evaluatorType="value-param", expression="v",
             decisionCases=cases),
        task("join", "EXCLUSIVE_JOIN", joinOn=["a", "b"], **more), task("next", "NOOP"),
    )  # fmt: skip
    return Row(rule, flow, shows, after, record)


EXCLUSIVE = (
    *(
        exclusive(f"it has the output of the branch that was taken: {way}", way,
                  {"join": "COMPLETED", "join.output": {"n": 1}},
                  said(way, "COMPLETED", {"n": 1}))
        for way in ("a", "b")
    ),
    exclusive("where none was, that of its default", "none", {"join.output": {"result": 0}},
              defaultExclusiveJoinTask=["before"]),
    exclusive("without one it has none", "none", {"join": "COMPLETED", "next": "COMPLETED"}),
)  # fmt: skip


@pytest.mark.parametrize("row", [*SIDE_BY_SIDE, *MADE_OF_INPUT, *EXCLUSIVE], ids=ids)
def test_branches(row: Row) -> None:
    check(row)


@pytest.mark.parametrize("row", [SIDE_BY_SIDE[0], MADE_OF_INPUT[0]], ids=ids)
def test_a_fork_is_known_as_one_whatever_made_its_branches(row: Row) -> None:
    run = Simulator(row.flow)
    run.definitions.update(row.known)
    assert shown_kind(run.begin().task("fork")) == "FORK"


@pytest.mark.parametrize(
    "fork",
    [task("fork", "FORK_JOIN_DYNAMIC", {**ITEMS, "forkTaskInputs": [1, 2, 3]}),
     task("fork", "FORK_JOIN", forkTasks=[[wait(ref)] for ref in "abc"])],
    ids=["dynamic", "static"],
)  # fmt: skip
@pytest.mark.parametrize(("most", "status"), [(3, "RUNNING"), (2, "FAILED")])
def test_a_fork_has_no_more_branches_than_are_allowed(
    fork: dict[str, Json], most: int, status: str
) -> None:
    # There is no bound.
    flow = workflow(fork, task("join", "JOIN"))
    run = Simulator(flow, kinds=with_branches(most)).begin()
    assert run.status == status
    if status == "FAILED":
        reason = run.task("fork").reason
        assert "It would have 3 branches, and 2 are allowed" in reason
        assert "PODIUM_EXECUTOR_BRANCHES" in reason
    assert (RECORDS / SMALLER).is_file()


def test_a_second_dynamic_fork_of_the_same_task_has_other_names() -> None:
    first, second = (task(ref, "FORK_JOIN_DYNAMIC", ITEMS) for ref in ("one", "two"))
    flow = workflow(first, task("j1", "JOIN"), second, task("j2", "JOIN"))
    done = [act for ref in ("_charge_0", "_charge_1")
            for act in (taken(ref), worker_says(ref, "COMPLETED"))]  # fmt: skip
    check(Row("names", flow, {"_two_charge_0": "SCHEDULED", "_two_charge_1": "SCHEDULED"},
              tuple(done), known={"charge": {}}))  # fmt: skip


def test_an_exclusive_join_fails_with_what_it_joined() -> None:
    # What fails for good ends the whole before it: only a permissive task comes so far.
    flow = workflow(wait("a", permissive=True), task("join", "EXCLUSIVE_JOIN", joinOn=["a"]))
    check(Row("fails", flow, {"join": "FAILED", "join.reason": "no", "workflow": "FAILED"},
              (said("a", GIVEN_UP, None, "no"),)))  # fmt: skip


def test_a_join_within_a_round_names_what_it_joined_by_the_round() -> None:
    fork = task("fork", "FORK_JOIN", forkTasks=[[wait("a")], [wait("b")]])
    loop = task("loop", "DO_WHILE", items=[1], loopOver=[fork, task("join", "JOIN",
                joinOn=["a", "b"])])  # fmt: skip
    done = (said("a__1", "COMPLETED", {"n": 1}), said("b__1", "COMPLETED", {"n": 2}))
    check(Row("round", workflow(loop), {"join__1.output": {"a__1": {"n": 1}, "b__1": {"n": 2}}},
              done))  # fmt: skip
