"""Clients that mean no good: the edge says no, stays up, answers the others, and keeps its size."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from bench.hostile import Attack, all_at_once, attack_on
from tests.system.conftest import expose
from tests.system.running import Suite, suite_in

NAME = "besieged"
BODY = b'{"orderId": 1}'
ATTACK_SECONDS = 4.0
IDLE = 5_000


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite of little patience, with one route that has an answer at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PODIUM_HEADER_TIMEOUT_SECONDS", "1")
        patch.setenv("PODIUM_BODY_TIMEOUT_SECONDS", "1")
        with suite_in(tmp_path_factory.mktemp("besieged")) as suite:
            noop = {"name": "noop", "taskReferenceName": "noop", "type": "NOOP"}
            workflow = {"outputParameters": {"orderId": "${workflow.input.orderId}"}}
            suite.apply(*expose(NAME, noop, workflow=workflow))
            yield suite


def ask(suite: Suite, body: bytes = BODY) -> httpx.Response:
    """A call as it should be."""
    headers = {**suite.caller(NAME), "Content-Type": "application/json"}
    return httpx.post(f"{suite.gateway}/{NAME}", content=body, headers=headers, timeout=30)


def exchanged(suite: Suite, sent: bytes) -> list[int]:
    """The statuses of all answers to what is sent on one connection, until it is closed."""
    parts = urlsplit(suite.gateway)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while more := connection.recv(65536):
            received += more
    answers = (line for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.1 "))
    return [int(line.split()[1]) for line in answers]


def attacked(suite: Suite) -> Attack:
    """The route of the suite as an attacker knows it."""
    return attack_on(suite.gateway, f"/{NAME}", suite.keys[NAME], ATTACK_SECONDS)


def megabytes(suite: Suite) -> float:
    """The resident memory of the edge."""
    pages = int(Path(f"/proc/{suite.pids['edge']}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


# Longer than 0.25 s: it lasts for as long as the attack.
def test_under_attack_others_are_answered_and_memory_is_bounded(besieged: Suite) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard[1], hard[1]))
    pid, before = besieged.pids["edge"], megabytes(besieged)
    attack = attacked(besieged)

    async def meanwhile() -> list[int]:
        statuses = []
        while time.monotonic() < attack.until:
            statuses.append((await asyncio.to_thread(ask, besieged)).status_code)
        return statuses

    async def both() -> list[int]:
        attacking = asyncio.create_task(all_at_once(attack, IDLE))
        statuses = await meanwhile()
        await attacking
        return statuses

    try:
        statuses = asyncio.run(both())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, hard)

    assert set(statuses) == {200}
    assert besieged.pids["edge"] == pid
    # 5,000 connections, their parsers and buffers; the bodies were refused.
    assert megabytes(besieged) - before < 150
    assert ask(besieged).json() == {"orderId": 1}
    expected = {
        "slow headers": {408},
        "slow body": {408},
        "endless body": {413},
        "deep JSON": {400},
        "long number": {200, 400},
        "header bomb": {431},
        # Beyond sixty wrong keys their source is told to wait.
        "guessed key": {401, 429},
    }
    seen = {name: set(statuses) - {0} for name, statuses in attack.seen.items() if name != "idle"}
    for name, allowed in expected.items():
        assert seen[name] <= allowed, name
        assert seen[name] or name in ("endless body", "header bomb"), name


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
        b'{"orderId": 1, "orderId": 2}',
        b'{"orderId": NaN}',
        b'{"orderId": Infinity}',
        b'{"orderId": "\xff\xfe"}',
        b'{"orderId": "\\ud800"}',
        b'{"orderId": "\\u0000"}',
        b'{"orderId": 01}',
        b'{"orderId": 1',
        b"\xef\xbb\xbf{}x",
    ],
    ids=[
        "deep lists", "deep objects", "a key twice", "NaN", "Infinity", "no UTF-8",
        "a lone surrogate", "U+0000", "a leading zero", "half a document", "text after it",
    ],
)  # fmt: skip
def test_what_is_no_json_document_is_refused(besieged: Suite, body: bytes) -> None:
    answer = ask(besieged, body)

    assert answer.status_code == 400, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("number", ["9" * 5_000, "-" + "1" * 50_000, "0." + "3" * 50_000, "1e-400"])
def test_a_huge_number_survives_or_is_refused_and_never_breaks_anything(
    besieged: Suite, number: str
) -> None:
    answer = ask(besieged, f'{{"orderId": {number}}}'.encode())

    assert answer.status_code in (200, 400), answer.text[:300]
    assert ask(besieged).status_code == 200


def smuggled(suite: Suite, framing: str, body: bytes) -> bytes:
    """A request with doubtful ``framing``, and in its body another request for a page of ours."""
    head = (
        f"POST /{NAME} HTTP/1.1\r\nHost: besieged\r\nX-API-Key: {suite.keys[NAME]}\r\n"
        f"Content-Type: application/json\r\n{framing}\r\n\r\n"
    )
    return head.encode() + body


HIDDEN = b"GET /-/health HTTP/1.1\r\nHost: besieged\r\n\r\n"


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        ("Content-Length: 2\r\nTransfer-Encoding: chunked", b"0\r\n\r\n" + HIDDEN),
        ("Content-Length: 2\r\nContent-Length: 60", b"{}" + HIDDEN),
        ("Content-Length: 2, 60", b"{}" + HIDDEN),
        ("Content-Length: +2", b"{}" + HIDDEN),
        ("Content-Length: 0x2", b"{}" + HIDDEN),
        ("Content-Length : 2", b"{}" + HIDDEN),
        ("Transfer-Encoding: xchunked", b"0\r\n\r\n" + HIDDEN),
        ("Transfer-Encoding: chunked, identity", b"0\r\n\r\n" + HIDDEN),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: cow", b"0\r\n\r\n" + HIDDEN),
        ("Transfer-Encoding:\r\n chunked", b"0\r\n\r\n" + HIDDEN),
        ("Transfer-Encoding: chunked", b"2\n{}\n0\n\n" + HIDDEN),
        ("Transfer-Encoding: chunked", b"-2\r\n{}\r\n0\r\n\r\n" + HIDDEN),
        ("X: y\rContent-Length: 2", b"{}" + HIDDEN),
    ],
)
def test_a_request_whose_end_is_in_doubt_hides_no_other(
    besieged: Suite, framing: str, body: bytes
) -> None:
    statuses = exchanged(besieged, smuggled(besieged, framing, body))

    # What is framed as it should not be is refused, and nothing after it is read.
    assert statuses == [400], statuses


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        f"/{NAME}/../-/health",
        "//etc/passwd",
        "/-/docs/..%2f..%2fpyproject.toml",
        "/-/executions/../health",
        "/%00",
        "/\\..\\windows",
    ],
)
def test_a_path_leads_nowhere_but_to_routes(besieged: Suite, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: besieged\r\nConnection: close\r\n\r\n"
    statuses = exchanged(besieged, request.encode())

    assert statuses in ([400], [404]), statuses


def guess(suite: Suite, number: int) -> int:
    """What is answered to a wrong key.

    It is sent as soon as there is a connection: forty of a library's clients side by side, each of
    which is made ready first, leave one another waiting for longer than this suite's patience.
    """
    parts = urlsplit(suite.gateway)
    request = (
        f"POST /{NAME} HTTP/1.1\r\nHost: besieged\r\nX-API-Key: guess-{number}\r\n"
        "Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    ).encode()
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            return int(answer.readline().split()[1])


def test_keys_that_are_guessed_in_bulk_open_nothing_and_shut_nobody_out(besieged: Suite) -> None:

    # Side by side: each is answered a second later, once there were too many.
    with ThreadPoolExecutor(40) as pool:
        guessed = pool.map(partial(guess, besieged), range(200))
        assert ask(besieged).status_code == 200

    # What was guessed from here before counts, too.
    assert {429} <= set(guessed) <= {401, 429}
    assert ask(besieged).status_code == 200
