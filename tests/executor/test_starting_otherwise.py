"""Starts by the workflow's key, with each strategy, and starts of what is not put."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import AlreadyExists, InvalidRequest, PermissionDenied, ServiceError, TooLarge
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, new_id, secret, start, step, workflow
from tests.executor.test_access import application
from tests.executor.test_kin import document

WAITING = workflow("waiting", step("hold", "WAIT"))
QUICK = workflow("quick", step("n", "NOOP"))
FAIL = pb.IDEMPOTENCY_STRATEGY_FAIL
EXISTING = pb.IDEMPOTENCY_STRATEGY_RETURN_EXISTING
ON_RUNNING = pb.IDEMPOTENCY_STRATEGY_FAIL_ON_RUNNING


async def begin(rig: Rig, name: str, **fields: Any) -> pb.StartExecutionResponse:
    with raising_ours():
        return await rig.stub.StartExecution(
            pb.StartExecutionRequest(start=start(name, **{"fingerprint": b"", **fields}))
        )


async def test_a_key_of_a_workflow_is_one_execution_over_restarts(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        first = await begin(rig, "waiting", workflow_key="k")
        other = await begin(rig, "quick", workflow_key="k")
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        for strategy in (pb.IDEMPOTENCY_STRATEGY_UNSPECIFIED, FAIL, ON_RUNNING):
            with pytest.raises(AlreadyExists, match="it is RUNNING") as caught:
                await begin(rig, "waiting", workflow_key="k", idempotency_strategy=strategy)
            assert caught.value.metadata["execution_id"] == first.execution_id
        same = await begin(rig, "waiting", workflow_key="k", idempotency_strategy=EXISTING)
        another = await begin(rig, "waiting", workflow_key="l", idempotency_strategy=EXISTING)

    assert (first.existing, same.existing, another.existing) == (False, True, False)
    assert same.execution_id == first.execution_id
    assert len({first.execution_id, other.execution_id, another.execution_id}) == 3


async def test_after_its_end_the_strategies_part(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        first = await begin(rig, "quick", workflow_key="k")
        await rig.ended(first.execution_id)
        with pytest.raises(AlreadyExists, match="it is COMPLETED"):
            await begin(rig, "quick", workflow_key="k")
        same = await begin(rig, "quick", workflow_key="k", idempotency_strategy=EXISTING)
        new = await begin(rig, "quick", workflow_key="k", idempotency_strategy=ON_RUNNING)
        # The new one has the key from now on.
        last = await begin(rig, "quick", workflow_key="k", idempotency_strategy=EXISTING)

    assert same.execution_id == first.execution_id != new.execution_id == last.execution_id


@pytest.mark.parametrize("strategy", [FAIL, EXISTING, ON_RUNNING])
async def test_of_many_at_once_one_begins(tmp_path: Path, strategy: Any) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        asked = (
            begin(rig, "waiting", workflow_key="k", idempotency_strategy=strategy)
            for _ in range(20)
        )
        told = await asyncio.gather(*asked, return_exceptions=True)
        running = rig.runtime.tally.running

    ids = {each.execution_id for each in told if isinstance(each, pb.StartExecutionResponse)}
    refused = [each for each in told if isinstance(each, ServiceError)]
    assert (running, len(ids)) == (1, 1)
    assert len(refused) == (0 if strategy == EXISTING else 19)
    assert all(isinstance(each, AlreadyExists) for each in refused)


async def test_the_same_start_sent_again_is_that_one(tmp_path: Path) -> None:
    fields: dict[str, Any] = {"execution_id": new_id(), "fingerprint": b"f", "workflow_key": "k"}
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        first = await begin(rig, "quick", **fields)
        await rig.ended(first.execution_id)
        again = await begin(rig, "quick", **fields)

    assert again == first


async def test_a_result_is_that_of_the_one_that_is_there(tmp_path: Path) -> None:
    flow = workflow("flow", step("n", "NOOP"), outputParameters={"x": "${workflow.input.x}"})
    async with executing(tmp_path / "x.db", [flow]) as rig:
        fields: dict[str, Any] = {"workflow_key": "k", "idempotency_strategy": EXISTING}
        first = await rig.run("flow", input={"x": 1}, **fields)
        again = await rig.run("flow", input={"x": 2}, **fields)

    assert (json.loads(again.output), again.execution_id) == ({"x": 1}, first.execution_id)


@pytest.mark.parametrize(
    "fields",
    [{"workflow_key": "k", "idempotency_key": b"k"}, {"workflow_key": "k" * 1001},
     {"workflow_key": "k", "idempotency_strategy": 9}, {"workflow_key": "k\0"}],
)  # fmt: skip
async def test_a_key_that_is_none_is_refused(tmp_path: Path, fields: dict[str, Any]) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        with pytest.raises(InvalidRequest):
            await begin(rig, "quick", **{"fingerprint": b"f", **fields})


def defined(name: str, *tasks: Any, **more: Any) -> str:
    return json.dumps({"name": name, "version": 7, "tasks": list(tasks), **more})


async def test_a_definition_that_is_not_put_is_run_and_kept(tmp_path: Path) -> None:
    text = defined("new", step("hold", "WAIT"), outputParameters={"x": "${workflow.input.x}"})
    async with executing(tmp_path / "x.db") as rig:
        begun = await begin(rig, "new", workflow_definition=text, input={"x": 1})
    async with executing(tmp_path / "x.db") as rig:
        found = await document(rig, begun.execution_id)
        await rig.stub.UpdateTask(
            pb.UpdateTaskRequest(
                execution_id=begun.execution_id, ref="hold", status=pb.TASK_STATUS_COMPLETED
            ),
            metadata=ADMIN,
        )
        result = await rig.ended(begun.execution_id)

    assert (found["workflowName"], found["workflowVersion"]) == ("new", 7)
    assert json.loads(result.output) == {"x": 1}


async def test_who_may_only_run_workflows_has_no_secrets_in_one_of_its_own(
    tmp_path: Path,
) -> None:
    tells = step("h", "HTTP", uri="http://127.0.0.1:9/${workflow.secrets.KEY}", method="GET")
    every = application("every", ("workflow", "*", "EXECUTE"))
    some = application("some", ("workflow", "new", "EXECUTE"))
    makes = ("workflow", "new", "CREATE"), ("workflow", "new", "EXECUTE")
    maker = application("maker", *makes, ("secret", "KEY", "READ"))
    other = application("other", *makes, ("secret", "OTHER", "READ"))
    known = [every, some, maker, other, secret("KEY", "s")]
    async with executing(tmp_path / "x.db", known) as rig:
        text = defined("new", tells)
        snapshots = {}
        for name in ("every", "maker"):
            begun = await begin(rig, "new", workflow_definition=text, on_behalf_of=name)
            snapshots[name] = await rig.store.readers.read(
                lambda db, id: db.execute(
                    "SELECT document FROM snapshots JOIN executions ON hash = snapshot "
                    "WHERE id = ?", (id,)
                ).fetchone()[0],
                begun.execution_id,
            )  # fmt: skip
        for name in ("some", "other"):
            with pytest.raises(PermissionDenied):
                await begin(rig, "new", workflow_definition=text, on_behalf_of=name)

    assert json.loads(snapshots["every"])["secrets"] is False
    assert "secrets" not in json.loads(snapshots["maker"])


async def test_who_brings_a_workflow_along_needs_read_on_what_a_task_definition_lends_it(
    tmp_path: Path,
) -> None:
    lending = {"kind": "task", "name": "h",
               "inputTemplate": {"headers": {"X": "${workflow.secrets.KEY}"}}}  # fmt: skip
    makes = ("workflow", "new", "CREATE"), ("workflow", "new", "EXECUTE")
    maker = application("maker", *makes)
    reader = application("reader", *makes, ("secret", "KEY", "READ"))
    known = [maker, reader, lending, secret("KEY", "s")]
    text = defined("new", step("h", "HTTP", uri="http://127.0.0.1:9/", method="GET"))
    async with executing(tmp_path / "x.db", known) as rig:
        with pytest.raises(PermissionDenied):
            await begin(rig, "new", workflow_definition=text, on_behalf_of="maker")
        await begin(rig, "new", workflow_definition=text, on_behalf_of="reader")


STARTED = {
    "hidden": {"name": "hidden"}, "absent": {"name": "absent"}, "later": {"name": "${x}"},
}  # fmt: skip


@pytest.mark.parametrize("started", STARTED)
async def test_a_definition_that_is_not_put_starts_what_its_caller_may_use(
    tmp_path: Path, started: str
) -> None:
    makes = ("workflow", "new", "CREATE"), ("workflow", "new", "EXECUTE")
    maker = application("maker", *makes, ("tag", "eu", "READ"))
    every = application("every", *makes, ("workflow", "*", "READ"))
    hidden = workflow("hidden", step("n", "NOOP"))
    seen = workflow("seen", step("n", "NOOP"), tags=["eu"])

    def text(param: dict[str, str]) -> str:
        return defined("new", {**step("s", "SUB_WORKFLOW"), "subWorkflowParam": param})

    async with executing(tmp_path / "x.db", [maker, every, hidden, seen]) as rig:
        for name, param in (("maker", {"name": "seen"}), ("every", STARTED[started])):
            await begin(rig, "new", workflow_definition=text(param), on_behalf_of=name)
        waits = step("s", "WAIT_FOR_WEBHOOK", webhook=STARTED[started]["name"])
        for refused in (text(STARTED[started]), defined("new", waits)):
            with pytest.raises(PermissionDenied):
                await begin(rig, "new", workflow_definition=refused, on_behalf_of="maker")


@pytest.mark.parametrize(
    ("text", "error"),
    [("{", InvalidRequest), ("[]", InvalidRequest), (defined("other"), InvalidRequest),
     (defined("new", {"name": "x"}), InvalidRequest),
     (defined("new", step("a", "NOOP"), step("a", "NOOP")), InvalidRequest),
     ('{"name": "new", "x": "' + "x" * 1_000_000 + '"}', TooLarge)],
)  # fmt: skip
async def test_a_definition_that_cannot_be_run_is_refused(
    tmp_path: Path, text: str, error: type[ServiceError]
) -> None:
    async with executing(tmp_path / "x.db") as rig:
        with pytest.raises(error):
            await begin(rig, "new", workflow_definition=text)
