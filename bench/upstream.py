"""An upstream that costs little: items at once, and jobs that take a while.

- ``GET /item/…`` answers ``{"item": …, "price": 12}``.
- ``POST /jobs`` with ``{"seconds": s, "owner": id}`` answers 202 ``{"jobId": …}``.
- ``GET /jobs/{id}`` answers 202 until the job is done and 200 then.
- ``GET /starts`` answers how many jobs were begun, and by how many owners.

`python -m bench.upstream` prints its port.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from typing import cast

import uvloop

ANSWER = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"


class Jobs:
    """The jobs, by number."""

    def __init__(self) -> None:
        self.ends: list[float] = []
        self.owners: Counter[str] = Counter()
        self.by_key: dict[str, int] = {}

    def start(self, body: bytes, key: str) -> bytes:
        """Begin a job, unless one was begun with the same idempotency key."""
        if key not in self.by_key:
            asked = json.loads(body)
            self.owners[asked["owner"]] += 1
            self.by_key[key] = len(self.ends)
            self.ends.append(time.monotonic() + asked["seconds"])
        return b'{"jobId": "%d"}' % self.by_key[key]

    def status(self, number: int) -> tuple[bytes, bytes]:
        """Status line and body of a job's status."""
        if time.monotonic() < self.ends[number]:
            return b"202 Accepted", b'{"status": "RUNNING"}'
        return b"200 OK", b'{"status": "COMPLETED", "result": {"rows": 7}}'


class Upstream(asyncio.Protocol):
    """One connection; requests one after another, as a keep-alive client sends them."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.received = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = self.received[:end].decode("latin-1")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
            }
            size = int(headers.get("content-length", 0))
            if len(self.received) < end + 4 + size:
                return
            body = self.received[end + 4 : end + 4 + size]
            self.received = self.received[end + 4 + size :]
            method, path, _ = head.split(" ", 2)
            status, answer = self.answer(method, path, body, headers.get("idempotency-key", ""))
            self.transport.write(ANSWER % (status, len(answer), answer))

    def answer(self, method: str, path: str, body: bytes, key: str) -> tuple[bytes, bytes]:
        """Status line and body."""
        if path.startswith("/item/"):
            return b"200 OK", b'{"item": "%s", "price": 12}' % path[6:].encode()
        if path == "/starts":
            owners = self.jobs.owners
            return b"200 OK", json.dumps([sum(owners.values()), len(owners)]).encode()
        if method == "POST":
            return b"202 Accepted", self.jobs.start(body, key)
        return self.jobs.status(int(path.removeprefix("/jobs/")))


async def serve() -> None:
    """Serve until the process ends."""
    jobs = Jobs()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Upstream(jobs), "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
