"""A workflow run with mocked tasks, from the console."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from podium.executor.v1 import executor_pb2 as pb
from services.errors import ServiceError
from services.rpc import raising_ours
from tui.resources.catalog import Definition
from tui.resources.model import Action, Danger, ItemResult, Question
from tui.views.command_lines import command_line
from tui.views.statuses import look_of_execution

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 60.0
_FIRST = ("status", "reasonForIncompletion", "output", "variables", "tasks")
_DEFINITION = "workflowDefinition"


async def _test(
    clients: Clients, rows: Sequence[Definition], answers: Mapping[str, str]
) -> AsyncIterator[ItemResult]:
    for row in rows:
        request = pb.TestWorkflowRequest(
            workflow_name=row.id,
            mocks=answers.get("mocks") or "{}",
            input=answers.get("input") or "{}",
        )
        try:
            with raising_ours():
                answer = await clients.executor.TestWorkflow(request, timeout=CALL_SECONDS)
        except ServiceError as error:
            yield ItemResult(row.id, False, error.detail)
        else:
            yield _result(row.id, answer)


def _result(id_: str, answer: pb.TestWorkflowResponse) -> ItemResult:
    document = json.loads(answer.document)
    status = str(document["status"])
    why = document.get("reasonForIncompletion") or answer.stopped
    if answer.unmocked_refs:
        why = f"without a mock: {', '.join(answer.unmocked_refs)}"
    if answer.unused_refs:
        unused = f"no task took the mocks of {', '.join(answer.unused_refs)}"
        why = f"{why}; {unused}" if why else unused
    told = f"{look_of_execution(status).label}: {why}".removesuffix(": ")
    whole = json.dumps(_telling(document), indent=2, ensure_ascii=False)
    return ItemResult(id_, status == "COMPLETED", told, document=whole)


def _telling(document: Mapping[str, Any]) -> dict[str, Any]:
    """First what it came to; what it ran is known."""
    first = {name: document[name] for name in _FIRST if document.get(name) not in (None, "")}
    rest = {name: value for name, value in document.items() if name not in (*first, _DEFINITION)}
    return first | rest


def _command(rows: Sequence[Definition], answers: Mapping[str, str]) -> str:
    options = [
        *(("--mocks", answers["mocks"]) if answers.get("mocks") else ()),
        *(("--input", answers["input"]) if answers.get("input") else ()),
    ]
    return command_line(["test-workflow", *options], rows[0].id)


def _effect(rows: Sequence[Definition]) -> str:
    return (
        "It is run without its world: nothing is stored, and nothing goes out. What came of it is "
        "shown whole."
    )


TEST: Action[Definition] = Action(
    "workflows.test", "t", "Test", "Run it with what its tasks would do outside said beforehand.",
    _test, _command, effect=_effect, danger=Danger.ASKS, many=False, writes=False,
    questions=(
        Question("mocks", "Mocks (by reference, a list of {status, output})", "{}"),
        Question("input", "Input (a JSON object)", "{}"),
    ),
)  # fmt: skip
