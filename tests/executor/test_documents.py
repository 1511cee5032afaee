"""Large documents: written as any other one, and not in the loop."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from podium.executor.v1 import executor_pb2 as pb
from services.executor.core.model import Json
from services.executor.documents import LARGE_CHARS, Writing, is_large, text_of
from services.executor.unfolding import Unfolded
from tests.executor.rig import ADMIN, Rig, executing, http, step, upstream, workflow

ROWS: list[Json] = [{"n": number, "text": "x" * 20} for number in range(10_000)]

texts = st.text(st.characters(exclude_categories=()), max_size=5)
documents: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=150) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=200,
)


@given(documents)
def test_a_large_document_has_the_text_of_any_other_one(document: Json) -> None:
    writing = Writing()
    twice: Json = {"response": {"body": document}, "body": document}

    assert writing.text_of(twice) == text_of(twice)
    assert writing.text_of(document) == text_of(document)
    assert writing.text_of(twice) is writing.text_of(twice)


def test_what_cannot_be_stored_is_not_written() -> None:
    with pytest.raises(TypeError):
        Writing().text_of({"a": [object()]})


@pytest.mark.parametrize(
    ("document", "large"),
    [
        ("x" * LARGE_CHARS, True),
        (["x" * 1000] * (LARGE_CHARS // 1000), True),
        ([0] * LARGE_CHARS, True),
        ({"a": {"b": [list(range(1000))] * 100}}, True),
        ({"a": "x" * 1000, "b": list(range(1000))}, False),
        (None, False),
    ],
)
def test_a_document_is_large_by_its_text(document: Json, large: bool) -> None:
    assert is_large(document) == large


def noting(work: Callable[..., object], threads: list[threading.Thread]) -> Callable[..., object]:
    def noted(*arguments: object) -> object:
        threads.append(threading.current_thread())
        return work(*arguments)

    return noted


# It handles a megabyte a few times, and starts a script worker.
async def test_large_documents_go_through_all_that_small_ones_do(tmp_path: Path) -> None:
    async with upstream(rows=lambda _: ROWS) as remote:
        count = step("count", "INLINE", expression="$.rows.length", rows="${call.output.body}")
        count["inputParameters"]["evaluatorType"] = "javascript"
        flow = workflow("w", http("call", f"{remote.url}/rows"), count, step("hold", "WAIT"))
        async with executing(tmp_path / "x.db", [flow], scripts=1) as rig:
            execution_id = await rig.begin("w", input={"rows": ROWS})
            await update(rig, execution_id, {"rows": ROWS})
            result = await rig.ended(execution_id)
            document = json.loads((await rig.get(execution_id)).document)

    outputs = {task["referenceTaskName"]: task["outputData"] for task in document["tasks"]}
    assert result.status == pb.EXECUTION_STATUS_COMPLETED
    assert document["input"] == {"rows": ROWS}
    assert outputs["call"]["body"] == outputs["call"]["response"]["body"] == ROWS
    assert outputs["count"] == {"result": len(ROWS)}
    assert outputs["hold"] == {"rows": ROWS}


async def update(
    rig: Rig,
    execution_id: str,
    output: Json,
    status: pb.TaskStatus.ValueType = pb.TASK_STATUS_COMPLETED,
) -> None:
    """End ``hold`` once it is there."""
    async with asyncio.timeout(10):
        while not any(task.ref == "hold" for task in (await rig.get(execution_id)).tasks):
            pass
    await rig.stub.UpdateTask(
        pb.UpdateTaskRequest(
            execution_id=execution_id,
            ref="hold",
            status=status,
            output=json.dumps(output),
        ),
        metadata=ADMIN,
    )


async def test_only_what_is_large_is_decided_outside_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []
    monkeypatch.setattr(Unfolded, "decide", noting(Unfolded.decide, threads))
    flow = workflow("w", step("say", "NOOP"))
    async with executing(tmp_path / "x.db", [flow]) as rig:
        await rig.run("w", input={"rows": ROWS[:10]})
        await rig.run("w", input={"rows": ROWS})

    assert [each is threading.main_thread() for each in threads] == [True, False]


async def test_nothing_large_is_written_in_the_loop_not_even_for_a_failure_workflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []
    monkeypatch.setattr(Writing, "_written", noting(Writing._written, threads))
    undo = workflow("undo", step("n", "NOOP"))
    flow = workflow("w", step("hold", "WAIT"), failureWorkflow="undo")
    async with executing(tmp_path / "x.db", [undo, flow]) as rig:
        execution_id = await rig.begin("w", input={"rows": ROWS})
        await update(rig, execution_id, {}, pb.TASK_STATUS_FAILED_WITH_TERMINAL_ERROR)
        asked = pb.ListExecutionsRequest(workflow_name="undo")
        async with asyncio.timeout(10):
            while not (await rig.stub.ListExecutions(asked, metadata=ADMIN)).executions:
                pass

    assert threads
    assert threading.main_thread() not in threads
