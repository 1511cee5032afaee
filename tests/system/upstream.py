"""An upstream for system tests: jobs that are polled or call back, and a count of who began them.

`python -m tests.system.upstream` prints its port.

- ``POST /jobs {"seconds", "owner", "callbackUrl"?}`` answers 202 ``{"jobId"}``; the same
  ``Idempotency-Key`` is the same job.
- ``GET /jobs/{id}`` answers 202 with progress until it is done, 200 then.
- ``GET /items/{id}`` answers at once.
- ``GET /owners`` answers how many jobs each owner began.
- ``GET /faults/{name}`` misbehaves as its name says.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

CALLBACK_SECONDS = 60.0


class Jobs:
    """Every job that was begun."""

    def __init__(self) -> None:
        self.ends: dict[str, tuple[float, float]] = {}
        self.by_key: dict[str, str] = {}
        self.owners: Counter[str] = Counter()
        self.calls: set[asyncio.Task[None]] = set()
        self.failures: Counter[str] = Counter()

    async def start(self, request: Request) -> Response:
        body = await request.json()
        key = request.headers.get("idempotency-key", "")
        if key and key in self.by_key:
            return JSONResponse({"jobId": self.by_key[key]}, 202)
        job_id = str(len(self.ends) + 1)
        self.by_key[key] = job_id
        self.owners[body.get("owner", "")] += 1
        now = time.monotonic()
        self.ends[job_id] = (now, now + float(body.get("seconds", 0)))
        if body.get("callbackUrl"):
            task = asyncio.create_task(self.call_back(job_id, body["callbackUrl"]))
            self.calls.add(task)
            task.add_done_callback(self.calls.discard)
        return JSONResponse({"jobId": job_id}, 202)

    async def status(self, request: Request) -> Response:
        begin, end = self.ends[request.path_params["id"]]
        now = time.monotonic()
        if now < end:
            progress = round(100 * (now - begin) / (end - begin))
            return JSONResponse({"status": "RUNNING", "progress": progress}, 202)
        return JSONResponse({"status": "COMPLETED", "result": self.result(request)})

    def result(self, request: Request) -> dict[str, str]:
        return {"job": request.path_params["id"]}

    async def call_back(self, job_id: str, url: str) -> None:
        """Call until somebody answers: the edge may be down just now."""
        await asyncio.sleep(max(0.0, self.ends[job_id][1] - time.monotonic()))
        until = time.monotonic() + CALLBACK_SECONDS
        async with httpx.AsyncClient(timeout=5) as client:
            while time.monotonic() < until:
                try:
                    answer = await client.post(url, json={"result": {"job": job_id}})
                except (httpx.HTTPError, AttributeError):
                    # The latter is anyio's, of a socket that is reset while it is being connected.
                    answer = None
                if answer is not None and answer.status_code < 500:
                    return
                await asyncio.sleep(0.2)

    async def began(self, request: Request) -> Response:
        return JSONResponse(dict(self.owners))

    async def fault(self, request: Request) -> Response:
        """`500`, `html`, `hang`, `large`, `flaky-N` (N failures, then 200)."""
        name = request.path_params["name"]
        if name == "hang":
            await asyncio.sleep(600)
        if name == "large":
            return PlainTextResponse("x" * (20 << 20))
        if name == "html":
            return Response("<h1>all is well</h1>", media_type="text/html")
        if name.startswith("flaky-"):
            count = int(name.split("-")[1])
            self.failures[name] += 1
            if self.failures[name] > count:
                return JSONResponse({"status": "COMPLETED"})
        return JSONResponse({"why": "broken"}, 500)


def application(jobs: Jobs) -> Starlette:
    """The application."""

    async def item(request: Request) -> Response:
        return JSONResponse({"item": request.path_params["id"]})

    return Starlette(
        routes=[
            Route("/jobs", jobs.start, methods=["POST"]),
            Route("/jobs/{id}", jobs.status),
            Route("/items/{id}", item),
            Route("/owners", jobs.began),
            Route("/faults/{name}", jobs.fault),
        ]
    )


class Announcing(uvicorn.Server):
    """Says on standard output which port it got."""

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        sys.stdout.write(f"{self.servers[0].sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    config = uvicorn.Config(application(Jobs()), port=0, log_level="error", access_log=False)
    Announcing(config).run()
