"""A server whose work takes a while: start a job, then poll it, or be called back when it is done.

    python examples/job_server.py --port 9099

- ``POST /jobs`` starts a job and answers 202 ``{"jobId"}`` at once. In the request, all optional:
  ``seconds`` (how long it takes; 3) and ``callbackUrl`` (called with ``POST`` when it is done).
  The same ``Idempotency-Key`` is the same job.
- ``GET /jobs/{id}`` answers 202 ``{"status": "RUNNING", "progress"}`` until it is done, then 200
  ``{"status": "COMPLETED", "result"}``.
- ``POST /api`` starts a job of 3 s (or ``?seconds=``) and ``GET /api`` tells of the last of them
  in the same way.

Jobs are kept in memory, the last ten thousand of them.
"""

from __future__ import annotations

import asyncio
import json
import math
import socket
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import click
import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

DEFAULT_SECONDS = 3.0
MAX_SECONDS = 3600.0
MAX_JOBS = 10_000
MAX_BODY_BYTES = 1 << 20
CALLBACK_TRIES = 8
CALLBACK_TIMEOUT_SECONDS = 5.0


class BadJob(Exception):
    """What was asked for is no job. The message is a sentence."""


@dataclass(frozen=True)
class Job:
    """Attributes: ``begun`` is monotonic, in seconds; ``request`` is what the caller sent."""

    seconds: float
    request: dict[str, object]
    callback_url: str | None = None
    id: str = field(default_factory=lambda: str(uuid4()))
    begun: float = field(default_factory=time.monotonic)

    def progress(self) -> int:
        """Per cent, 100 once it is done."""
        passed = time.monotonic() - self.begun
        return 100 if passed >= self.seconds else int(100 * passed / self.seconds)

    def result(self) -> dict[str, object]:
        return {"jobId": self.id, "seconds": self.seconds, "request": self.request}


class JobServer:
    """The jobs, and the requests about them."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._by_key: OrderedDict[str, str] = OrderedDict()
        self._last: Job | None = None
        self._callbacks: set[asyncio.Task[None]] = set()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/jobs", self.post_job, methods=["POST"]),
                Route("/jobs/{id}", self.get_job),
                Route("/api", self.post_api, methods=["POST"]),
                Route("/api", self.get_api),
            ],
            exception_handlers={BadJob: _refused},
            lifespan=self._lifespan,
        )

    async def post_job(self, request: Request) -> JSONResponse:
        return JSONResponse({"jobId": (await self._start(request)).id}, 202)

    async def post_api(self, request: Request) -> JSONResponse:
        self._last = await self._start(request)
        return JSONResponse({"jobId": self._last.id}, 202)

    async def get_job(self, request: Request) -> JSONResponse:
        return _told(self._jobs.get(request.path_params["id"]))

    async def get_api(self, request: Request) -> JSONResponse:
        return _told(self._last)

    async def _start(self, request: Request) -> Job:
        job = job_asked_for(await request.body(), request.query_params.get("seconds"))
        key = request.headers.get("idempotency-key", "")
        # The path too: another kind of request may carry the same key.
        named = f"{request.url.path} {key}"
        if key and (known := self._jobs.get(self._by_key.get(named, ""))):
            return known
        self._keep(job, named if key else "")
        if job.callback_url is not None:
            task = asyncio.create_task(self._call_back(job, job.callback_url))
            self._callbacks.add(task)
            task.add_done_callback(self._callbacks.discard)
        return job

    def _keep(self, job: Job, key: str) -> None:
        self._jobs[job.id] = job
        if key:
            self._by_key[key] = job.id
        for kept in (self._jobs, self._by_key):
            if len(kept) > MAX_JOBS:
                kept.popitem(last=False)

    async def _call_back(self, job: Job, url: str) -> None:
        """Tries until somebody takes it or refuses it: the other side may just be starting."""
        await asyncio.sleep(job.begun + job.seconds - time.monotonic())
        pause = 0.2
        for _ in range(CALLBACK_TRIES):
            try:
                answer = await self._client.post(
                    url, json={"status": "COMPLETED", "result": job.result()}
                )
                if answer.status_code < 500 and answer.status_code != 429:
                    return
            except httpx.HTTPError:
                pass  # told below, after the last try
            await asyncio.sleep(pause)
            pause *= 2
        click.echo(f"The callback of job {job.id} was not taken.", err=True)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncGenerator[None]:
        async with httpx.AsyncClient(timeout=CALLBACK_TIMEOUT_SECONDS, trust_env=False) as client:
            self._client = client
            yield
            for task in self._callbacks:
                task.cancel()
            await asyncio.gather(*self._callbacks, return_exceptions=True)


def job_asked_for(body: bytes, seconds: str | None) -> Job:
    """The job that a request asks for; ``seconds`` of the query wins over the body's.

    Raises:
        BadJob: The body is no JSON object, or a field of it is not what it should be.
    """
    if len(body) > MAX_BODY_BYTES:
        raise BadJob(f"The body is larger than {MAX_BODY_BYTES} bytes.")
    try:
        request = json.loads(body or b"{}", parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise BadJob("The body is no JSON.") from None
    if not isinstance(request, dict):
        raise BadJob("The body is no JSON object.")
    url = request.get("callbackUrl")
    if url is not None and not (isinstance(url, str) and url.startswith(("http://", "https://"))):
        raise BadJob("'callbackUrl' is no http or https URL.")
    # Whoever knows the URL can end the task: it is not part of the result.
    rest = {name: value for name, value in request.items() if name != "callbackUrl"}
    return Job(_seconds(seconds or request.get("seconds", DEFAULT_SECONDS)), rest, url)


def _refuse(constant: str) -> None:
    raise ValueError(f"JSON has no {constant}")


def _seconds(asked: object) -> float:
    try:
        seconds = float(str(asked))
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MAX_SECONDS:
        raise BadJob(f"'seconds' is a number from 0 to {MAX_SECONDS:g}.")
    return seconds


def _told(job: Job | None) -> JSONResponse:
    if job is None:
        return JSONResponse({"error": "There is no such job."}, 404)
    progress = job.progress()
    if progress < 100:
        return JSONResponse({"status": "RUNNING", "progress": progress}, 202)
    return JSONResponse({"status": "COMPLETED", "result": job.result()})


async def _refused(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error)}, 400)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=9099, show_default=True, type=click.IntRange(0, 65535), help="0: a free one."
)
def main(host: str, port: int) -> None:
    """A server whose work takes a while; it prints its address first, as one line."""
    try:
        listening = socket.create_server((host, port), backlog=2048)
    except OSError as error:
        raise click.ClickException(f"Cannot listen on {host}:{port}: {error.strerror}.") from None
    with listening:
        click.echo(f"http://{host}:{listening.getsockname()[1]}")
        config = uvicorn.Config(JobServer().app(), log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
