"""`podium status`: are the three well, where are they, and which version are they?"""

from __future__ import annotations

import asyncio
import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podium.edge.v1 import edge_pb2
from podium.executor.v1 import executor_pb2
from podium.registry.v1 import registry_pb2
from services.errors import DeadlineExceeded, ServiceError, Unauthenticated, Unavailable
from services.locks import is_held
from services.rpc import raising_ours
from tui.cli.main import HOME_OPTION
from tui.cli.session import ask, misunderstandings
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_lines, examples
from tui.clients import check_serving, connected
from tui.suite import HomeUnusable, Suite, verifying
from tui.views.services import restored_lines, service_line

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tui.clients import Clients

CALL_SECONDS = 3.0


@click.command(epilog=examples("podium status", "podium status --output json"))
@HOME_OPTION
@OUTPUT_OPTION
def status(home: Path | None, output: str) -> None:
    """Show the health of the three services; ends with 1 if one does not answer."""

    async def work(suite: Suite) -> int:
        addresses = {"registry": suite.registry, "executor": suite.executor, "edge": suite.edge}
        rows = [
            {"service": name, "address": address, **facts, **_pid(suite, name)}
            for (name, address), facts in zip(addresses.items(), await _facts(suite), strict=True)
        ]
        document = {
            "podium": version("podium"),
            "gateway": suite.gateway,
            "management": suite.management,
            "services": rows,
        }
        if output != "text":
            echo_data(document, output)
        else:
            _print(document)
        if any(row["status"] == "AWAY" for row in rows) and (why := await misunderstandings(suite)):
            click.echo(f"podium: {why}.", err=True)
        return int(any(row["status"] != "SERVING" for row in rows))

    ask(home, work)


async def _facts(suite: Suite) -> list[dict[str, Any]]:
    """Of registry, executor and edge."""
    try:
        async with connected(suite, CALL_SECONDS) as clients:
            return await _asked(_registry(clients), _executor(clients), _edge(clients))
    except (Unavailable, DeadlineExceeded):
        # The registry gives no token: the others are asked for what they tell anybody.
        others = await _asked(_open_executor(suite), _open_edge(suite))
        return [{"status": "AWAY"}, *others]


def _pid(suite: Suite, name: str) -> dict[str, Any]:
    """The process id that `podium up` wrote down, while both it and that process live."""
    if suite.home is None or not is_held(suite.home.lock_path):
        return {}
    try:
        pids: Any = suite.home.endpoints()["pids"]
        os.kill(pids[name], 0)
    except (HomeUnusable, LookupError, TypeError, OSError):
        return {}
    return {"pid": pids[name]}


async def _asked(*questions: Awaitable[dict[str, Any]]) -> list[dict[str, Any]]:
    """All at the same time."""
    return await asyncio.gather(*map(_answer, questions))


async def _answer(question: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    try:
        with raising_ours():
            return {"status": "SERVING", **await question}
    except (Unavailable, DeadlineExceeded):
        return {"status": "AWAY"}
    except Unauthenticated:
        raise
    except ServiceError as error:
        return {"status": "REFUSED", "detail": error.detail}


async def _registry(clients: Clients) -> dict[str, Any]:
    answer = await clients.registry.GetRegistryStatus(
        registry_pb2.GetRegistryStatusRequest(), timeout=CALL_SECONDS
    )
    return {"version": answer.version, "revision": answer.revision}


async def _executor(clients: Clients) -> dict[str, Any]:
    answer = await clients.executor.GetExecutorStatus(
        executor_pb2.GetExecutorStatusRequest(), timeout=CALL_SECONDS
    )
    return {
        "version": answer.version,
        "revision": answer.revision,
        "definitionsStale": answer.definitions_stale,
        "running": answer.running,
        **_restored(answer),
        **({"unwritable": answer.unwritable} if answer.unwritable else {}),
    }


def _restored(answer: executor_pb2.GetExecutorStatusResponse) -> dict[str, Any]:
    """Who waits since the executor was restored; nothing where nobody does."""
    if not answer.HasField("restored"):
        return {}
    told = answer.restored
    made_at, at = (each.ToJsonString() for each in (told.made_at, told.restored_at))
    return {"restored": {"at": at, "madeAt": made_at, "waiting": told.waiting}}


async def _edge(clients: Clients) -> dict[str, Any]:
    answer = await clients.edge.GetEdgeStatus(edge_pb2.GetEdgeStatusRequest(), timeout=CALL_SECONDS)
    return {
        "version": answer.version,
        "revision": answer.revision,
        "definitionsStale": answer.definitions_stale,
        "executorConnected": answer.executor_connected,
    }


async def _open_executor(suite: Suite) -> dict[str, Any]:
    await check_serving(suite.executor, CALL_SECONDS, suite.tls)
    return {}


async def _open_edge(suite: Suite) -> dict[str, Any]:
    await check_serving(suite.edge, CALL_SECONDS, suite.tls)
    if not suite.gateway:
        return {}
    health = await _gateway_health(suite)
    return {
        "definitionsStale": health.get("definitions") == "stale",
        "executorConnected": health.get("executor") == "connected",
    }


async def _gateway_health(suite: Suite) -> dict[str, Any]:
    # Asked only when the registry is away: no other call waits for the import.
    import httpx

    try:
        async with (
            asyncio.timeout(CALL_SECONDS),
            httpx.AsyncClient(trust_env=False, verify=verifying(suite)) as client,
        ):
            answer = await client.get(f"{suite.gateway}/-/health")
        return dict(answer.raise_for_status().json())
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, TypeError) as error:
        raise Unavailable("The gateway does not answer.") from error


def _print(document: dict[str, Any]) -> None:
    click.echo(f"podium {document['podium']}")
    click.echo(f"gateway     {document['gateway']}")
    click.echo(f"management  {document['management']}")
    for row in document["services"]:
        restored, unwritable = row.pop("restored", None), row.pop("unwritable", "")
        click.echo(service_line(row))
        if unwritable:
            click.echo(f"TAKES NOTHING: {unwritable}. Make room for its database, or let go of it.")
        if restored:
            echo_lines(restored_lines(restored["at"], restored["madeAt"], restored["waiting"]))
