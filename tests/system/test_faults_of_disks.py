"""What holds while a disk is full, slow, or kept by somebody else, seen from outside."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.system.apart import SERVICES, Callers, apart
from tests.system.conftest import expose, needs

pytestmark = pytest.mark.timeout(180)

SETTINGS = {"PODIUM_EGRESS_ALLOW": "loopback"}
WAIT = {
    "name": "w",
    "taskReferenceName": "w",
    "type": "WAIT",
    "inputParameters": {"duration": "1s"},
}
LATER = {"workflowExecutionMode": "ASYNCHRONOUS"}
FLOWS = expose("later", WAIT, route=LATER)


def started(callers: Callers, count: int, body: object = None) -> list[httpx.Response]:
    """The answers to starts side by side."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: callers.call("later", body), range(count)))


def accepted(answers: list[httpx.Response]) -> list[str]:
    """The ids of the executions; the others were refused, for now."""
    for answer in answers:
        assert answer.status_code in (202, 503), answer.text
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) >= 1
    return [answer.json()["executionId"] for answer in answers if answer.status_code == 202]


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    folder.mkdir()
    size = f"size={megabytes}m"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)])
    if mounted.returncode:
        if os.environ.get("PODIUM_TEST_ALL"):
            pytest.fail("a small file system cannot be mounted")
        pytest.skip("needs the right to mount a small file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """No byte more fits."""
    filler = folder / "filler"
    room = os.statvfs(folder)
    try:
        filler.write_bytes(b"\0" * (room.f_bavail * room.f_frsize))
    except OSError as error:
        # Somebody else has written meanwhile: it is full as well.
        if error.errno != errno.ENOSPC:
            raise
    try:
        yield
    finally:
        filler.unlink()


def test_a_full_disk_refuses_new_work_keeps_what_is_there_and_goes_on_with_space(
    tmp_path: Path,
) -> None:
    large = {"text": "x" * 50_000}
    with (
        small_disk(tmp_path / "executor", 8),
        small_disk(tmp_path / "registry", 8),
        apart(tmp_path, settings=SETTINGS) as services,
    ):
        services.start(*SERVICES)
        callers = Callers(services)
        callers.apply(*FLOWS)
        kept = accepted(started(callers, 4))
        with filled(services.data("executor")), filled(services.data("registry")):
            answers = started(callers, 100, large)
            kept += accepted(answers)
            assert any(answer.status_code == 503 for answer in answers)
            # What is there is still told.
            assert callers.look("later", kept[0]).status_code in (200, 202)
            document = {"name": "big", "version": 1, "tasks": [WAIT], "description": "x" * 10**6}
            refused = services.podium("apply", "-", text=json.dumps(document))
            assert refused.returncode == 1
            assert "full" in refused.stderr
            status = services.podium("status")
            assert "TAKES NOTHING: database or disk is full" in status.stdout
            run = services.podium("run", "later", "--input", json.dumps(large))
            assert run.returncode == 1
            assert "make room" in run.stderr

        assert callers.works("later", status=202).status_code == 202
        assert {callers.ended("later", each).status_code for each in kept} == {200}
        again = services.podium("apply", "-", text=json.dumps(document))
        assert again.returncode == 0, again.stderr


def test_a_database_that_somebody_else_locks_is_waited_for_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    with apart(tmp_path, settings=SETTINGS) as services:
        services.start(*SERVICES)
        callers = Callers(services)
        callers.apply(*FLOWS)
        kept = accepted(started(callers, 2))
        assert {callers.ended("later", each).status_code for each in kept} == {200}
        path = services.data("executor") / "executor.db"
        with (
            closing(sqlite3.connect(path, isolation_level=None)) as meddler,
            ThreadPoolExecutor(1) as pool,
        ):
            meddler.execute("BEGIN IMMEDIATE")
            late = pool.submit(started, callers, 8)
            # Reads go on meanwhile; a commit waits for ten seconds, and is then given up.
            while not late.done():
                assert callers.look("later", kept[0]).status_code == 200
                time.sleep(0.1)
            refused = [answer for answer in late.result() if answer.status_code == 503]
            assert refused
            assert refused[0].json()["type"] == "urn:podium:problem:not-stored"
            meddler.execute("ROLLBACK")
            kept += accepted(late.result())

        assert callers.works("later", status=202).status_code == 202
        assert {callers.ended("later", each).status_code for each in kept} == {200}


def test_a_slow_disk_makes_all_of_it_slow_and_breaks_nothing(tmp_path: Path) -> None:
    needs("strace")
    delayed = ["fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_enter=50000"]
    prefix = ["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", *delayed]
    if subprocess.run([*prefix, "true"], capture_output=True).returncode:
        pytest.skip("needs strace, and the right to trace")
    with apart(tmp_path, settings=SETTINGS) as services:
        for name in SERVICES:
            services.start(name, prefix=prefix if name == "executor" else ())
        callers = Callers(services)
        callers.apply(*FLOWS)

        kept = accepted(started(callers, 32))

        assert len(kept) == 32
        assert {callers.ended("later", each).status_code for each in kept} == {200}
