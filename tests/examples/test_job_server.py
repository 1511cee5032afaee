"""The job server of the examples, run as a user runs it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.executor.effects.upstream import Asked, Upstream, plain, upstream

SCRIPT = Path(__file__).parents[2] / "examples" / "job_server.py"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Starting it takes most of a second: it serves the whole file."""
    command = [sys.executable, str(SCRIPT), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().rstrip("\n")
        finally:
            process.terminate()


@pytest.fixture
async def jobs(address: str) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
        yield client


@pytest.fixture
async def receiver() -> AsyncGenerator[Upstream]:
    async with upstream() as receiving:
        yield receiving


async def test_its_first_line_is_its_address(address: str) -> None:
    assert address.startswith("http://127.0.0.1:")


async def test_a_job_runs_and_is_done(jobs: httpx.AsyncClient) -> None:
    started = await jobs.post("/jobs", json={"seconds": 0.05, "title": "größer"})
    assert started.status_code == 202
    place = f"/jobs/{started.json()['jobId']}"

    running = await jobs.get(place)
    assert running.status_code == 202
    assert running.json()["status"] == "RUNNING"
    assert 0 <= running.json()["progress"] < 100

    async with asyncio.timeout(5):
        while (done := await jobs.get(place)).status_code == 202:
            pass
    assert done.status_code == 200
    assert done.json()["status"] == "COMPLETED"
    assert done.json()["result"]["request"] == {"seconds": 0.05, "title": "größer"}


async def test_the_same_idempotency_key_is_the_same_job(jobs: httpx.AsyncClient) -> None:
    keys = ("a", "a", "b", None)
    ids = [
        (await jobs.post("/jobs", headers={"Idempotency-Key": key} if key else {})).json()["jobId"]
        for key in keys
    ]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


async def test_the_api_of_the_tutorial_tells_of_the_last_job(jobs: httpx.AsyncClient) -> None:
    assert (await jobs.post("/api", json={"message": "Start long-running process"})).is_success
    assert (await jobs.get("/api")).status_code == 202

    assert (await jobs.post("/api?seconds=0", json={"seconds": 60})).status_code == 202
    done = await jobs.get("/api")

    assert (done.status_code, done.json()["result"]["seconds"]) == (200, 0)


async def test_a_finished_job_calls_back_until_it_is_taken(
    jobs: httpx.AsyncClient, receiver: Upstream
) -> None:
    """Over 0.25 s: it waits before it tries again."""
    taken = asyncio.Event()

    async def busy_first(asked: Asked, _: object, writer: asyncio.StreamWriter) -> None:
        first = len(receiver.asked) == 1
        writer.write(plain(b"{}", 503 if first else 200))
        if not first:
            taken.set()

    receiver.answers["/done"] = busy_first
    url = f"{receiver.url}/done"

    started = await jobs.post("/jobs", json={"seconds": 0, "callbackUrl": url, "n": 1})
    async with asyncio.timeout(10):
        await taken.wait()

    brought = json.loads(receiver.asked[1].body)
    assert brought["status"] == "COMPLETED"
    assert brought["result"]["jobId"] == started.json()["jobId"]
    assert "callbackUrl" not in brought["result"]["request"]


@pytest.mark.parametrize(
    ("body", "query"),
    [
        (b"{", ""),
        (b"[]", ""),
        (b'{"a": NaN}', ""),
        (b"[" * 100_000, ""),
        (b'{"seconds": "soon"}', ""),
        (b'{"seconds": -1}', ""),
        (b'{"seconds": 1e9}', ""),
        (b"{}", "?seconds=inf"),
        (b'{"callbackUrl": "file:///etc/passwd"}', ""),
        (b'{"callbackUrl": 7}', ""),
        (b'{"a": "' + b"x" * (1 << 20) + b'"}', ""),
    ],
    ids=lambda value: repr(value[:30]),
)
async def test_what_is_no_job_is_refused(jobs: httpx.AsyncClient, body: bytes, query: str) -> None:
    refused = await jobs.post(f"/jobs{query}", content=body)

    assert refused.status_code == 400
    assert refused.json()["error"].endswith(".")


async def test_an_unknown_job_is_not_found(jobs: httpx.AsyncClient) -> None:
    assert (await jobs.get("/jobs/nope")).status_code == 404


def test_a_port_in_use_is_one_line_and_exit_1(address: str) -> None:
    """Over 0.25 s: an interpreter starts."""
    port = address.rpartition(":")[2]

    ended = subprocess.run(
        [sys.executable, str(SCRIPT), "--port", port], capture_output=True, text=True, timeout=20
    )

    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in ended.stderr
