"""A service as a process: how it ends, what it says, whom it dies with. Real processes.

Each test starts a Python of its own, some 0.2 s.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HEAD = """
import asyncio, os, signal, sys, time
from services import process
from services.process import StartupError, die_with_parent, report_ready, run
"""


def start(code: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HEAD + textwrap.dedent(code)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


WAITING = """
async def main(stopping):
    print("up", flush=True)
    await stopping.wait()
    print("draining", flush=True)
    {then}
sys.exit(run(main, "test"))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_ends_with_0(number: signal.Signals) -> None:
    with start(WAITING.format(then="await asyncio.sleep(0)")) as process:
        assert line_of(process) == "up"
        process.send_signal(number)
        assert line_of(process) == "draining"
        assert process.wait(5) == 0


@pytest.mark.parametrize("stuck", ["await asyncio.Event().wait()", "while True: pass"])
def test_a_second_signal_ends_it_at_once_even_when_stuck(stuck: str) -> None:
    with start(WAITING.format(then=stuck)) as process:
        assert line_of(process) == "up"
        process.send_signal(signal.SIGTERM)
        assert line_of(process) == "draining"
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == -signal.SIGTERM


@pytest.mark.parametrize(
    "raising",
    [
        'raise StartupError("the port is taken.")',
        """async with asyncio.TaskGroup() as tasks:
        async def fail(): raise StartupError("the port is taken.")
        tasks.create_task(fail())""",
    ],
)
def test_what_keeps_it_from_starting_is_one_line_and_1(raising: str) -> None:
    code = f"async def main(stopping):\n    {raising}\nsys.exit(run(main, 'test'))"
    with start(code) as process:
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (1, "", "podium-test: the port is taken.\n")


def test_another_failure_shows_where_it_was() -> None:
    with start("async def main(stopping): 1 / 0\nsys.exit(run(main, 'test'))") as process:
        _, err = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "ZeroDivisionError" in err


def test_the_line_names_the_service_that_main_is_of() -> None:
    code = """
    async def main(stopping): raise StartupError("no.")
    main.__module__ = "services.registry.__main__"
    sys.exit(run(main))
    """
    with start(code) as process:
        assert process.communicate(timeout=10)[1] == "podium-registry: no.\n"


def test_it_may_open_as_many_files_as_the_system_lets_it() -> None:
    code = """
    import resource
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    async def main(stopping):
        print(resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard, sys.getswitchinterval(),
              type(asyncio.get_running_loop()).__module__, flush=True)
    sys.exit(run(main, "test"))
    """
    with start(code) as process:
        assert process.communicate(timeout=10)[0] == "True 0.0005 uvloop\n"


LARGE = """
def megabytes():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20

async def main(stopping):
    before, kept = megabytes(), []
    # What is large comes and goes; something small that stays stands behind each of them.
    for _ in range(2):
        large = []
        for _ in range(40):
            large.append(b"x" * (8 << 20))
            kept.append(bytes(100_000))
        held = megabytes() - before
        del large
    print(held, megabytes() - before, flush=True)
sys.exit(run(main, "test"))
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="it is glibc's")
def test_what_was_large_is_given_back_when_it_goes() -> None:
    with start(LARGE) as process:
        held, left = map(int, line_of(process).split())
    assert held >= 320
    assert left < 40


def test_what_it_writes_is_its_owners_alone(tmp_path: Path) -> None:
    code = """
    from pathlib import Path
    from services.storage import opened
    from sqlite_utils import Migrations
    migrations = Migrations("test")

    @migrations()
    def first(db):
        db.execute("CREATE TABLE kept (it)")

    async def main(stopping):
        async with opened(Path("kept.db").absolute(), migrations):
            for file in sorted(Path().iterdir()):
                print(file.name, oct(file.stat().st_mode & 0o777), flush=True)
    os.chdir(os.environ["FOLDER"])
    os.umask(0o022)
    sys.exit(run(main, "test"))
    """
    with start(code, FOLDER=str(tmp_path), PYTHONPATH=f"{ROOT}:{ROOT / 'protos'}") as process:
        out, err = process.communicate(timeout=10)
    modes = dict(line.split() for line in out.splitlines())
    assert err == ""
    assert {"kept.db", "kept.db-shm", "kept.db-wal"} <= modes.keys()
    assert set(modes.values()) == {"0o600"}


def test_the_collector_looks_at_no_code_neither_as_it_is_loaded_nor_later() -> None:
    code = """
    import gc
    with process.loading():
        during = gc.isenabled()
        import decimal
    print(during, gc.isenabled(), gc.is_tracked(vars(decimal)), vars(decimal) in gc.get_objects())
    """
    with start(code) as child:
        assert line_of(child) == "False True True False"
        assert child.wait(10) == 0


def test_it_tells_once_that_it_is_ready() -> None:
    reading, writing = os.pipe()
    code = """
    report_ready({"registry": "127.0.0.1:7401"})
    report_ready({"registry": "again"})
    """
    with subprocess.Popen(
        [sys.executable, "-c", HEAD + textwrap.dedent(code)],
        cwd=ROOT,
        env={**os.environ, "PODIUM_READY_FD": str(writing)},
        pass_fds=(writing,),
    ) as process:
        os.close(writing)
        with os.fdopen(reading) as pipe:
            assert json.loads(pipe.read()) == {"registry": "127.0.0.1:7401"}
    assert process.returncode == 0


def test_being_ready_with_nobody_listening_is_no_failure() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with subprocess.Popen(
        [sys.executable, "-c", HEAD + 'report_ready({"a": "b"})'],
        cwd=ROOT,
        env={**os.environ, "PODIUM_READY_FD": str(writing)},
        pass_fds=(writing,),
    ) as process:
        os.close(writing)
    assert process.returncode == 0


PARENT = """
import subprocess, sys, os
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=1,
                         env={**os.environ, "PODIUM_PARENT_PID": str(os.getpid())})
child.wait()
"""


def test_it_dies_with_its_parent_however_that_ends() -> None:
    child = HEAD + "die_with_parent()\nprint(os.getpid(), flush=True)\ntime.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, child], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        number = int(line_of(parent))
        watched = os.pidfd_open(number)
        parent.kill()
        # A pidfd can be read when its process has ended.
        ready, _, _ = select.select([watched], [], [], 5)
        os.close(watched)
        assert ready


def test_one_whose_parent_is_gone_already_ends_at_once() -> None:
    with start("die_with_parent()\nprint('on')", PODIUM_PARENT_PID="1") as process:
        out, _ = process.communicate(timeout=10)
    assert (process.returncode, out) == (1, "")


@pytest.mark.parametrize("service", ["registry", "executor", "edge"])
def test_a_service_whose_parent_is_gone_loads_none_of_its_code(service: str) -> None:
    """It takes seconds on a busy machine, for which an orphan would live on."""
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", f"services.{service}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PODIUM_PARENT_PID": "1"},
        check=False,
    )

    loaded = {line.rpartition("|")[2].strip() for line in process.stderr.splitlines()}
    assert process.returncode == 1
    assert "services.process" in loaded
    assert "grpc" not in loaded


def test_one_that_was_told_no_parent_stands_alone() -> None:
    with start("die_with_parent()\nprint('on')", PODIUM_PARENT_PID="") as process:
        assert process.communicate(timeout=10)[0] == "on\n"


def test_children_begin_whatever_grpc_does_meanwhile() -> None:
    """It starts three hundred programs: takes 1.5 s."""
    program = """
    from grpc_health.v1 import health_pb2, health_pb2_grpc
    from services.rpc import channel, serving

    async def begun():
        child = await asyncio.create_subprocess_exec("true")
        return await child.wait()

    async def main(stopping):
        async with serving(grace=0) as address, channel(address) as itself:
            watch = health_pb2_grpc.HealthStub(itself).Watch(health_pb2.HealthCheckRequest())
            await watch.read()
            for _ in range(60):
                print(*await asyncio.gather(*(begun() for _ in range(5))), flush=True)
            watch.cancel()

    run(main, "test")
    """
    with start(program) as process:
        told, _ = process.communicate(timeout=60)
    assert told.split() == ["0"] * 300
