"""An application with grants sees the executions of its workflows, and acts on no others."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from podium.common.v1.page_pb2 import PageRequest
from podium.executor.v1 import (
    crowds_pb2,
    event_runs_pb2,
    executor_pb2 as pb,
    schedules_pb2,
)
from podium.worker.v1 import worker_pb2
from services.errors import NotFound, PermissionDenied
from services.executor.tally import Tally
from services.replica.copy import Place, Removed
from services.rpc import on_behalf_of, raising_ours
from tests.executor.eventing.test_dispatcher import handler, starting, telling, until_done
from tests.executor.kinds.test_sub_workflow import sub
from tests.executor.rig import ADMIN, Rig, executing, put, replica_of, step, workflow
from tests.executor.scheduling.test_scheduler import schedule, stopped, until_run
from tests.executor.test_access import application
from tests.executor.test_crowds import begin, limited as crowded
from tests.executor.test_livelist import ids, until, until_caught_up

ME = on_behalf_of("me")
ALL = ("READ", "EXECUTE")
ALPHA = workflow("alpha", step("hold", "WAIT"))
BETA = workflow("beta", step("hold", "WAIT"))
QUICK = workflow("quick", step("n", "NOOP"))


def me(*grants: tuple[str, str, str], **fields: Any) -> dict[str, Any]:
    return application("me", *grants, **fields)


def on(workflow: str, *accesses: str) -> list[tuple[str, str, str]]:
    return [("workflow", workflow, access) for access in accesses]


def tagged(name: str, *tags: str, version: int = 1) -> dict[str, Any]:
    return workflow(name, step("hold", "WAIT"), tags=list(tags), version=version)


async def both(rig: Rig, count: int = 2) -> tuple[list[str], list[str]]:
    """The ids of executions of alpha, and of beta, begun in turn."""
    begun: tuple[list[str], list[str]] = ([], [])
    for _ in range(count):
        begun[0].append(await rig.begin("alpha"))
        begun[1].append(await rig.begin("beta"))
    return begun


async def listed(rig: Rig, **fields: Any) -> pb.ListExecutionsResponse:
    with raising_ours():
        return await rig.stub.ListExecutions(pb.ListExecutionsRequest(**fields), metadata=ME)


async def test_a_list_has_and_counts_what_may_be_read(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [ALPHA, BETA, me(*on("alpha", "READ"))]) as rig:
        mine, _ = await both(rig, 3)
        all_ = await listed(rig, count_total=True)
        first = await listed(rig, count_total=True, page=PageRequest(page_size=2))
        rest = await listed(rig, page=PageRequest(page_size=2, page_token=first.next_page_token))
        running = await listed(rig, statuses=[pb.EXECUTION_STATUS_RUNNING], count_total=True)
        hidden = await listed(rig, query="wf:beta", count_total=True)
        other = await listed(rig, query="status:running or wf:beta", order_by="wf desc")

        assert [each.execution_id for each in all_.executions] == mine[::-1]
        assert (all_.total, all_.next_page_token) == (3, "")
        assert (first.total, running.total, hidden.total) == (3, 3, 0)
        pages = [*first.executions, *rest.executions]
        assert [each.execution_id for each in pages] == mine[::-1]
        assert rest.next_page_token == ""
        assert list(hidden.executions) == []
        assert {each.workflow_name for each in other.executions} == {"alpha"}


async def test_tasks_and_words_are_found_in_what_may_be_read(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [ALPHA, BETA, me(*on("alpha", "READ"))]) as rig:
        for name in ("alpha", "beta"):
            await rig.begin(name, input={"who": "grace"})
        tasks = await rig.stub.SearchTasks(pb.SearchTasksRequest(count_total=True), metadata=ME)
        words = await listed(rig, query="text:grace", count_total=True)

        assert [each.workflow_name for each in tasks.tasks] == ["alpha"]
        assert tasks.total == 1
        assert [each.workflow_name for each in words.executions] == ["alpha"]
        assert words.total == 1


def counts(responses: Sequence[pb.WatchExecutionsResponse]) -> dict[int, int]:
    """The last that were told."""
    told = [each.counts for each in responses if each.counts]
    return {each.status: each.count for each in told[-1] if each.count} if told else {}


def watch(rig: Rig, **fields: Any) -> Any:
    return rig.stub.WatchExecutions(pb.WatchExecutionsRequest(**fields), metadata=ME)


async def test_a_live_list_tells_of_what_may_be_read_and_of_nothing_else(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [ALPHA, BETA, QUICK, me(*on("alpha", "READ"))]) as rig:
        mine, others = await both(rig)
        call = watch(rig)
        snapshot = await until_caught_up(call)
        assert ids(snapshot) == mine[::-1]
        assert counts(snapshot) == {pb.EXECUTION_STATUS_RUNNING: 2}

        for each in (others[0], mine[0]):
            await rig.stub.TerminateExecution(
                pb.TerminateExecutionRequest(execution_id=each), metadata=ADMIN
            )
        await rig.stub.DeleteExecution(
            pb.DeleteExecutionRequest(execution_id=others[0]), metadata=ADMIN
        )
        told = await until(
            call, lambda found: counts(found).get(pb.EXECUTION_STATUS_TERMINATED) == 1
        )
        assert set(ids(told)) == {mine[0]}
        assert [each for response in told for each in response.gone_ids] == []
        call.cancel()


async def test_who_comes_back_is_told_of_nothing_else_either(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [ALPHA, BETA, me(*on("alpha", "READ"))]) as rig:
        mine, others = await both(rig)
        call = watch(rig, query="status:running")
        place = (await until_caught_up(call))[-1].resume
        call.cancel()
        for each in (*others, mine[0]):
            await rig.stub.TerminateExecution(
                pb.TerminateExecutionRequest(execution_id=each), metadata=ADMIN
            )
        call = watch(rig, query="status:running", resume=place)
        told = []
        async with asyncio.timeout(20):
            async for each in call:
                told.append(each)
                if each.caught_up:
                    break
        call.cancel()

        assert not any(each.compacted for each in told)
        assert [each for response in told for each in response.gone_ids] == [mine[0]]
        assert ids(told) == []


async def test_a_place_is_good_for_what_could_be_read_then(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [ALPHA, BETA, me(*on("alpha", "READ"))]) as rig:
        _, others = await both(rig)
        call = watch(rig)
        place = (await until_caught_up(call))[-1].resume
        call.cancel()
        put(rig.replica, me(*on("beta", "READ")))
        call = watch(rig, resume=place)
        told = await until_caught_up(call)
        call.cancel()

        assert told[0].compacted
        assert ids(told) == others[::-1]


async def test_a_live_list_begins_anew_when_other_workflows_may_be_read(tmp_path: Path) -> None:
    documents = [tagged("alpha", "eu"), tagged("beta"), me(("tag", "eu", "READ"))]
    async with executing(tmp_path / "x.db", documents) as rig:
        mine, others = await both(rig)
        call = watch(rig)
        assert ids(await until_caught_up(call)) == mine[::-1]

        put(rig.replica, tagged("beta", "eu", version=2))
        told = await until_caught_up(call)
        assert told[0].compacted
        assert set(ids(told)) == {*mine, *others}

        put(rig.replica, tagged("alpha", version=2))
        assert ids(await until_caught_up(call)) == others[::-1]

        rig.replica.apply([Removed("workflow", "beta", 0)], Place("epoch", 99))
        assert ids(await until_caught_up(call)) == []

        put(rig.replica, me(*on("alpha", "READ")))
        assert ids(await until_caught_up(call)) == mine[::-1]

        put(rig.replica, me(roles=["VIEWER"]))
        assert set(ids(await until_caught_up(call))) == {*mine, *others}

        put(rig.replica, me(*on("alpha", "EXECUTE")))
        with pytest.raises(PermissionDenied), raising_ours():
            await until_caught_up(call)


async def test_rights_that_change_all_the_time_leave_a_list_time_to_be_told(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "x.db", [ALPHA, BETA, me(*on("alpha", "READ"))]) as rig:
        mine = [await rig.begin("alpha") for _ in range(3)]

        async def change() -> None:
            for number in itertools.count():
                put(rig.replica, me(*on("alpha", "READ"), *on(f"other-{number}", "READ")))
                await asyncio.sleep(0)

        changing = asyncio.create_task(change())
        try:
            async with asyncio.timeout(20):
                told = await until_caught_up(watch(rig, recent=10))
        finally:
            changing.cancel()

        assert set(ids(told)) == set(mine)


async def test_who_has_a_role_is_counted_for_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with executing(tmp_path / "x.db", [ALPHA, BETA, me(roles=["VIEWER"])]) as rig:
        await both(rig)
        counted: list[str] = []
        was = Tally.counts

        def counts_(tally: Tally) -> Any:
            counted.append("tally")
            return was(tally)

        monkeypatch.setattr(Tally, "counts", counts_)
        assert (await listed(rig, count_total=True, page=PageRequest(page_size=1))).total == 4
        assert counted == ["tally"]


OPERATIONS: dict[str, Any] = {
    "PauseExecution": pb.PauseExecutionRequest,
    "ResumeExecution": pb.ResumeExecutionRequest,
    "ResetCallbacks": pb.ResetCallbacksRequest,
    "DecideExecution": pb.DecideExecutionRequest,
    "UpdateVariables": lambda **named: pb.UpdateVariablesRequest(variables='{"a": 1}', **named),
    "SignalExecution": pb.SignalExecutionRequest,
    "RestartExecution": pb.RestartExecutionRequest,
    "TerminateExecution": pb.TerminateExecutionRequest,
    "RetryExecution": pb.RetryExecutionRequest,
    "RerunExecution": pb.RerunExecutionRequest,
    "SkipTask": lambda **named: pb.SkipTaskRequest(ref="later", **named),
    "UpdateTask": lambda **named: pb.UpdateTaskRequest(
        ref="hold", status=pb.TASK_STATUS_COMPLETED, **named
    ),
    "DeleteExecution": lambda **named: pb.DeleteExecutionRequest(terminate=True, **named),
}
# As each can be done one after another.
LOOKS: dict[str, Any] = {
    "GetExecution": pb.GetExecutionRequest,
    "ListExecutionEvents": pb.ListExecutionEventsRequest,
}
TWO_STEPS = [step("hold", "WAIT"), step("later", "WAIT")]


async def called(rig: Rig, method: str, make: Any, execution_id: str) -> Any:
    with raising_ours():
        return await getattr(rig.stub, method)(make(execution_id=execution_id), metadata=ME)


async def test_each_operation_takes_execute_on_the_workflow(tmp_path: Path) -> None:
    flows = [workflow(name, *TWO_STEPS) for name in ("alpha", "beta", "gamma")]
    grants = me(*on("alpha", "EXECUTE"), *on("gamma", "READ"))
    async with executing(tmp_path / "x.db", [*flows, grants]) as rig:
        beta, gamma = await rig.begin("beta"), await rig.begin("gamma")
        for method, make in OPERATIONS.items():
            for hidden in (beta, "nobody"):
                with pytest.raises(NotFound, match="There is no execution") as caught:
                    await called(rig, method, make, hidden)
                assert caught.value.metadata == {"execution_id": hidden}, method
            with pytest.raises(PermissionDenied, match="no EXECUTE on the workflow of this"):
                await called(rig, method, make, gamma)
        mine = await rig.begin("alpha")
        for method in ("PauseExecution", "ResumeExecution", "UpdateVariables", "SkipTask"):
            await called(rig, method, OPERATIONS[method], mine)
        for method in ("ResetCallbacks", "DecideExecution", "SignalExecution"):
            await called(rig, method, OPERATIONS[method], mine)
        await rig.ended(mine)
        for method in ("RestartExecution", "UpdateTask"):
            await called(rig, method, OPERATIONS[method], mine)
        for method in ("TerminateExecution", "RetryExecution", "DeleteExecution"):
            await called(rig, method, OPERATIONS[method], mine)
        for execution_id in (beta, gamma):
            assert (await rig.get(execution_id)).state.status == pb.EXECUTION_STATUS_RUNNING


async def test_each_look_takes_read_on_the_workflow(tmp_path: Path) -> None:
    documents = [ALPHA, BETA, me(*on("alpha", "READ"))]
    async with executing(tmp_path / "x.db", documents) as rig:
        (mine,), (other,) = await both(rig, 1)
        logs = rig.workers.ListTaskLogs
        for method, make in LOOKS.items():
            await called(rig, method, make, mine)
            for hidden in (other, "nobody"):
                with pytest.raises(NotFound, match=f"There is no execution '{hidden}'"):
                    await called(rig, method, make, hidden)
        await logs(worker_pb2.ListTaskLogsRequest(execution_id=mine, ref="hold"), metadata=ME)
        for hidden in (other, "nobody"):
            with pytest.raises(NotFound, match=f"There is no execution '{hidden}'"), raising_ours():
                await logs(
                    worker_pb2.ListTaskLogsRequest(execution_id=hidden, ref="hold"), metadata=ME
                )
            with pytest.raises(NotFound), raising_ours():
                await anext(
                    aiter(
                        rig.stub.WatchExecution(
                            pb.WatchExecutionRequest(execution_id=hidden), metadata=ME
                        )
                    )
                )


async def operated(rig: Rig, **fields: Any) -> list[pb.OperateExecutionsResponse]:
    request = pb.OperateExecutionsRequest(operation=pb.OPERATION_PAUSE, **fields)
    with raising_ours():
        return [each async for each in rig.stub.OperateExecutions(request, metadata=ME)]


async def test_many_are_operated_on_among_what_may_be_read_and_executed(tmp_path: Path) -> None:
    documents = [ALPHA, BETA, me(*on("alpha", *ALL), *on("beta", "READ"))]
    async with executing(tmp_path / "x.db", documents) as rig:
        mine, others = await both(rig)
        preview, *rest = await operated(rig, query="status:running")
        assert preview.preview.applicable == preview.preview.selected == 2
        assert [each.count for each in preview.preview.counts] == [2]
        assert {each.execution_id for response in rest for each in response.results} == set(mine)

        preview, done = await operated(rig, execution_ids=[mine[0], others[0], "nobody"])
        assert preview.preview.missing == 2
        reasons = {each.execution_id: each.reason for each in done.results}
        assert reasons[others[0]] == "PERMISSION_DENIED"
        assert reasons["nobody"] == "NOT_FOUND"

        put(rig.replica, me(*on("alpha", *ALL)))
        _, done = await operated(rig, execution_ids=[others[0], "nobody"])
        assert {each.reason for each in done.results} == {"NOT_FOUND"}
        # To see none of them is not enough to find them.
        put(rig.replica, me(*on("alpha", "READ"), *on("beta", "EXECUTE")))
        (preview,) = await operated(rig, query="status:running,paused")
        assert preview.preview.selected == 0


async def test_no_given_input_starts_what_may_not_be_started(tmp_path: Path) -> None:
    """By EXECUTE on what starts another, no third is started."""
    starts = workflow(
        "starts",
        step("n", "NOOP"),
        step("go", "START_WORKFLOW", startWorkflow={"name": "quick"}),
    )
    own = me(*on("starts", *ALL))
    every = application("every", ("workflow", "*", "EXECUTE"))
    async with executing(tmp_path / "x.db", [starts, QUICK, BETA, own, every]) as rig:
        id_ = (await rig.run("starts")).execution_id
        task_id = next(t.task_id for t in (await rig.get(id_)).tasks if t.ref == "go")
        given = json.dumps({"startWorkflow": {"name": "beta"}})

        async def rerun(name: str, **fields: Any) -> None:
            request = pb.RerunExecutionRequest(execution_id=id_, **fields)
            with raising_ours():
                await rig.stub.RerunExecution(request, metadata=on_behalf_of(name))
            await rig.ended(id_)

        for named in ({"ref": "go"}, {"task_id": task_id}):
            with pytest.raises(PermissionDenied, match="which workflow it starts"):
                await rerun("me", task_input=given, **named)
        await rerun("me", ref="go")
        await rerun("me", ref="n", task_input=given)
        assert "beta" not in {e.workflow_name for e in (await all_of(rig)).executions}
        await rerun("every", ref="go", task_input=given)
        assert "beta" in {e.workflow_name for e in (await all_of(rig)).executions}


async def all_of(rig: Rig) -> pb.ListExecutionsResponse:
    return await rig.stub.ListExecutions(pb.ListExecutionsRequest(), metadata=ADMIN)


async def test_what_it_has_started_is_its_own_workflow_s(tmp_path: Path) -> None:
    parent = workflow("parent", sub("kid"))
    child = workflow("child", step("hold", "WAIT"))
    documents = [parent, child, me(*on("parent", *ALL))]
    async with executing(tmp_path / "x.db", documents) as rig:
        execution_id = await rig.begin("parent")
        async with asyncio.timeout(20):
            while not (found := await _child(rig, execution_id)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        # What waits below is signalled by way of the parent; looked at it is not.
        with pytest.raises(NotFound):
            await called(rig, "GetExecution", pb.GetExecutionRequest, found)
        assert (await listed(rig, query=f"parent:{execution_id}")).executions == []
        told = await called(rig, "SignalExecution", pb.SignalExecutionRequest, execution_id)
        assert told.execution_id == found
        await rig.ended(execution_id)
        task_id = (await rig.get(found)).tasks[0].task_id
        with pytest.raises(NotFound, match=f"Task {task_id} not found"):
            await called(
                rig,
                "RerunExecution",
                lambda **named: pb.RerunExecutionRequest(task_id=task_id, **named),
                execution_id,
            )
        with pytest.raises(PermissionDenied, match="without its children"):
            await called(
                rig,
                "DeleteExecution",
                lambda **named: pb.DeleteExecutionRequest(with_children=True, **named),
                execution_id,
            )
        await called(rig, "DeleteExecution", pb.DeleteExecutionRequest, execution_id)
        assert (await rig.get(found)).state.workflow_name == "child"


async def _child(rig: Rig, execution_id: str) -> str:
    found = await rig.stub.ListExecutions(
        pb.ListExecutionsRequest(query=f"parent:{execution_id}"), metadata=ADMIN
    )
    return found.executions[0].execution_id if found.executions else ""


async def test_limits_are_told_of_workflows_that_may_be_read(tmp_path: Path) -> None:
    documents = [crowded(), crowded("other"), me(*on("other", "READ"))]
    async with executing(tmp_path / "x.db", documents) as rig:
        await begin(rig, "a", 2)
        told = await rig.stub.ListWorkflowLimits(
            crowds_pb2.ListWorkflowLimitsRequest(), metadata=ME
        )
        assert [each.workflow_name for each in told.limits] == ["other"]
        assert list(told.limits[0].keys) == []


async def test_slots_are_told_where_all_who_hold_them_may_be_read(tmp_path: Path) -> None:
    documents = [ALPHA, BETA, me(*on("alpha", "READ"))]
    async with executing(tmp_path / "x.db", documents) as rig:
        for name, key in (("alpha", b"a"), ("beta", b"b"), ("alpha", b"ab"), ("beta", b"ab")):
            await rig.begin(name, slot=pb.Slot(key=key, limit=2))
        told = await rig.stub.ListSlots(pb.ListSlotsRequest(holders=3), metadata=ME)
        assert [each.key for each in told.slots] == [b"a"]
        assert told.total == 1


async def test_schedules_are_told_to_who_may_read_them(tmp_path: Path) -> None:
    quick = workflow("quick", step("n", "NOOP"))
    grants = me(("schedule", "mine", "READ"))
    documents = [quick, schedule("mine"), schedule("other"), grants]
    path, replica = await stopped(tmp_path / "x.db", replica_of(*documents))
    async with executing(path, replica) as rig:
        await until_run(rig, name="mine")
        await until_run(rig, name="other")
        states = await _schedules(rig)
        runs = await rig.stub.ListScheduleRuns(
            schedules_pb2.ListScheduleRunsRequest(schedule="mine"), metadata=ME
        )
        assert [each.name for each in states] == ["mine"]
        # How its executions stand is told to who may read their workflow.
        assert {each.execution_status for each in runs.runs} == {""}
        for hidden in ("other", "nobody"):
            with pytest.raises(NotFound, match=f"There is no schedule '{hidden}'"), raising_ours():
                await rig.stub.ListScheduleRuns(
                    schedules_pb2.ListScheduleRunsRequest(schedule=hidden), metadata=ME
                )
        put(rig.replica, me(("schedule", "mine", "READ"), *on("quick", "READ")))
        (state,) = await _schedules(rig)
        assert state.last_run.execution_status


async def _schedules(rig: Rig) -> Sequence[schedules_pb2.ScheduleState]:
    told = await rig.stub.ListSchedules(schedules_pb2.ListSchedulesRequest(), metadata=ME)
    return told.schedules


async def test_what_handlers_did_is_told_to_who_may_read_them(tmp_path: Path) -> None:
    documents = [
        telling(),
        workflow("ship", step("done", "NOOP")),
        *(handler(starting(), name=name) for name in ("one", "two", "other")),
        me(("event", "one", "READ"), ("event", "two", "READ")),
    ]
    async with executing(tmp_path / "x.db", documents) as rig:
        await rig.run("order")
        await until_done(rig, 3)
        assert {each.handler for each in await _handled(rig)} == {"one", "two"}
        assert {each.handler for each in await _handled(rig, handler="two")} == {"two"}
        assert await _handled(rig, handler="other") == []
        put(rig.replica, me(("event", "*", "READ")))
        assert len(await _handled(rig)) == 3


async def _handled(rig: Rig, **fields: Any) -> Sequence[event_runs_pb2.EventExecution]:
    told = await rig.stub.ListEventExecutions(
        event_runs_pb2.ListEventExecutionsRequest(**fields), metadata=ME
    )
    return list(told.executions)


async def test_queues_are_told_to_who_may_read_or_do_their_tasks(tmp_path: Path) -> None:
    kinds = ("read", "done", "other")
    flow = workflow("flow", {
        **step("fork", "FORK_JOIN"),
        "forkTasks": [[step(name, "SIMPLE")] for name in kinds],
    })  # fmt: skip
    tasks = [{"kind": "task", "name": name} for name in kinds]
    grants = me(("task", "read", "READ"), ("task", "done", "EXECUTE"))
    async with executing(tmp_path / "x.db", [flow, *tasks, grants]) as rig:
        await rig.begin("flow")
        told = await rig.workers.ListQueues(worker_pb2.ListQueuesRequest(), metadata=ME)
        assert {each.task_type for each in told.queues} == {"read", "done"}
        requeue = rig.workers.RequeueTasks
        await requeue(worker_pb2.RequeueTasksRequest(task_type="done"), metadata=ME)
        for hidden in ("read", "other", "nobody"):
            with pytest.raises(PermissionDenied), raising_ours():
                await requeue(worker_pb2.RequeueTasksRequest(task_type=hidden), metadata=ME)


NOTHING_TO_SEE = {
    "ListExecutions": pb.ListExecutionsRequest(),
    "SearchTasks": pb.SearchTasksRequest(),
    "ListSlots": pb.ListSlotsRequest(),
    "ListWorkflowLimits": crowds_pb2.ListWorkflowLimitsRequest(),
    "ListSchedules": schedules_pb2.ListSchedulesRequest(),
    "ListScheduleRuns": schedules_pb2.ListScheduleRunsRequest(schedule="nobody"),
    "ListEventExecutions": event_runs_pb2.ListEventExecutionsRequest(),
    "GetExecution": pb.GetExecutionRequest(execution_id="nobody"),
}


@pytest.mark.parametrize("roles", [[], ["WORKER"]])
async def test_who_could_see_nothing_is_refused(tmp_path: Path, roles: list[str]) -> None:
    async with executing(tmp_path / "x.db", [me(("service", "*", "READ"), roles=roles)]) as rig:
        for method, request in NOTHING_TO_SEE.items():
            with pytest.raises(PermissionDenied), raising_ours():
                await getattr(rig.stub, method)(request, metadata=ME)
        for method, make in OPERATIONS.items():
            if roles and method in ("SignalExecution", "UpdateTask"):
                continue
            with pytest.raises(PermissionDenied):
                await called(rig, method, make, "nobody")
        with pytest.raises(PermissionDenied), raising_ours():
            await until_caught_up(watch(rig))
        with pytest.raises(PermissionDenied):
            await operated(rig, query="id:*")


async def test_who_may_start_a_version_may_wait_for_it(tmp_path: Path) -> None:
    documents = [
        workflow("old", step("n", "NOOP"), tags=["eu"]),
        workflow("old", step("n", "NOOP"), version=2),
        me(("tag", "eu", "EXECUTE"), ("tag", "eu", "READ")),
    ]
    async with executing(tmp_path / "x.db", documents) as rig:
        told = [await rig.run("old", workflow_version=each) for each in (1, 2)]
        first, second = [
            pb.AttachExecutionRequest(
                attach=pb.Attach(execution_id=each.execution_id, on_behalf_of="me")
            )
            for each in told
        ]
        assert (await rig.stub.AttachExecution(first)).result.execution_id
        with pytest.raises(NotFound), raising_ours():
            await rig.stub.AttachExecution(second)
        assert list((await listed(rig)).executions) == []
