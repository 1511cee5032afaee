"""What operators do to executions is in the audit log: once each, over crashes too."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import breakers_pb2, executor_pb2 as pb
from podium.registry.v1 import registry_pb2
from podium.worker.v1 import worker_pb2
from services.auditing import outbox
from services.auditing.calling import meant
from services.auditing.methods import CHANGES, short
from services.auditing.outbox import MOST_REFUSED, Sender
from services.errors import Conflict, InvalidRequest, NotFound, PermissionDenied, Unavailable
from services.executor.audited import OutboxRows
from services.rpc import on_behalf_of, raising_ours
from tests.executor.rig import ADMIN, Rig, executing, replica_of, step, workflow
from tests.executor.test_access import application
from tests.registry.registries import running, settings

VIEWER = {"kind": "application", "id": "viewer", "roles": ["VIEWER"]}
WORKER = {"kind": "application", "id": "hands", "roles": ["WORKER"]}
HELD = workflow("held", step("hold", "HUMAN"), step("later", "NOOP"))
METHODS = sorted(
    method for method in CHANGES if ".executor." in method or ".worker." in method
)  # fmt: skip

Entries = list[registry_pb2.AuditEntry]


async def kept(rig: Rig) -> Entries:
    rows = await OutboxRows(rig.store).first()
    return [registry_pb2.AuditEntry.FromString(blob) for _, blob in rows]


async def forget(rig: Rig) -> None:
    rows = OutboxRows(rig.store)
    await rows.drop([seq for seq, _ in await rows.first()])


async def held(rig: Rig, *before: str) -> str:
    """An execution that waits for somebody, to which ``before`` was done."""
    execution_id = await rig.begin("held")
    for name in before:
        await call(rig, name, execution_id)
    await forget(rig)
    return execution_id


_BEFORE = {
    "ResumeExecution": ("PauseExecution",),
    "RestartExecution": ("TerminateExecution",),
    "RetryExecution": ("TerminateExecution",),
    "RerunExecution": ("TerminateExecution",),
    "DeleteExecution": ("TerminateExecution",),
}
_MORE: dict[str, dict[str, Any]] = {
    "SkipTask": {"ref": "later"},
    "UpdateVariables": {"variables": '{"secret": "hidden"}'},
    "UpdateTask": {"ref": "hold", "status": pb.TASK_STATUS_COMPLETED, "output": '{"o": "hidden"}'},
}


async def call(rig: Rig, name: str, execution_id: str, caller: Any = ADMIN) -> Any:
    """The RPC of that name, about that execution where it is about one."""
    match name:
        case "SetBreaker":
            breaker = breakers_pb2.SetBreakerRequest(
                host="shop.example:443", mode=breakers_pb2.BREAKER_MODE_OPEN
            )
            return await rig.stub.SetBreaker(breaker, metadata=caller)
        case "RequeueTasks":
            queue = worker_pb2.RequeueTasksRequest(task_type="pack")
            return await rig.workers.RequeueTasks(queue, metadata=caller)
        case "OperateExecutions":
            many = pb.OperateExecutionsRequest(
                operation=pb.OPERATION_PAUSE, execution_ids=[execution_id]
            )
            return [each async for each in rig.stub.OperateExecutions(many, metadata=caller)]
    request = getattr(pb, f"{name}Request")(execution_id=execution_id, **_MORE.get(name, {}))
    return await getattr(rig.stub, name)(request, metadata=caller)


@pytest.mark.parametrize("method", METHODS)
async def test_each_change_is_one_entry_when_allowed_and_one_when_denied(
    tmp_path: Path, method: str
) -> None:
    name = short(method)
    async with executing(tmp_path / "x.db", [HELD, VIEWER]) as rig:
        execution_id = await held(rig, *_BEFORE.get(name, ()))
        for _ in range(2):
            with pytest.raises(PermissionDenied), raising_ours():
                await call(rig, name, execution_id, on_behalf_of("viewer"))
        denied = await kept(rig)
        await forget(rig)
        with raising_ours():
            await call(rig, name, execution_id)
        allowed = await kept(rig)

    assert [(each.outcome, each.principal, each.method) for each in (*denied, *allowed)] == [
        (registry_pb2.AUDIT_OUTCOME_DENIED, "application:viewer", name),
        (registry_pb2.AUDIT_OUTCOME_ALLOWED, "application:admin", name),
    ]
    (entry,) = allowed
    # One operation on many is called as that on one.
    assert entry.action == ("pause" if name == "OperateExecutions" else CHANGES[method].action)
    assert entry.via == "service:edge"
    assert b"hidden" not in entry.SerializeToString()


async def test_an_entry_says_how_the_execution_stood_and_stands(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [HELD]) as rig:
        execution_id = await held(rig)
        await call(rig, "PauseExecution", execution_id)
        (entry,) = await kept(rig)

    assert (entry.kind, entry.name) == ("execution", execution_id)
    assert (entry.before, entry.after) == ("RUNNING", "PAUSED")
    assert entry.detail == "workflow 'held'"


async def test_what_is_deleted_with_its_children_is_what_the_entry_tells_of(
    tmp_path: Path,
) -> None:
    child = workflow("child", step("n", "NOOP"))
    sub = {**step("sub", "SUB_WORKFLOW"), "subWorkflowParam": {"name": "child"}}
    async with executing(tmp_path / "x.db", [child, workflow("parent", sub)]) as rig:
        execution_id = (await rig.run("parent")).execution_id
        request = pb.DeleteExecutionRequest(execution_id=execution_id, with_children=True)
        deleted = await rig.stub.DeleteExecution(request, metadata=ADMIN)
        (entry,) = await kept(rig)

    assert len(deleted.execution_ids) == 2
    assert entry.name == execution_id
    assert entry.detail == "workflow 'parent'; with_children"


async def test_what_fails_is_an_entry_once_a_minute(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [HELD]) as rig:
        execution_id = await held(rig)
        for _ in range(3):
            with pytest.raises(Conflict), raising_ours():
                await call(rig, "RestartExecution", execution_id)
        with pytest.raises(NotFound), raising_ours():
            await call(rig, "PauseExecution", "nobody")
        entries = await kept(rig)

    assert [(each.outcome, each.method, each.name) for each in entries] == [
        (registry_pb2.AUDIT_OUTCOME_FAILED, "RestartExecution", execution_id),
        (registry_pb2.AUDIT_OUTCOME_FAILED, "PauseExecution", "nobody"),
    ]


async def test_the_work_of_workers_is_no_entry(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [HELD, WORKER]) as rig:
        execution_id = await held(rig)
        await call(rig, "UpdateTask", execution_id, on_behalf_of("hands"))

        assert await kept(rig) == []


async def test_one_operation_on_many_is_one_entry_with_what_came_of_it(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [HELD]) as rig:
        ids = [await rig.begin("held") for _ in range(40)]
        await call(rig, "PauseExecution", ids[0])
        await forget(rig)
        query = pb.OperateExecutionsRequest(operation=pb.OPERATION_PAUSE, query="wf:held")
        tried = pb.OperateExecutionsRequest(
            operation=pb.OPERATION_PAUSE, query="wf:held", dry_run=True
        )
        async for _ in rig.stub.OperateExecutions(tried, metadata=ADMIN):
            pass
        nothing = await kept(rig)
        async for _ in rig.stub.OperateExecutions(query, metadata=ADMIN):
            pass
        (entry,) = await kept(rig)

    assert nothing == []
    assert entry.detail == "pause on 39 executions of the query 'wf:held': 39 done."
    assert (entry.count, entry.action, entry.name) == (39, "pause", "")


async def operated(
    rig: Rig, operation: pb.Operation.ValueType, *ids: str, by: Any = ADMIN, **more: Any
) -> None:
    many = pb.OperateExecutionsRequest(operation=operation, execution_ids=ids, **more)
    with raising_ours():
        async for _ in rig.stub.OperateExecutions(many, metadata=by):
            pass


async def test_an_operation_that_did_nothing_was_denied_or_failed(tmp_path: Path) -> None:
    mine = workflow("mine", step("hold", "HUMAN"))
    grants = [("workflow", "mine", "EXECUTE"), ("workflow", "mine", "READ")]
    limited, me = application("limited", *grants), on_behalf_of("limited")
    async with executing(tmp_path / "x.db", [HELD, mine, limited]) as rig:
        theirs, own = await rig.begin("held"), await rig.begin("mine")
        for _ in range(3):
            await operated(rig, pb.OPERATION_TERMINATE, theirs, by=me)
        await operated(rig, pb.OPERATION_RESTART, theirs, by=me)
        await operated(rig, pb.OPERATION_PAUSE, "nope")
        with pytest.raises(NotFound), raising_ours():
            await call(rig, "PauseExecution", theirs, me)
        refused = await kept(rig)
        await forget(rig)
        await operated(rig, pb.OPERATION_TERMINATE, own, theirs, "nope", by=me)
        (partly,) = await kept(rig)

    denied, failed = registry_pb2.AUDIT_OUTCOME_DENIED, registry_pb2.AUDIT_OUTCOME_FAILED
    assert [(each.outcome, each.action, each.name) for each in refused] == [
        (denied, "terminate", theirs),
        (denied, "restart", theirs),
        (failed, "pause", "nope"),
        (denied, "pause", theirs),
    ]
    assert refused[0].detail == f"terminate on execution {theirs}: 1 refused."
    assert refused[2].detail == "pause on execution nope: 1 failed."
    assert partly.outcome == registry_pb2.AUDIT_OUTCOME_ALLOWED
    assert partly.detail.endswith(": 1 done, 1 refused, 1 failed.")


async def test_whoever_may_do_nothing_is_told_of_with_what_they_tried(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [HELD, VIEWER]) as rig:
        for ids in (["one"], [f"id{number}" for number in range(7)]):
            for operation in (pb.OPERATION_TERMINATE, pb.OPERATION_SKIP_TASK):
                with pytest.raises(PermissionDenied):
                    await operated(rig, operation, *ids, by=on_behalf_of("viewer"), ref="later")
        with pytest.raises(PermissionDenied), raising_ours():
            query = pb.OperateExecutionsRequest(operation=pb.OPERATION_PAUSE, query="wf:held")
            async for _ in rig.stub.OperateExecutions(query, metadata=on_behalf_of("viewer")):
                pass
        first, second, third = await kept(rig)

    assert (first.action, first.name) == ("terminate", "one")
    assert (second.action, second.name) == ("skip", "one")
    assert third.action == "pause"
    assert third.detail.endswith("It was asked of the query 'wf:held'.")


def test_of_many_that_are_named_an_entry_has_the_first_few() -> None:
    request = pb.OperateExecutionsRequest(execution_ids=[f"id{number}\n" for number in range(7)])

    assert meant(request, "execution_ids") == "id0?, id1?, id2?, id3?, id4? and 2 more"


async def test_an_operation_on_many_that_a_crash_breaks_off_is_told_so(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [HELD]) as rig:
        rows = OutboxRows(rig.store)
        entry = registry_pb2.AuditEntry(uid="many", detail="pause on 3 executions.", count=1)
        row = ("many", entry.SerializeToString(), 0, 1)
        await rig.store.writer.chore(partial(_run_all, rows=[row]))
        before = await kept(rig)
        await rows.let_all_go()
        (after,) = await kept(rig)

    assert before == []
    assert after.detail == "pause on 3 executions. It was broken off: the service ended."


def _run_all(db: sqlite3.Connection, rows: Sequence[Any]) -> None:
    db.executemany(outbox.PUT, rows)


async def test_refusals_that_wait_for_the_registry_are_bounded(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [HELD]) as rig:
        rows = [(f"u{n}", b"", 1, 0) for n in range(MOST_REFUSED)]
        await rig.store.writer.chore(partial(_run_all, rows=rows))
        with pytest.raises(NotFound), raising_ours():
            await call(rig, "PauseExecution", "nobody")
        execution_id = await rig.begin("held")
        await call(rig, "PauseExecution", execution_id)
        stored = await rig.store.readers.read(
            lambda db: db.execute(
                "SELECT refused, count(*) FROM audit_outbox GROUP BY 1"
            ).fetchall()
        )

    assert stored == [(0, 1), (1, MOST_REFUSED)]


Record = Callable[..., Awaitable[registry_pb2.RecordAuditEntriesResponse]]


async def sent(rig: Rig, record: Record) -> None:
    """Have all that is kept sent."""
    sender = Sender(OutboxRows(rig.store), record)
    async with sender.sending():
        await until_sent(rig)


async def until_sent(rig: Rig) -> None:
    for _ in range(2_000):
        if not await OutboxRows(rig.store).first():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it was not sent")


async def test_entries_outlive_the_process_and_arrive_in_order_once_each(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    replica = replica_of(HELD)
    names = ["PauseExecution", "ResumeExecution", "TerminateExecution"]
    async with executing(tmp_path / "x.db", replica) as rig:
        execution_id = await held(rig)
        for name in names:
            await call(rig, name, execution_id)
    async with (
        executing(tmp_path / "x.db", replica) as rig,
        running(settings(tmp_path / "registry")) as registry,
    ):
        record = registry.service("executor").RecordAuditEntries

        answers: list[int] = []

        async def lost(request: registry_pb2.RecordAuditEntriesRequest, **options: Any) -> Any:
            """The registry has it, and the answer is lost."""
            answer = await record(request, **options)
            answers.append(answer.added)
            if len(answers) == 1:
                raise Unavailable("gone")
            return answer

        await sent(rig, lost)
        wanted = registry_pb2.AuditFilter(kind="execution")
        log = await registry.admin.ListAuditEntries(
            registry_pb2.ListAuditEntriesRequest(filter=wanted)
        )

    assert answers == [3, 0]
    assert [each.method for each in reversed(log.entries)] == names


async def test_one_entry_that_nobody_takes_keeps_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    taken: list[str] = []

    async def picky(request: registry_pb2.RecordAuditEntriesRequest, **_: Any) -> Any:
        if any(each.name == "bad" for each in request.entries):
            raise InvalidRequest("no")
        taken.extend(each.name for each in request.entries)
        return registry_pb2.RecordAuditEntriesResponse()

    async with executing(tmp_path / "x.db", [HELD]) as rig:
        rows = [(name, _blob(name), 0, 0) for name in ("one", "bad", "two")]
        await rig.store.writer.chore(partial(_run_all, rows=rows))
        await sent(rig, picky)

    assert taken == ["one", "two"]

    # Nor does one that the log cannot even be told of.
    async with executing(tmp_path / "y.db", [HELD]) as rig:
        rows = [
            ("worse", b"\xff", 0, 0),
            ("three", _blob("three"), 0, 0),
            ("bad", _blob("bad"), 0, 0),
        ]
        await rig.store.writer.chore(partial(_run_all, rows=rows))
        sender = Sender(OutboxRows(rig.store), picky)
        async with sender.sending():
            await until_sent(rig)

    assert taken == ["one", "two", "three"]
    assert sender.dropped == 2
    assert "so it is dropped (2 by now): no" in caplog.text


def _blob(name: str) -> bytes:
    return registry_pb2.AuditEntry(uid=name, name=name).SerializeToString()


async def test_why_entries_wait_is_said_once_a_minute_unless_the_registry_is_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "_LONGEST_PAUSE_SECONDS", 0.01)
    now = 0.0
    errors = [Unavailable("away"), Conflict("first"), Conflict("second"), ValueError("third")]
    said: list[int] = []

    async def record(_: object, **__: object) -> registry_pb2.RecordAuditEntriesResponse:
        nonlocal now
        said.append(len(_of_sender(caplog)))
        if len(said) == 4:
            now = 60.0
        if errors:
            raise errors.pop(0)
        return registry_pb2.RecordAuditEntriesResponse()

    async with executing(tmp_path / "x.db", [HELD]) as rig:
        await rig.store.writer.chore(partial(_run_all, rows=[("one", _blob("one"), 0, 0)]))
        async with Sender(OutboxRows(rig.store), record, lambda: now).sending():
            await until_sent(rig)

    assert said == [0, 0, 1, 1, 2]
    first, second = _of_sender(caplog)
    assert first.endswith("which wait: CONFLICT: first")
    assert second == "Entries of the audit log could not be sent, and wait."


def _of_sender(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == outbox.__name__]
