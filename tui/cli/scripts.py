"""`podium test-script`: what a script of a route gives, tried without a call."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.edge.v1 import edge_pb2
from tui.cli.main import HOME_OPTION
from tui.cli.session import call, document_argument
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_json, examples
from tui.views.visible import visible

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 40.0


@click.command(
    epilog=examples(
        """podium test-script '$.a + 1' --payload '{"a": 1}'""",
        "podium test-script @before.js --payload @call.json",
    )
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option(
    "--payload",
    default="{}",
    show_default=True,
    help="What the script sees as $: JSON, or @FILE.",
)
@click.argument("script", metavar="JAVASCRIPT|@FILE|-")
def test_script(home: Path | None, output: str, payload: str, script: str) -> None:
    """Run a script as the gateway would and print what it gives.

    It is JavaScript, @FILE for what the file holds, or - for standard input. Ends with 1 if it
    fails, with the line where it did.
    """
    names_a_file = _names_a_file(script)
    request = edge_pb2.TestScriptRequest(script=_source(script), payload=document_argument(payload))

    async def work(clients: Clients) -> int:
        answer = await clients.edge.TestScript(request, timeout=CALL_SECONDS)
        failed = answer.HasField("fault")
        if output != "text":
            echo_data(_document(answer), output)
        elif failed:
            click.echo(visible(answer.fault.message), err=True)
        else:
            echo_json(json.loads(answer.result))
        if failed and names_a_file:
            click.echo(f"podium: {script} is a file here; @{script} runs what it holds.", err=True)
        return int(failed)

    call(home, work)


def _names_a_file(script: str) -> bool:
    try:
        return Path(script).is_file()
    except OSError:
        # Most scripts are longer than a file's name may be.
        return False


def _source(script: str) -> str:
    if script == "-":
        return sys.stdin.read()
    if not script.startswith("@"):
        return script
    path = Path(script[1:])
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise click.BadParameter(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{path} is no UTF-8 text.") from error


def _document(answer: edge_pb2.TestScriptResponse) -> dict[str, object]:
    took = round(answer.took.ToMicroseconds() / 1000, 3)
    if not answer.HasField("fault"):
        return {"result": json.loads(answer.result), "tookMs": took}
    fault = answer.fault
    told = {"message": fault.message, "line": fault.line or None, "timedOut": fault.timed_out}
    return {"fault": told, "tookMs": took}
