"""The executor as its callers see it: over gRPC, on a real database, with a real upstream."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from podium.executor.v1 import executor_pb2 as pb
from services.errors import (
    AlreadyExists,
    Conflict,
    InvalidRequest,
    NotFound,
    Overloaded,
    PermissionDenied,
    Unavailable,
)
from services.executor.runtime import Limits
from services.rpc import raising_ours
from services.sealing import Sealer
from tests.executor.rig import (
    ADMIN,
    SECRET_KEY,
    executing,
    http,
    new_id,
    put,
    replica_of,
    start,
    step,
    upstream,
    wait,
    workflow,
)

WAITING = workflow("waiting", step("hold", "WAIT"))
QUICK = workflow(
    "quick",
    step("set", "SET_VARIABLE", n="${workflow.input.n}"),
    outputParameters={"n": "${workflow.variables.n}"},
)


def contents(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in folder.iterdir())


async def test_an_http_step_runs_and_its_answer_is_the_result(tmp_path: Path) -> None:
    async with upstream(item=lambda _: {"price": 3}) as remote:
        flow = workflow(
            "w1",
            http("get", f"{remote.url}/item"),
            outputParameters={"price": "${get.output.response.body.price}"},
        )
        async with executing(tmp_path / "x.db", [flow]) as rig:
            result = await rig.run("w1", input={"id": 1}, answer='{"half": 1}')

    assert result.status == pb.EXECUTION_STATUS_COMPLETED
    assert json.loads(result.output) == {"price": 3}
    assert result.answer == '{"half": 1}'
    assert result.HasField("ended_at")


# It starts a script worker, which takes a few tenths of a second.
async def test_a_script_is_computed_within_its_unit(tmp_path: Path) -> None:
    flow = workflow(
        "scripted",
        step("add", "INLINE", evaluatorType="javascript", expression="$.a + 1", a=41),
        outputParameters={"sum": "${add.output.result}"},
    )
    async with executing(tmp_path / "x.db", [flow], scripts=1) as rig:
        result = await rig.run("scripted")

        assert json.loads(result.output) == {"sum": 42}
        # One commit for the start, the script and the end.
        assert rig.runtime.feed.head == 1


async def test_a_jq_program_is_computed_within_its_unit(tmp_path: Path) -> None:
    """Starts a script worker, which takes a few tenths of a second."""
    flow = workflow(
        "queried",
        step(
            "sum", "JSON_JQ_TRANSFORM", queryExpression=".n | add, length", n="${workflow.input.n}"
        ),
        outputParameters={"of": "${sum.output}"},
    )
    async with executing(tmp_path / "x.db", [flow], scripts=1) as rig:
        result = await rig.run("queried", input={"n": [40, 2]})
        failed = await rig.run("queried", input={"n": {"a": "x", "b": 1}})

    assert json.loads(result.output) == {"of": {"result": 42, "resultList": [42, 2]}}
    assert failed.status == pb.EXECUTION_STATUS_FAILED
    assert "Script queryExpression of sum raised string" in failed.reason


async def test_documents_come_back_as_they_went_in(tmp_path: Path) -> None:
    value = {"n": [2**80, -0.5, "ü\u2028", {"b": None, "a": True}]}
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        result = await rig.run("quick", input=value)
        execution = await rig.get(result.execution_id)

    assert json.loads(result.output) == value
    assert list(json.loads(execution.document)["input"]["n"][3]) == ["b", "a"]


async def test_a_start_with_a_known_id_and_fingerprint_attaches(tmp_path: Path) -> None:
    execution_id = new_id()
    async with executing(tmp_path / "x.db", [QUICK, WAITING]) as rig:
        first = await rig.run("quick", execution_id=execution_id, input={"n": 1})
        again = await rig.run("quick", execution_id=execution_id, input={"n": 1})
        both = await asyncio.gather(
            *(rig.begin("waiting", execution_id=new_id_) for new_id_ in [new_id()] * 2)
        )

        assert again.output == first.output
        assert both[0] == both[1]
        listed = await rig.stub.ListExecutions(pb.ListExecutionsRequest(), metadata=ADMIN)
        assert len(listed.executions) == 2


async def test_another_start_with_a_known_id_already_exists(tmp_path: Path) -> None:
    execution_id = new_id()
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        await rig.run("quick", execution_id=execution_id)
        with pytest.raises(AlreadyExists), raising_ours():
            await rig.run("quick", execution_id=execution_id, fingerprint=b"other")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"workflow_name": "nope"}, NotFound),
        ({"workflow_version": 7}, NotFound),
        ({"input": "[1]"}, InvalidRequest),
        ({"input": '{"a": 1, "a": 2}'}, InvalidRequest),
        ({"input": '{"a": NaN}'}, InvalidRequest),
        ({"execution_id": "x"}, InvalidRequest),
        ({"priority": 100}, InvalidRequest),
        ({"on_behalf_of": "nobody"}, PermissionDenied),
        ({"on_behalf_of": "reader"}, PermissionDenied),
        ({"min_revision": 99}, Unavailable),
        ({"correlation_id": "a\0b"}, InvalidRequest),
        ({"correlation_id": "a" * 1001}, InvalidRequest),
        ({"principal": "\0"}, InvalidRequest),
        ({"request_id": "\0"}, InvalidRequest),
        ({"traceparent": "\0"}, InvalidRequest),
    ],
)
async def test_a_start_that_makes_no_sense_is_refused(
    tmp_path: Path, fields: dict[str, Any], error: type[Exception]
) -> None:
    reader = {"kind": "application", "id": "reader", "roles": ["VIEWER"]}
    async with executing(tmp_path / "x.db", [QUICK, reader]) as rig:
        with pytest.raises(error), raising_ours():
            await rig.begin(**{"workflow_name": "quick", **fields})
        assert rig.runtime.tally.running == 0


async def test_a_start_waits_for_the_definitions_that_its_caller_saw(tmp_path: Path) -> None:
    replica = replica_of(WAITING)
    async with executing(tmp_path / "x.db", replica) as rig:
        revision = replica.revision + 1
        running = asyncio.create_task(rig.run("quick", min_revision=revision, input={"n": 5}))
        await rig.begin("waiting")
        put(replica, QUICK)

        assert json.loads((await running).output) == {"n": 5}


async def test_an_execution_keeps_the_definition_that_it_began_with(tmp_path: Path) -> None:
    replica = replica_of(WAITING)
    async with executing(tmp_path / "x.db", replica) as rig:
        execution_id = await rig.begin("waiting")
    put(replica, workflow("waiting", step("other", "WAIT")))
    async with executing(tmp_path / "x.db", replica) as rig:
        state = await rig.get(execution_id)

        assert [task.ref for task in state.tasks] == ["hold"]


async def test_an_awaited_task_answers_before_the_workflow_has_ended(tmp_path: Path) -> None:
    flow = workflow(
        "early",
        step("first", "SET_VARIABLE", a=1),
        step("hold", "WAIT"),
        step("last", "NOOP"),
    )
    async with executing(tmp_path / "x.db", [flow]) as rig:
        result = await rig.run("early", await_refs=["last", "first"])
        assert (result.awaited_ref, result.status) == ("first", pb.EXECUTION_STATUS_RUNNING)
        assert result.awaited_status == pb.TASK_STATUS_COMPLETED

        running = await rig.run("early", seconds=0, await_refs=["last"])
        assert running.status == pb.EXECUTION_STATUS_RUNNING
        assert not running.awaited_ref

        await rig.stub.TerminateExecution(
            pb.TerminateExecutionRequest(execution_id=running.execution_id, reason="enough"),
            metadata=ADMIN,
        )
        ended = await rig.stub.AttachExecution(
            pb.AttachExecutionRequest(
                attach=pb.Attach(
                    execution_id=running.execution_id,
                    await_refs=["hold"],
                    on_behalf_of="admin",
                )
            )
        )
        assert ended.result.status == pb.EXECUTION_STATUS_TERMINATED
        assert (ended.result.awaited_ref, ended.result.reason) == ("", "enough")


async def test_an_awaited_task_that_failed_in_a_pause_has_not_ended_if_a_retry_may_follow(
    tmp_path: Path,
) -> None:
    arrived, answering, statuses = asyncio.Event(), asyncio.Event(), [500, 200]

    async def call(_: web.Request) -> web.Response:
        arrived.set()
        await answering.wait()
        return web.json_response({}, status=statuses.pop(0))

    async with upstream(call=call) as remote:
        flow = workflow("flow", http("call", f"{remote.url}/call"))
        retried = {"kind": "task", "name": "call", "retryCount": 2, "retryDelaySeconds": 0}
        async with executing(tmp_path / "x.db", [flow, retried]) as rig:
            execution_id = await rig.begin("flow")
            await arrived.wait()
            await rig.stub.PauseExecution(
                pb.PauseExecutionRequest(execution_id=execution_id), metadata=ADMIN
            )
            attach = pb.Attach(execution_id=execution_id, await_refs=["call"], on_behalf_of="admin")
            waiting = asyncio.ensure_future(
                rig.stub.AttachExecution(pb.AttachExecutionRequest(attach=attach, wait=wait(10)))
            )
            watching = rig.stub.WatchExecution(
                pb.WatchExecutionRequest(execution_id=execution_id), metadata=ADMIN
            )
            answering.set()
            async for change in watching:
                if [task.status for task in change.tasks] == [pb.TASK_STATUS_FAILED]:
                    break
            told = await rig.stub.AttachExecution(pb.AttachExecutionRequest(attach=attach))
            await rig.stub.ResumeExecution(
                pb.ResumeExecutionRequest(execution_id=execution_id), metadata=ADMIN
            )
            result = (await waiting).result

    assert (told.result.status, told.result.awaited_ref) == (pb.EXECUTION_STATUS_PAUSED, "")
    assert (result.awaited_ref, result.awaited_status) == ("call", pb.TASK_STATUS_COMPLETED)


async def test_who_waits_hears_of_the_end_when_somebody_brings_it_about(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        execution_id = await rig.begin("waiting")
        ended = asyncio.create_task(rig.ended(execution_id))
        update = pb.UpdateTaskRequest(
            execution_id=execution_id,
            ref="hold",
            status=pb.TASK_STATUS_COMPLETED,
            output='{"by": "hand"}',
        )
        told = await rig.stub.UpdateTask(update, metadata=ADMIN)
        result = await ended
        state = await rig.get(execution_id)

        assert json.loads(result.output) == {"by": "hand"}
        assert told.task_id == state.tasks[0].task_id
        assert (await rig.stub.UpdateTask(update, metadata=ADMIN)).task_id == told.task_id
        update.status = pb.TASK_STATUS_FAILED
        with pytest.raises(Conflict), raising_ours():
            await rig.stub.UpdateTask(update, metadata=ADMIN)
        update.ref = "nope"
        with pytest.raises(NotFound), raising_ours():
            await rig.stub.UpdateTask(update, metadata=ADMIN)


async def test_what_cannot_be_kept_with_an_execution_is_refused(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        execution_id = await rig.begin("waiting")
        for reason, says in (("a\0b", "must not hold U\\+0000"), ("a" * 10_001, "longer than")):
            end = pb.TerminateExecutionRequest(execution_id=execution_id, reason=reason)
            with pytest.raises(InvalidRequest, match=f"reason.*{says}"), raising_ours():
                await rig.stub.TerminateExecution(end, metadata=ADMIN)
        for fields in ({"reason": "\0"}, {"reason": "a" * 100_001}, {"worker_id": "\0"}):
            update = pb.UpdateTaskRequest(
                execution_id=execution_id, ref="hold", status=pb.TASK_STATUS_FAILED, **fields
            )
            with pytest.raises(InvalidRequest), raising_ours():
                await rig.stub.UpdateTask(update, metadata=ADMIN)
        assert (await rig.get(execution_id)).state.status == pb.EXECUTION_STATUS_RUNNING


async def test_operations_change_where_an_execution_stands(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        execution_id = await rig.begin("waiting")
        paused = await rig.stub.PauseExecution(
            pb.PauseExecutionRequest(execution_id=execution_id), metadata=ADMIN
        )
        resumed = await rig.stub.ResumeExecution(
            pb.ResumeExecutionRequest(execution_id=execution_id), metadata=ADMIN
        )
        with pytest.raises((Conflict, NotFound)), raising_ours():
            await rig.stub.RetryExecution(
                pb.RetryExecutionRequest(execution_id=execution_id), metadata=ADMIN
            )
        ended = await rig.stub.TerminateExecution(
            pb.TerminateExecutionRequest(execution_id=execution_id), metadata=ADMIN
        )
        assert rig.runtime.tally.running == 0
        again = await rig.stub.RestartExecution(
            pb.RestartExecutionRequest(execution_id=execution_id), metadata=ADMIN
        )
        state = await rig.get(execution_id)

        assert paused.state.status == pb.EXECUTION_STATUS_PAUSED
        assert resumed.state.status == pb.EXECUTION_STATUS_RUNNING
        assert ended.state.status == pb.EXECUTION_STATUS_TERMINATED
        assert again.state.status == pb.EXECUTION_STATUS_RUNNING
        assert [task.status for task in state.tasks] == [pb.TASK_STATUS_IN_PROGRESS]
        assert rig.runtime.tally.running == 1


async def test_a_restart_with_the_latest_definitions_takes_them(tmp_path: Path) -> None:
    replica = replica_of(workflow("flow", step("old", "NOOP")))
    async with executing(tmp_path / "x.db", replica) as rig:
        execution_id = (await rig.run("flow")).execution_id
        put(replica, workflow("flow", step("new", "NOOP"), version=2))
        await rig.stub.RestartExecution(
            pb.RestartExecutionRequest(execution_id=execution_id, use_latest_definitions=True),
            metadata=ADMIN,
        )
        state = await rig.get(execution_id)
    async with executing(tmp_path / "x.db", replica) as rig:
        reloaded = await rig.get(execution_id)

    assert [task.ref for task in state.tasks] == ["new"]
    assert state.state.workflow_version == 2
    assert reloaded == state


async def test_a_failure_workflow_is_started_with_the_end(tmp_path: Path) -> None:
    failing = workflow(
        "failing",
        step("end", "TERMINATE", terminationStatus="FAILED", terminationReason="no"),
        failureWorkflow="mourning",
    )
    mourning = workflow(
        "mourning", step("n", "NOOP"), outputParameters={"of": "${workflow.input.workflowId}"}
    )
    async with executing(tmp_path / "x.db", [failing, mourning]) as rig:
        failed = await rig.run("failing")
        assert failed.status == pb.EXECUTION_STATUS_FAILED
        child = json.loads(failed.output)["conductor.failure_workflow"]
        result = await rig.ended(child)

        assert json.loads(result.output) == {"of": failed.execution_id}
        assert rig.runtime.tally.running == 0


async def test_a_secret_is_put_in_at_hand_off_and_never_stored(tmp_path: Path) -> None:
    secret = {"kind": "secret", "name": "TOKEN", "value": Sealer(SECRET_KEY).seal("s3cr3t-value")}
    seen: list[str | None] = []

    def echo(request: web.Request) -> dict[str, object]:
        seen.append(request.headers.get("X-Key"))
        return {"echo": seen[-1]}

    async with upstream(echo=echo) as remote:
        call = http("call", f"{remote.url}/echo", headers={"X-Key": "${workflow.secrets.TOKEN}"})
        async with executing(tmp_path / "x.db", [workflow("w", call), secret]) as rig:
            result = await rig.run("w")

    assert seen == ["s3cr3t-value"]
    assert json.loads(result.output)["response"]["body"] == {"echo": "***"}
    assert b"s3cr3t" not in contents(tmp_path)


async def test_a_callback_completes_its_task_and_is_said_twice_without_harm(
    tmp_path: Path,
) -> None:
    urls: list[str] = []

    async def job(request: web.Request) -> dict[str, object]:
        urls.append((await request.json())["callbackUrl"])
        return {"jobId": 1}

    async with upstream(job=job) as remote:
        call = http(
            "call", f"{remote.url}/job", method="POST", body={"callbackUrl": "${task.callbackUrl}"}
        )
        call["asyncComplete"] = True
        async with executing(tmp_path / "x.db", [workflow("w", call)]) as rig:
            execution_id = await rig.begin("w")
            with rig.runtime.feed.following() as follower:
                while not (await rig.get(execution_id)).document.count('"jobId"'):
                    await follower.take(1)
            token = urls[0].rpartition("/")[2]
            request = pb.CompleteCallbackRequest(token=token, body='{"done": true}')
            first = await rig.stub.CompleteCallback(request)
            again = await rig.stub.CompleteCallback(request)
            result = await rig.ended(execution_id)
            with pytest.raises(Conflict), raising_ours():
                await rig.stub.CompleteCallback(
                    pb.CompleteCallbackRequest(token=token, body='{"done": false}')
                )
            with pytest.raises(NotFound), raising_ours():
                await rig.stub.CompleteCallback(pb.CompleteCallbackRequest(token="A" * 96))
            state = await rig.get(execution_id)

    assert urls[0].startswith("http://gateway.example/-/callbacks/")
    assert first.task_id == again.task_id == state.tasks[0].task_id
    assert json.loads(result.output)["done"] is True
    assert token not in state.document


async def test_lists_are_filtered_and_come_page_by_page(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK, WAITING]) as rig:
        made = [await rig.begin("quick", correlation_id=f"c{n % 2}") for n in range(5)]
        held = await rig.begin("waiting")

        async def listed(**fields: object) -> list[str]:
            found, token = [], ""
            while True:
                request = pb.ListExecutionsRequest(**fields)  # type: ignore[arg-type]
                request.page.page_size, request.page.page_token = 2, token
                page = await rig.stub.ListExecutions(request, metadata=ADMIN)
                found += [each.execution_id for each in page.executions]
                token = page.next_page_token
                if not token:
                    return found

        assert await listed() == [held, *reversed(made)]
        assert await listed(workflow_name="q*k") == list(reversed(made))
        assert await listed(workflow_name="q") == []
        assert await listed(statuses=[pb.EXECUTION_STATUS_RUNNING]) == [held]
        assert await listed(correlation_id="c1") == [made[3], made[1]]
        with pytest.raises(InvalidRequest), raising_ours():
            request = pb.ListExecutionsRequest()
            request.page.page_token = "nonsense"
            await rig.stub.ListExecutions(request, metadata=ADMIN)


async def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        for call in (
            rig.get(new_id()),
            rig.ended(new_id()),
            rig.stub.PauseExecution(pb.PauseExecutionRequest(execution_id="x"), metadata=ADMIN),
        ):
            with pytest.raises(NotFound), raising_ours():
                await call
        assert rig.runtime.engine.active == 0


async def test_the_status_waits_for_a_revision(tmp_path: Path) -> None:
    replica = replica_of(QUICK)
    async with executing(tmp_path / "x.db", replica) as rig:
        asked = rig.stub.GetExecutorStatus(
            pb.GetExecutorStatusRequest(wait_for_revision=replica.revision + 1), timeout=5
        )
        waiting = asyncio.ensure_future(asked)
        await rig.run("quick")
        put(replica, WAITING)

        assert (await waiting).revision == replica.revision


async def test_new_starts_are_refused_while_too_much_waits_to_be_written(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING], limits=Limits(units=0)) as rig:
        with pytest.raises(Overloaded), raising_ours():
            await rig.begin("waiting")


async def test_calls_beyond_the_limit_wait_for_their_turn(tmp_path: Path) -> None:
    at_once = most = 0

    async def slow(_: web.Request) -> dict[str, object]:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.005)
        at_once -= 1
        return {}

    async with upstream(slow=slow) as remote:
        flow = workflow("w", http("call", f"{remote.url}/slow"))
        limits = Limits(calls_per_host=2)
        async with executing(tmp_path / "x.db", [flow], limits=limits) as rig:
            results = await asyncio.gather(*(rig.run("w") for _ in range(10)))

    assert {each.status for each in results} == {pb.EXECUTION_STATUS_COMPLETED}
    assert most == 2


async def test_a_call_is_cancelled_with_its_execution(tmp_path: Path) -> None:
    arrived, cancelled = asyncio.Event(), asyncio.Event()

    async def hang(request: web.Request) -> dict[str, object]:
        arrived.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return {}

    async with upstream(hang=hang) as remote:
        flow = workflow("w", http("call", f"{remote.url}/hang"))
        async with executing(tmp_path / "x.db", [flow]) as rig:
            execution_id = await rig.begin("w")
            await arrived.wait()
            await rig.stub.TerminateExecution(
                pb.TerminateExecutionRequest(execution_id=execution_id), metadata=ADMIN
            )
            assert len(rig.runtime.performing) == 0


async def test_a_wait_that_is_over_tells_where_the_execution_stands(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        response = await rig.stub.RunExecution(
            pb.RunExecutionRequest(start=start("waiting"), wait=wait(0.01))
        )

        assert response.result.status == pb.EXECUTION_STATUS_RUNNING
        assert response.result.output == ""
