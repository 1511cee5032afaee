"""What an execution calls belongs to the trace that its start belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiohttp import web

from podium.executor.v1 import executor_pb2 as pb
from podium.worker.v1 import worker_pb2
from services.tracing import span_of
from tests.executor.rig import ADMIN, Rig, executing, http, new_id, start, step, upstream, workflow

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT, STATE = f"00-{TRACE_ID}-b7ad6b7169203331-01", "congo=t61rcWkgMzE"


class Seen:
    """The trace headers that an upstream was sent."""

    def __init__(self) -> None:
        self.headers: list[tuple[str | None, str | None]] = []

    def __call__(self, request: web.Request) -> dict[str, Any]:
        self.headers.append((request.headers.get("traceparent"), request.headers.get("tracestate")))
        return {}


async def task_ids(rig: Rig, execution_id: str) -> dict[str, str]:
    return {task.ref: task.task_id for task in (await rig.get(execution_id)).tasks}


async def test_calls_and_workers_are_told_the_trace_and_their_task(tmp_path: Path) -> None:
    seen = Seen()
    async with upstream(item=seen) as there:
        flow = workflow("traced", http("call", f"{there.url}/item"), step("work", "SIMPLE"))
        async with executing(tmp_path / "x.db", [flow]) as rig:
            execution_id = await rig.begin("traced", traceparent=PARENT, tracestate=STATE)
            poll = worker_pb2.PollTaskRequest(task_type="work", worker_id="w")
            poll.timeout.FromSeconds(5)
            given = (await rig.workers.PollTask(poll, metadata=ADMIN)).task
            ids = await task_ids(rig, execution_id)

    assert seen.headers == [(f"00-{TRACE_ID}-{span_of(ids['call'])}-01", STATE)]
    assert given.traceparent == f"00-{TRACE_ID}-{span_of(ids['work'])}-01"
    assert given.tracestate == STATE


async def test_a_trace_is_known_after_a_restart(tmp_path: Path) -> None:
    seen = Seen()
    async with upstream(item=seen) as there:
        flow = workflow("later", step("hold", "HUMAN"), http("call", f"{there.url}/item"))
        async with executing(tmp_path / "x.db", [flow]) as rig:
            execution_id = await rig.begin("later", traceparent=PARENT, tracestate=STATE)
        async with executing(tmp_path / "x.db", [flow]) as rig:
            await rig.stub.UpdateTask(
                pb.UpdateTaskRequest(
                    execution_id=execution_id, ref="hold", status=pb.TASK_STATUS_COMPLETED
                ),
                metadata=ADMIN,
            )
            assert (await rig.ended(execution_id)).status == pb.EXECUTION_STATUS_COMPLETED
            ids = await task_ids(rig, execution_id)

    assert seen.headers == [(f"00-{TRACE_ID}-{span_of(ids['call'])}-01", STATE)]


async def test_a_sub_workflow_belongs_to_the_trace_of_its_parent(tmp_path: Path) -> None:
    seen = Seen()
    async with upstream(item=seen) as there:
        child = workflow("child", http("call", f"{there.url}/item"))
        sub = {**step("sub", "SUB_WORKFLOW"), "subWorkflowParam": {"name": "child", "version": 1}}
        async with executing(tmp_path / "x.db", [child, workflow("parent", sub)]) as rig:
            result = await rig.run("parent", traceparent=PARENT, tracestate=STATE)

    assert result.status == pb.EXECUTION_STATUS_COMPLETED
    ((parent, state),) = seen.headers
    assert parent is not None
    assert parent.startswith(f"00-{TRACE_ID}-")
    assert state == STATE


async def test_the_metadata_of_a_call_say_it_as_well(tmp_path: Path) -> None:
    seen = Seen()
    async with upstream(item=seen) as there:
        flow = workflow("plain", http("call", f"{there.url}/item"))
        async with executing(tmp_path / "x.db", [flow]) as rig:
            asked = pb.RunExecutionRequest(start=start("plain", execution_id=new_id()))
            asked.wait.FromSeconds(10)
            await rig.stub.RunExecution(asked, metadata=(("traceparent", PARENT),))

    ((parent, state),) = seen.headers
    assert parent is not None
    assert parent.startswith(f"00-{TRACE_ID}-")
    assert state is None


async def test_who_has_no_trace_is_told_of_none_and_a_header_of_the_task_stays(
    tmp_path: Path,
) -> None:
    seen = Seen()
    async with upstream(item=seen) as there:
        own = http("own", f"{there.url}/item", headers={"Traceparent": "mine"})
        flow = workflow("plain", http("call", f"{there.url}/item"), own)
        async with executing(tmp_path / "x.db", [flow]) as rig:
            await rig.run("plain")
            await rig.run("plain", fingerprint=b"other", traceparent=PARENT)

    assert seen.headers[:2] == [(None, None), ("mine", None)]
    assert seen.headers[3] == ("mine", None)
