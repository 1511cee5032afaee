"""`podium demo`: the main job, four ways, on a real suite and a real job server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import click
import httpx

from podium.executor.v1 import executor_pb2 as pb
from services.errors import ServiceError
from tui.cli import interrupts
from tui.cli.demo_suite import DemoFailed, Stage, stage
from tui.cli.live import Timeline
from tui.cli.writing import examples
from tui.clients import Clients, connected, executions_changing
from tui.suite import find

ANSWER_SECONDS = 40.0
LIMIT_SECONDS = 58.0
KILL_AT_POLL = 2

# What it returns is said with the timeline.
Watcher = Callable[[pb.ExecutionChange], str | None]


@click.command(epilog=examples("podium demo"))
def demo() -> None:
    """Run the main job on a real job server in a temporary home: exit 0 if all went as it should.

    Polling, a callback, a caller with too little time, and an executor that is killed meanwhile.
    """
    try:
        interrupts.run(_demo())
    except (DemoFailed, ServiceError, httpx.HTTPError, TimeoutError) as error:
        click.echo(f"\ndemo failed: {error or type(error).__name__}", err=True)
        sys.exit(1)
    click.echo("\nAll four went as they should.")


async def _demo() -> None:
    _say("Starting the suite in a temporary home, and a job server whose jobs take seconds.")
    async with asyncio.timeout(LIMIT_SECONDS), stage() as on:
        _say(f"gateway {on.gateway}   management {on.management}   job server {on.jobs}")
        headers = {"X-API-Key": on.key}
        async with (
            httpx.AsyncClient(base_url=on.gateway, headers=headers, timeout=ANSWER_SECONDS) as http,
            connected(find(on.home.path, {})) as clients,
        ):
            for step in (polling, callback, by_hand, too_slow, crash):
                await step(on, http, clients)


async def polling(on: Stage, http: httpx.AsyncClient, clients: Clients) -> None:
    """One call starts a job, polls it, and answers with its result."""
    _title("1. Polling: one call starts a job, polls it every second, answers with its result")
    _curl(on, "/api/reports", {"title": "Quarterly", "seconds": 3})
    answer = await _post(http, clients, "/api/reports", {"title": "Quarterly", "seconds": 3})
    _expect(answer, 200)
    if answer.json().get("result") is None:
        raise DemoFailed("the report has no result.")


async def callback(on: Stage, http: httpx.AsyncClient, clients: Clients) -> None:
    """The job server is handed a URL and calls it."""
    _title("2. Async complete: the job server is handed a one-time URL and calls it when done")
    _curl(on, "/api/exports", {"seconds": 2})
    answer = await _post(http, clients, "/api/exports", {"seconds": 2})
    _expect(answer, 200)
    if answer.json().get("result") is None:
        raise DemoFailed("the callback brought no result.")


async def by_hand(on: Stage, http: httpx.AsyncClient, clients: Clients) -> None:
    """Somebody completes the task through the management API."""
    _title("   The same by hand: somebody with a token completes the task")
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def look(change: pb.ExecutionChange) -> None:
        if not found.done():
            found.set_result(change.execution.execution_id)

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(_post(http, clients, "/api/manual-exports", {}, look))
        execution_id = await found
        await _complete(on, execution_id)
    _expect(waiting.result(), 200)
    if waiting.result().json() != {"result": {"file": "by-hand.csv"}}:
        raise DemoFailed("the answer is not what was handed in.")


async def _complete(on: Stage, execution_id: str) -> None:
    path = f"/api/tasks/{execution_id}/export/COMPLETED"
    document = {"result": {"file": "by-hand.csv"}}
    credentials = on.home.credentials()
    async with httpx.AsyncClient(base_url=on.management) as management:
        key = {"keyId": credentials.key_id, "keySecret": credentials.key_secret}
        token = (await management.post("/api/token", json=key)).json()["token"]
        answer = await management.post(path, json=document, headers={"X-Authorization": token})
    _say(
        f"curl -X POST {on.management}/api/token -H 'Content-Type: application/json'"
        f" -d @{on.home.credentials_path}"
    )
    _say(
        f"curl -X POST {on.management}{path} -H 'X-Authorization: TOKEN'"
        f" -H 'Content-Type: application/json' -d '{json.dumps(document)}'"
    )
    if answer.status_code != 200:
        raise DemoFailed(f"completing by hand answered {answer.status_code}: {answer.text}")


async def too_slow(on: Stage, http: httpx.AsyncClient, clients: Clients) -> None:
    """The job takes longer than the route waits."""
    _title("3. Too slow for the caller: the route waits 2 s, the job takes 4")
    _curl(on, "/api/slow-reports", {"seconds": 4})
    answer = await _post(http, clients, "/api/slow-reports", {"seconds": 4}, until_answer=True)
    _expect(answer, 202)
    location = answer.headers["Location"]
    _say(f"curl -H 'X-API-Key: {on.key}' '{httpx.URL(on.gateway).join(location)}'")
    while answer.status_code == 202:
        await asyncio.sleep(float(answer.headers["Retry-After"]))
        answer = await http.get(location)
        _say(f"GET Location -> {answer.status_code}  {answer.text}")
    _expect(answer, 200)


async def crash(on: Stage, http: httpx.AsyncClient, clients: Clients) -> None:
    """The executor is killed while it polls."""
    _title("4. A crash: the executor is killed (SIGKILL) while it polls; the poll goes on")
    _curl(on, "/api/reports", {"title": "Crash", "seconds": 5})
    killed: list[int] = []

    def kill(change: pb.ExecutionChange) -> str | None:
        polls = max((task.poll_count for task in change.tasks), default=0)
        if polls < KILL_AT_POLL or killed:
            return None
        pids: Any = on.home.endpoints()["pids"]
        killed.append(polls)
        os.kill(pids["executor"], signal.SIGKILL)
        return f"kill -9 {pids['executor']}   (the executor, after poll {polls})"

    answer = await _post(http, clients, "/api/reports", {"title": "Crash", "seconds": 5}, kill)
    _expect(answer, 200)
    if not killed:
        raise DemoFailed("the executor was never killed.")
    if answer.json()["polls"] <= killed[0]:
        raise DemoFailed("the poll did not go on with its count.")


async def _post(
    http: httpx.AsyncClient,
    clients: Clients,
    path: str,
    body: dict[str, Any],
    look: Watcher | None = None,
    *,
    until_answer: bool = False,
) -> httpx.Response:
    """POST, while the execution that it makes is shown as it happens."""
    caught_up = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        showing = tasks.create_task(_show(clients, caught_up, look))
        await caught_up.wait()
        answer = await http.post(path, json=body)
        if until_answer:
            showing.cancel()
    _say(f"HTTP {answer.status_code}  {answer.text}")
    return answer


async def _show(clients: Clients, caught_up: asyncio.Event, look: Watcher | None) -> None:
    """Show the next execution that is started, until it ends."""
    followed = ""
    with Timeline(indent="   ") as timeline:
        async for batch in executions_changing(clients):
            for change in batch.changes if caught_up.is_set() else ():
                followed = followed or change.execution.execution_id
                if change.execution.execution_id != followed:
                    continue
                timeline.show(change)
                said = look(change) if look else None
                if said:
                    timeline.say(said)
                if change.execution.HasField("ended_at"):
                    return
            if batch.caught_up:
                caught_up.set()


def _expect(answer: httpx.Response, status: int) -> None:
    if answer.status_code != status:
        raise DemoFailed(f"expected {status}, got {answer.status_code}: {answer.text}")


def _curl(on: Stage, path: str, body: dict[str, Any]) -> None:
    _say(
        f"curl -X POST {on.gateway}{path} -H 'X-API-Key: {on.key}'"
        f" -H 'Content-Type: application/json' -d '{json.dumps(body)}'"
    )


def _title(text: str) -> None:
    click.echo(f"\n{click.style(text, bold=True)}")


def _say(text: str) -> None:
    click.echo(f"   {text}")
