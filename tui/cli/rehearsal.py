"""`podium test-workflow`: what a workflow comes to where its tasks come to what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podium.executor.v1 import executor_pb2 as pb
from tui.cli import sources
from tui.cli.main import HOME_OPTION
from tui.cli.session import call, fail, object_argument
from tui.cli.types import VERSION
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_json, examples
from tui.views.visible import in_one_line

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 60.0
MOCKS, WITHIN = "taskRefToMockOutput", "subWorkflowTestRequest"


@click.command(
    "test-workflow",
    epilog=examples(
        """podium test-workflow order --mocks '{"charge": [{"output": {"paid": true}}]}'""",
        "podium test-workflow @order.yaml --mocks @shop.json --output json",
    ),
)
@HOME_OPTION
@click.option("--version", type=VERSION, default=0, help="Default: the latest.")
@click.option("--input", "given", default="{}", metavar="JSON or @FILE", help="An object.")
@click.option(
    "--mocks",
    default="{}",
    metavar="JSON or @FILE",
    help="By reference, how each attempt ends; or a WorkflowTestRequest of Conductor.",
)
@OUTPUT_OPTION
@click.argument("workflow", metavar="WORKFLOW|@FILE")
def test_workflow(
    home: Path | None, version: int, given: str, mocks: str, output: str, workflow: str
) -> None:
    """Run WORKFLOW, or the one of a FILE, with what its tasks would do outside said beforehand.

    Nothing is stored and nothing goes out; what waits for a moment has it at once. A mock is
    {"status", "output", "executionTime", "queueWaitTime"}, the times in milliseconds; each attempt
    takes the next of its list. Ends with 1 if the workflow ends other than COMPLETED.
    """
    request = _request(json.loads(object_argument(mocks)))
    if workflow.startswith("@"):
        if version:
            raise click.UsageError("--version goes with a WORKFLOW of the registry.")
        request.workflow_definition = json.dumps(_of_file(Path(workflow[1:])))
    else:
        request.workflow_name, request.workflow_version = workflow, version
    if given != "{}" or not request.input:
        request.input = object_argument(given)

    async def work(clients: Clients) -> int:
        answer = await clients.executor.TestWorkflow(request, timeout=CALL_SECONDS)
        document = json.loads(answer.document)
        if output != "text":
            echo_data(_data(document, answer), output)
        else:
            _show(document, answer)
        return int(document["status"] != "COMPLETED")

    call(home, work)


def _request(mocks: dict[str, Any]) -> pb.TestWorkflowRequest:
    """Of the mocks alone, or of all that Conductor's request has."""
    if MOCKS not in mocks and WITHIN not in mocks:
        return pb.TestWorkflowRequest(mocks=json.dumps(mocks))
    return pb.TestWorkflowRequest(
        mocks=json.dumps(mocks.get(MOCKS) or {}),
        sub_workflow_tests=json.dumps(mocks.get(WITHIN) or {}),
        input=json.dumps(mocks.get("input") or {}),
    )


def _of_file(path: Path) -> dict[str, Any]:
    found = sources.read([path])
    for fault in found.faults:
        fail(in_one_line(str(fault)))
    documents = [json.loads(put.document) for put in found.puts]
    workflows = [each for each in documents if each.get("kind", "workflow") == "workflow"]
    if len(workflows) != 1:
        fail(f"{path} has {len(workflows)} workflows; one is tested.")
    return {name: value for name, value in workflows[0].items() if name != "kind"}


def _data(document: dict[str, Any], answer: pb.TestWorkflowResponse) -> dict[str, Any]:
    return {
        "execution": document,
        "subWorkflows": [json.loads(each) for each in answer.sub_workflows],
        "waiting": list(answer.waiting_refs),
        "unmocked": list(answer.unmocked_refs),
        "unused": list(answer.unused_refs),
        "stopped": answer.stopped or None,
    }


def _show(document: dict[str, Any], answer: pb.TestWorkflowResponse) -> None:
    """Its tasks line by line, how it ended, its output."""
    for task in document["tasks"]:
        reason = task.get("reasonForIncompletion") or ""
        line = f"{task['status']:<26} {task['referenceTaskName']} ({task['taskType']})  {reason}"
        click.echo(in_one_line(line.rstrip()))
    why = document.get("reasonForIncompletion") or answer.stopped
    click.echo(in_one_line(f"{document['status']}{': ' + why if why else ''}"))
    for said, refs in (
        ("Without a mock", answer.unmocked_refs),
        ("No task took the mocks of", answer.unused_refs),
    ):
        if refs:
            click.echo(in_one_line(f"{said}: {', '.join(refs)}"), err=True)
    if document.get("output"):
        echo_json(document["output"])
