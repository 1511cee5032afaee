"""What operators do besides pause and terminate: over gRPC, in a real store, over restarts."""

from __future__ import annotations

import asyncio
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from podium.executor.v1 import executor_pb2 as pb
from services.errors import Conflict, InvalidRequest, NotFound
from services.executor import deleting, kinship, rerunning
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, http, new_id, step, upstream, workflow
from tests.executor.test_bulk import DONE, REFUSED, operate, outcomes
from tests.executor.test_kin import child_of, document, sub

COMPLETED, FAILED, RUNNING = (
    pb.EXECUTION_STATUS_COMPLETED,
    pb.EXECUTION_STATUS_FAILED,
    pb.EXECUTION_STATUS_RUNNING,
)
WAITING = workflow("waiting", step("hold", "WAIT"), step("then", "NOOP"))


async def rerun(rig: Rig, execution_id: str, **fields: Any) -> pb.ExecutionState:
    request = pb.RerunExecutionRequest(execution_id=execution_id, **fields)
    with raising_ours():
        return (await rig.stub.RerunExecution(request, metadata=ADMIN)).state


async def delete(rig: Rig, execution_id: str, **fields: Any) -> list[str]:
    request = pb.DeleteExecutionRequest(execution_id=execution_id, **fields)
    with raising_ours():
        return list((await rig.stub.DeleteExecution(request, metadata=ADMIN)).execution_ids)


async def signal(rig: Rig, execution_id: str, **fields: Any) -> pb.SignalExecutionResponse:
    request = pb.SignalExecutionRequest(execution_id=execution_id, **fields)
    with raising_ours():
        return await rig.stub.SignalExecution(request, metadata=ADMIN)


async def until(rig: Rig, execution_id: str, name: str, value: Any) -> None:
    """Wait until the execution's document has that, or fail after thirty seconds."""
    limit = time.monotonic() + 30
    while (found := await document(rig, execution_id)).get(name) != value:
        assert time.monotonic() < limit, f"{name} is never {value}: {found}"
        await asyncio.sleep(0.01)


async def begun(rig: Rig, execution_id: str) -> None:
    """Wait until the execution has a task, or fail after thirty seconds."""
    async with asyncio.timeout(30):
        while not (await document(rig, execution_id))["tasks"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def refs(document: dict[str, Any]) -> list[str]:
    return [task["referenceTaskName"] for task in document["tasks"]]


async def test_what_was_rerun_is_stored_with_its_input_and_without_what_is_void(
    tmp_path: Path,
) -> None:
    async with upstream(a=lambda _: {"n": 1}, b=lambda _: {"n": 2}) as up:
        flow = workflow("flow", http("a", f"{up.url}/a"), http("b", f"{up.url}/b"))
        async with executing(tmp_path / "x.db", [flow]) as rig:
            result = await rig.run("flow")
            other = {"http_request": {"uri": f"{up.url}/b?again", "method": "GET"}}
            await rerun(rig, result.execution_id, ref="b", task_input=json.dumps(other))
            assert (await rig.ended(result.execution_id)).status == COMPLETED
        async with executing(tmp_path / "x.db", [flow]) as rig:
            found = await document(rig, result.execution_id)
            await rerun(rig, result.execution_id, ref="b")
            assert (await rig.ended(result.execution_id)).status == COMPLETED

    assert refs(found) == ["a", "b"]
    assert found["tasks"][1]["inputData"]["http_request"]["uri"].endswith("?again")
    assert [path for path, _ in up.asked] == ["/a", "/b", "/b", "/b"]


async def test_the_whole_is_rerun_on_other_input_under_another_name(tmp_path: Path) -> None:
    flow = workflow("flow", step("n", "NOOP"), outputParameters={"x": "${workflow.input.x}"})
    async with executing(tmp_path / "x.db", [flow]) as rig:
        result = await rig.run("flow", input={"x": 1}, correlation_id="one")
        await rerun(rig, result.execution_id, workflow_input='{"x": 2}', correlation_id="two")
        again = await rig.ended(result.execution_id)
        await rerun(rig, result.execution_id, correlation_id="")
        await rig.ended(result.execution_id)
        found = await document(rig, result.execution_id)

    assert json.loads(again.output) == {"x": 2}
    assert (found["input"], found.get("correlationId", "")) == ({"x": 2}, "")


async def test_a_task_of_a_sub_workflow_has_those_around_it_wait_again(tmp_path: Path) -> None:
    answers = iter(("first", "second"))
    async with upstream(x=lambda _: {"said": next(answers)}) as up:
        leaf = workflow("leaf", http("h", f"{up.url}/x"),
                        outputParameters={"said": "${h.output.response.body.said}"})  # fmt: skip
        middle = workflow("middle", sub("s", "leaf"))
        root = workflow("root", sub("s", "middle"), step("after", "NOOP"),
                        outputParameters={"said": "${s.output.said}"})  # fmt: skip
        async with executing(tmp_path / "x.db", [leaf, middle, root]) as rig:
            result = await rig.run("root")
            inner = await child_of(rig, await child_of(rig, result.execution_id))
            task_id = (await document(rig, inner))["tasks"][0]["taskId"]
            state = await rerun(rig, result.execution_id, task_id=task_id)
            await until(rig, inner, "status", "COMPLETED")
            await until(rig, result.execution_id, "output", {"said": "second"})

    assert json.loads(result.output) == {"said": "first"}
    assert state.execution_id == inner


async def test_a_rerun_that_ends_at_once_is_heard_of_by_those_around_it(tmp_path: Path) -> None:
    leaf = workflow("leaf", step("v", "SET_VARIABLE", said="first"),
                    outputParameters={"said": "${v.input.said}"})  # fmt: skip
    middle = workflow("middle", sub("s", "leaf"))
    root = workflow("root", sub("s", "middle"), outputParameters={"said": "${s.output.said}"})
    async with executing(tmp_path / "x.db", [leaf, middle, root]) as rig:
        result = await rig.run("root")
        inner = await child_of(rig, await child_of(rig, result.execution_id))
        task_id = (await document(rig, inner))["tasks"][0]["taskId"]
        await rerun(rig, result.execution_id, task_id=task_id, task_input='{"said": "second"}')
        await until(rig, result.execution_id, "output", {"said": "second"})

    assert json.loads(result.output) == {"said": "first"}


async def test_a_rerun_is_refused_with_what_stands_in_its_way(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        held = await rig.begin("waiting")
        for fields in ({"ref": "hold"}, {"task_id": "x"}, {}):
            with pytest.raises(Conflict, match="RUNNING"):
                await rerun(rig, held, **fields)
        await operate(rig, pb.OPERATION_TERMINATE, [held])
        with pytest.raises(NotFound, match="Task nowhere not found"):
            await rerun(rig, held, ref="nowhere")
        with pytest.raises(NotFound, match="Task x not found"):
            await rerun(rig, held, task_id="x")
        with pytest.raises(NotFound):
            await rerun(rig, new_id(), ref="hold")
        for wrong in (
            {"ref": "hold", "task_id": "x"},
            {"ref": "hold", "workflow_input": "{}"},
            {"ref": "hold", "correlation_id": "c"},
            {"task_input": "{}"},
            {"ref": "hold", "task_input": "[1]"},
            {"ref": "hold", "task_input": "{"},
            {"ref": "x" * 1001},
            {"workflow_input": "1"},
        ):
            with pytest.raises(InvalidRequest):
                await rerun(rig, held, **wrong)


async def test_a_skipped_task_is_stored_and_gone_by(tmp_path: Path) -> None:
    flow = workflow("flow", step("hold", "WAIT"), step("never", "HUMAN"),
                    outputParameters={"n": "${never.output.n}"})  # fmt: skip
    async with executing(tmp_path / "x.db", [flow]) as rig:
        held = await rig.begin("flow")
        request = pb.SkipTaskRequest(execution_id=held, ref="never", output='{"n": 7}')
        await rig.stub.SkipTask(request, metadata=ADMIN)
        with pytest.raises(Conflict, match="it is SKIPPED"), raising_ours():
            await rig.stub.SkipTask(request, metadata=ADMIN)
        with pytest.raises(NotFound), raising_ours():
            await rig.stub.SkipTask(pb.SkipTaskRequest(execution_id=held, ref="x"), metadata=ADMIN)
    async with executing(tmp_path / "x.db", [flow]) as rig:
        await signal(rig, held)
        result = await rig.ended(held)

    assert (result.status, json.loads(result.output)) == (COMPLETED, {"n": 7})


async def test_a_signal_goes_to_the_first_that_waits_however_deep(tmp_path: Path) -> None:
    leaf = workflow("leaf", step("ask", "HUMAN"))
    fork = {**step("fork", "FORK_JOIN"), "forkTasks": [[sub("s", "leaf")], [step("w", "WAIT")]]}
    join = {**step("join", "JOIN"), "joinOn": ["s", "w"]}
    timed = step("timed", "WAIT", duration="1h")
    root = workflow("root", fork, join, timed)
    async with executing(tmp_path / "x.db", [leaf, root]) as rig:
        held = await rig.begin("root")
        child = await child_of(rig, held)
        await until(rig, child, "status", "RUNNING")
        first = await signal(rig, held, output='{"ok": true}', reason="so")
        second = await signal(rig, held, status=pb.TASK_STATUS_IN_PROGRESS)
        third = await signal(rig, held)
        with pytest.raises(NotFound, match=f"Found no blocked task in workflow {held} to signal"):
            await signal(rig, held)
        found = await document(rig, child)
        await operate(rig, pb.OPERATION_TERMINATE, [held])
        with pytest.raises(Conflict, match="it is TERMINATED"):
            await signal(rig, held)
        with pytest.raises(NotFound):
            await signal(rig, new_id())
        with pytest.raises(InvalidRequest):
            await signal(rig, held, status=pb.TASK_STATUS_SKIPPED)

    assert (first.execution_id, first.ref) == (child, "ask")
    assert (second.execution_id, second.ref, third.ref) == (held, "w", "w")
    assert found["output"] == {"ok": True}


async def test_as_many_signals_at_once_as_there_are_that_wait_reach_each_once(
    tmp_path: Path,
) -> None:
    branches = [[step(f"w{number}", "WAIT")] for number in range(8)]
    fork = {**step("fork", "FORK_JOIN"), "forkTasks": branches}
    join = {**step("join", "JOIN"), "joinOn": [f"w{number}" for number in range(8)]}
    async with executing(tmp_path / "x.db", [workflow("root", fork, join)]) as rig:
        held = await rig.begin("root")
        meant = await asyncio.gather(*(signal(rig, held, output="{}") for _ in range(8)))
        result = await rig.ended(held)

    assert result.status == COMPLETED
    assert sorted(each.ref for each in meant) == [f"w{number}" for number in range(8)]


async def test_a_task_is_updated_by_its_id_too_and_cancelled(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        held = await rig.begin("waiting")
        task_id = (await document(rig, held))["tasks"][0]["taskId"]
        update = pb.UpdateTaskRequest(
            execution_id=held, task_id=task_id, status=pb.TASK_STATUS_CANCELED, reason="no"
        )
        answer = await rig.stub.UpdateTask(update, metadata=ADMIN)
        found = await document(rig, held)
        update.ref = "hold"
        with pytest.raises(InvalidRequest), raising_ours():
            await rig.stub.UpdateTask(update, metadata=ADMIN)

    assert answer.task_id == task_id
    assert (found["status"], found["tasks"][0]["status"]) == ("TERMINATED", "CANCELED")


async def test_variables_are_kept_all_or_none(tmp_path: Path) -> None:
    flow = workflow("flow", step("hold", "WAIT"), variables={"a": 1},
                    outputParameters={"v": "${workflow.variables}"})  # fmt: skip
    async with executing(tmp_path / "x.db", [flow]) as rig:
        held = await rig.begin("flow")
        request = pb.UpdateVariablesRequest(execution_id=held, variables='{"b": 2}')
        await rig.stub.UpdateVariables(request, metadata=ADMIN)
        large = json.dumps({"b": 3, "c": "x" * (256 << 10)})
        with pytest.raises(Conflict, match="at most 262144"), raising_ours():
            await rig.stub.UpdateVariables(
                pb.UpdateVariablesRequest(execution_id=held, variables=large), metadata=ADMIN
            )
    async with executing(tmp_path / "x.db", [flow]) as rig:
        await signal(rig, held)
        result = await rig.ended(held)
        with pytest.raises(Conflict, match="it is COMPLETED"), raising_ours():
            await rig.stub.UpdateVariables(request, metadata=ADMIN)

    assert json.loads(result.output) == {"v": {"a": 1, "b": 2}}


async def test_what_waits_for_its_delay_is_begun(tmp_path: Path) -> None:
    late = {**step("late", "NOOP"), "startDelay": 3600}
    async with executing(tmp_path / "x.db", [workflow("flow", late)]) as rig:
        held = await rig.begin("flow")
        stands = await rig.stub.DecideExecution(
            pb.DecideExecutionRequest(execution_id=held), metadata=ADMIN
        )
        request = pb.ResetCallbacksRequest(execution_id=held)
        state = (await rig.stub.ResetCallbacks(request, metadata=ADMIN)).state
        with pytest.raises(Conflict, match="it is COMPLETED"), raising_ours():
            await rig.stub.ResetCallbacks(request, metadata=ADMIN)

    assert (stands.state.status, state.status) == (RUNNING, COMPLETED)


async def test_a_retry_may_resume_what_failed_within(tmp_path: Path) -> None:
    codes = iter((500, 200))

    def answer(_: web.Request) -> web.Response:
        return web.json_response({}, status=next(codes))

    async with upstream(x=answer) as up:
        leaf = workflow("leaf", http("h", f"{up.url}/x"))
        root = workflow("root", sub("s", "leaf"))
        async with executing(tmp_path / "x.db", [leaf, root]) as rig:
            result = await rig.run("root")
            child = await child_of(rig, result.execution_id)
            request = pb.RetryExecutionRequest(
                execution_id=result.execution_id, resume_sub_workflows=True
            )
            await rig.stub.RetryExecution(request, metadata=ADMIN)
            again = await rig.ended(result.execution_id)
            same = await child_of(rig, result.execution_id)

    assert (result.status, again.status, same) == (FAILED, COMPLETED, child)


async def test_what_has_ended_is_deleted_and_watchers_are_told(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        held = await rig.begin("waiting")
        with pytest.raises(Conflict, match="status is RUNNING"):
            await delete(rig, held)
        watch = rig.stub.WatchExecutions(pb.WatchExecutionsRequest(recent=9), metadata=ADMIN)
        gone: list[str] = []

        async def watched() -> None:
            async for batch in watch:
                gone.extend(batch.gone_ids)
                if gone:
                    return

        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            tasks.create_task(watched())
            assert await delete(rig, held, terminate=True) == [held]
        with pytest.raises(NotFound), raising_ours():
            await rig.get(held)
        with pytest.raises(NotFound):
            await delete(rig, held, terminate=True)
        counts = rig.runtime.tally.counts()
        rows = await rig.store.readers.read(
            lambda db: db.execute("SELECT count(*) FROM tasks").fetchone()
        )

    assert gone == [held]
    assert set(counts.values()) == {0}
    assert rows == (0,)


async def test_what_it_has_started_goes_with_it_or_stays(tmp_path: Path) -> None:
    leaf = workflow("leaf", step("ask", "HUMAN"))
    root = workflow("root", sub("s", "leaf"))
    async with executing(tmp_path / "x.db", [leaf, root]) as rig:
        first, second = await rig.begin("root"), await rig.begin("root")
        child, other = await child_of(rig, first), await child_of(rig, second)
        await operate(rig, pb.OPERATION_TERMINATE, [child])
        await until(rig, first, "status", "TERMINATED")
        with pytest.raises(Conflict, match="status is RUNNING"):
            await delete(rig, second, with_children=True)
        assert await delete(rig, first) == [first]
        assert (await rig.get(child)).state.execution_id == child
        gone = await delete(rig, second, with_children=True, terminate=True)

    assert gone == [second, other]


async def test_what_others_wait_for_is_not_deleted_alone(tmp_path: Path) -> None:
    leaf, root = workflow("leaf", step("ask", "HUMAN")), workflow("root", sub("s", "leaf"))
    async with executing(tmp_path / "x.db", [leaf, root]) as rig:
        child = await child_of(rig, await rig.begin("root"))
        with pytest.raises(Conflict):
            await delete(rig, child)
        # As after a crash between its end and its parent's hearing of that.
        await rig.store.writer.chore(
            lambda db: db.execute(
                "UPDATE executions SET ended_at = 1, status = 'FAILED' WHERE id = ?", (child,)
            ).close()
        )
        with pytest.raises(Conflict, match="still waits for it"):
            await delete(rig, child)


async def test_those_around_what_runs_again_are_seen_to_run_once_it_is_answered(
    tmp_path: Path,
) -> None:
    # So many that the word takes longer to the top than an answer to its asker.
    flows = [workflow("f0", step("ask", "HUMAN"))]
    flows += [workflow(f"f{n}", sub("s", f"f{n - 1}")) for n in range(1, 10)]
    async with executing(tmp_path / "x.db", flows) as rig:
        line = [await rig.begin("f9")]
        for _ in range(9):
            line.append(await child_of(rig, line[-1]))
            # What is started has its first task a little later.
            await begun(rig, line[-1])
        stub, leaf = rig.stub, line[-1]
        for again in (
            partial(stub.RetryExecution, pb.RetryExecutionRequest(execution_id=leaf)),
            partial(stub.RerunExecution, pb.RerunExecutionRequest(execution_id=leaf, ref="ask")),
            partial(stub.RestartExecution, pb.RestartExecutionRequest(execution_id=leaf)),
        ):
            await stub.TerminateExecution(
                pb.TerminateExecutionRequest(execution_id=leaf), metadata=ADMIN
            )
            await rig.ended(line[0])
            await again(metadata=ADMIN)
            each = [pb.GetExecutionRequest(execution_id=id, state_only=True) for id in line]
            states = [(await stub.GetExecution(one, metadata=ADMIN)).state.status for one in each]
            assert states == [RUNNING] * len(line)


async def test_each_of_them_is_done_to_many(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        ids = [await rig.begin("waiting") for _ in range(3)]
        done: list[Any] = []
        for operation, fields in (
            (pb.OPERATION_SKIP_TASK, {"ref": "then"}),
            (pb.OPERATION_UPDATE_VARIABLES, {"variables": '{"a": 1}'}),
            (pb.OPERATION_RESET_CALLBACKS, {}),
            (pb.OPERATION_DECIDE, {}),
            (pb.OPERATION_SIGNAL, {"output": '{"b": 2}'}),
            (pb.OPERATION_RERUN, {"ref": "hold"}),
            (pb.OPERATION_DELETE, {"terminate": True}),
        ):
            preview, results = await operate(rig, operation, ids, **fields)
            assert preview.applicable == 3
            done.extend(outcomes(results))
        _, none = await operate(rig, pb.OPERATION_DELETE, ids)
        with pytest.raises(InvalidRequest), raising_ours():
            await operate(rig, pb.OPERATION_SKIP_TASK, ids)

    assert set(done) == {DONE}
    assert outcomes(none) == [REFUSED] * 3


async def test_the_output_says_which_failure_workflow_is_missing(tmp_path: Path) -> None:
    ends = step("end", "TERMINATE", terminationStatus="FAILED")
    flow = workflow("flow", ends, failureWorkflow="mend")
    async with executing(tmp_path / "x.db", [flow]) as rig:
        result = await rig.run("flow")
        found = await document(rig, result.execution_id)

    assert found["status"] == "FAILED"
    assert found["output"] == {"conductor.failure_workflow": "There is no workflow 'mend'."}


async def test_what_operators_mean_is_found_by_keys(tmp_path: Path) -> None:
    asked = ((deleting._ONE, ("a",)), (deleting._CHILDREN, ("a",)), (rerunning._HAS, ("a", "b")))
    async with executing(tmp_path / "x.db") as rig:
        plans = [
            await rig.store.readers.read(
                lambda db, sql, values: db.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall(),
                *each,
            )
            for each in asked
        ]
        followed = await rig.store.readers.read(
            lambda db: db.execute(f"EXPLAIN QUERY PLAN {kinship._FOLLOWED}").fetchall()
        )

    steps = [row[3] for plan in plans for row in plan]
    assert steps
    assert not [each for each in steps if "SCAN" in each and "CONSTANT" not in each]
    assert "tasks_waiting_for_children" in followed[0][3]
