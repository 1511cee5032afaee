"""Lines for the log of a task that has ended are kept, and change nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2
from podium.worker.v1 import worker_pb2 as pb
from services.errors import NotFound, PermissionDenied
from services.executor import turn_rows
from services.executor.core.turns import MOST_LOG_LINES
from services.executor.workers.handing import MOST_LINE_BYTES
from services.rpc import on_behalf_of, raising_ours
from tests.executor.rig import ADMIN, Rig, executing, put, secret, step, workflow
from tests.executor.test_echoed import bytes_below
from tests.executor.test_kin import child_of, document, sub
from tests.executor.working import DONE, FAILED, poll, result, update

ONE = workflow("one", {**step("t", "SIMPLE"), "name": "a"})
TWO = workflow("two", {**step("t", "SIMPLE"), "name": "a"}, {**step("u", "SIMPLE"), "name": "b"})

DOES = [
    {"kind": "application", "id": name, "permissions": [
        {"target": {"type": "task", "id": task}, "access": ["EXECUTE"]}]}
    for name, task in (("does-a", "a"), ("does-b", "b"))
]  # fmt: skip


async def says(
    rig: Rig, task: pb.Task, *lines: str, execution_id: str = "", caller: Any = ADMIN
) -> None:
    request = pb.AddTaskLogRequest(
        task_id=task.task_id, execution_id=execution_id, lines=lines, lenient=True
    )
    with raising_ours():
        await rig.workers.AddTaskLog(request, metadata=caller)


async def answers(rig: Rig, task: pb.Task, logs: Sequence[str] = (), **said: Any) -> None:
    """As Conductor's worker does, and again where its answer was lost."""
    word = pb.UpdateTaskRequest(result=result(task, logs=logs, **said), lenient=True)
    await rig.workers.UpdateTask(word, metadata=ADMIN)


async def logged(rig: Rig, task: pb.Task) -> list[str]:
    request = pb.ListTaskLogsRequest(task_id=task.task_id, execution_id=task.execution_id)
    told = await rig.workers.ListTaskLogs(request, metadata=ADMIN)
    return [each.line for each in told.lines]


async def standing(rig: Rig, execution_id: str) -> tuple[str, int]:
    """The execution as it is told, and the last revision."""
    return (await rig.get(execution_id)).document, rig.runtime.feed.head


@pytest.mark.parametrize("definition", [ONE, TWO], ids=["with its execution", "alone"])
async def test_they_are_kept_and_change_nothing_else(tmp_path: Path, definition: Any) -> None:
    async with executing(tmp_path / "x.db", [definition]) as rig:
        id = await rig.begin(definition["name"])
        (task,) = await poll(rig, "a")
        await says(rig, task, "while it runs")
        await answers(rig, task, ["with its end"], output={"n": 1})
        before = await standing(rig, id)
        await says(rig, task, "after")
        await answers(rig, task, ["another word"], status=FAILED, output={"n": 2})

        assert await standing(rig, id) == before
        lines = ["while it runs", "with its end", "after", "another word"]
        assert await logged(rig, task) == lines
        await says(rig, task, "after")
        assert await logged(rig, task) == [*lines, "after"]


async def test_a_word_that_is_said_again_logs_nothing_again(tmp_path: Path) -> None:
    retried = {"kind": "task", "name": "a", "retryCount": 1, "retryDelaySeconds": 0}
    async with executing(tmp_path / "x.db", [ONE, retried]) as rig:
        await rig.begin("one")
        (first,) = await poll(rig, "a")
        for _ in range(2):
            await answers(rig, first, ["it failed"], status=FAILED, output={"n": 1})
        (second,) = await poll(rig, "a")
        for _ in range(2):
            await answers(rig, first, ["it failed"], status=FAILED, output={"n": 1})
            await answers(rig, second, ["it is done"], status=DONE)

        assert await logged(rig, first) == ["it failed"]
        assert await logged(rig, second) == ["it is done"]


async def test_those_of_an_earlier_attempt_are_in_its_log(tmp_path: Path) -> None:
    retried = {"kind": "task", "name": "a", "retryCount": 1, "retryDelaySeconds": 0}
    async with executing(tmp_path / "x.db", [ONE, retried]) as rig:
        await rig.begin("one")
        (first,) = await poll(rig, "a")
        await answers(rig, first, status=FAILED)
        (second,) = await poll(rig, "a")
        await says(rig, first, "of the first")
        await says(rig, second, "of the second")
        await answers(rig, second)
        await says(rig, first, "of the first, later")

        assert await logged(rig, first) == ["of the first", "of the first, later"]
        assert await logged(rig, second) == ["of the second"]


@pytest.mark.parametrize("before", [0, MOST_LOG_LINES - 3, MOST_LOG_LINES])
async def test_a_log_has_no_more_lines_nor_longer_ones_than_that_of_a_task_that_runs(
    tmp_path: Path, before: int
) -> None:
    async with executing(tmp_path / "x.db", [ONE]) as rig:
        await rig.begin("one")
        (task,) = await poll(rig, "a")
        await says(rig, task, *[f"{n}" for n in range(before)])
        await answers(rig, task)
        await says(rig, task, "é" * MOST_LINE_BYTES, "nul: \0")
        await says(rig, task, *["more"] * (MOST_LOG_LINES + 1))

        late = ["é" * (MOST_LINE_BYTES // 2), "nul: \ufffd", *["more"] * MOST_LOG_LINES]
        kept = [*[f"{n}" for n in range(before)], *late][:MOST_LOG_LINES]
        assert await logged(rig, task) == kept


async def test_what_runs_again_writes_over_none_of_them(tmp_path: Path) -> None:
    """A task that waits again for what it has started has its own count of what it has logged."""
    leaf = workflow("leaf", step("ask", "HUMAN"))
    async with executing(tmp_path / "x.db", [leaf, workflow("root", sub("s", "leaf"))]) as rig:
        id = await rig.begin("root")
        child = await child_of(rig, id)
        task_id = (await document(rig, id))["tasks"][0]["taskId"]
        held = pb.Task(task_id=task_id, execution_id=id)
        await says(rig, held, "first", execution_id=id)
        terminate = executor_pb2.TerminateExecutionRequest(execution_id=child)
        await rig.stub.TerminateExecution(terminate, metadata=ADMIN)
        await rig.ended(id)
        await says(rig, held, "late")
        again = executor_pb2.RetryExecutionRequest(execution_id=child)
        await rig.stub.RetryExecution(again, metadata=ADMIN)
        await says(rig, held, "while it runs again")

        assert sorted(await logged(rig, held)) == ["first", "late", "while it runs again"]


async def test_secrets_are_masked_in_them_as_in_others(tmp_path: Path) -> None:
    given = step("t", "SIMPLE", key="${workflow.secrets.KEY}") | {"name": "a"}
    retried = {"kind": "task", "name": "a", "retryCount": 1, "retryDelaySeconds": 0}
    known = [workflow("one", given), retried, secret("KEY", "a-secret-word")]
    async with executing(tmp_path / "x.db", known) as rig:
        await rig.begin("one")
        (first,) = await poll(rig, "a")
        await answers(rig, first, status=FAILED)
        await says(rig, first, "while the next waits: a-secret-word")
        (second,) = await poll(rig, "a")
        await says(rig, first, "while the next runs: a-secret-word")
        await answers(rig, second)
        await answers(rig, first, ["in a word: a-secret-word"], output={"n": 1})
        await says(rig, second, "after all: a-secret-word")
        lines = [*await logged(rig, first), *await logged(rig, second)]
    stored = bytes_below(tmp_path)

    assert [line.partition(": ")[2] for line in lines] == ["***"] * 4
    assert b"a-secret-word" not in stored


async def test_who_may_not_do_the_task_adds_none(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [TWO]) as rig:
        put(rig.replica, *DOES)
        await rig.begin("two")
        (task,) = await poll(rig, "a")
        await answers(rig, task)
        with pytest.raises(PermissionDenied):
            await says(rig, task, "no", caller=on_behalf_of("does-b"))
        await says(rig, task, "yes", caller=on_behalf_of("does-a"))

        assert await logged(rig, task) == ["yes"]


async def test_who_had_an_attempt_is_heard_while_the_next_one_waits_for_its_time(
    tmp_path: Path,
) -> None:
    retried = {"kind": "task", "name": "a", "retryCount": 1, "retryDelaySeconds": 60}
    async with executing(tmp_path / "x.db", [ONE, retried]) as rig:
        put(rig.replica, *DOES)
        await rig.begin("one")
        (first,) = await poll(rig, "a")
        await answers(rig, first, status=FAILED)
        await says(rig, first, "yes", caller=on_behalf_of("does-a"))
        with pytest.raises(PermissionDenied):
            await says(rig, first, "no", caller=on_behalf_of("does-b"))

        assert await logged(rig, first) == ["yes"]


async def test_what_is_deleted_takes_its_logs_along_and_gets_no_more(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [ONE]) as rig:
        id = await rig.begin("one")
        (task,) = await poll(rig, "a")
        await says(rig, task, "while it runs")
        await update(rig, result(task))
        await says(rig, task, "after")
        gone = executor_pb2.DeleteExecutionRequest(execution_id=id)
        await rig.stub.DeleteExecution(gone, metadata=ADMIN)
        for execution_id in ("", id):
            with pytest.raises(NotFound):
                await says(rig, task, "too late", execution_id=execution_id)
        rows = await rig.store.readers.read(turn_rows.task_logs, id, task.task_id)

    assert rows == []
