"""What the demo runs on: a suite in a temporary home and a job server, both real processes."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.home import Home

EXAMPLES_ADDRESS = "http://127.0.0.1:9099"
START_SECONDS = 20.0
STOP_SECONDS = 15.0
FILES = ("workflows.yaml", "service.yaml", "tutorial.json")


class DemoFailed(Exception):
    """Something was not as expected; the message says what."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The running suite and the job server.

    Attributes:
        key: The API key that `podium apply` generated for the auth definition.
    """

    home: Home
    jobs: str
    gateway: str
    management: str
    key: str


def examples() -> Path:
    """The folder of examples: beside the packages in a checkout, inside `tui` when installed."""
    beside = Path(__file__).parents[2] / "examples"
    return beside if beside.is_dir() else Path(__file__).parents[1] / "examples"


@asynccontextmanager
async def stage() -> AsyncGenerator[Stage]:
    """Both processes up, the examples applied; all gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="podium-demo-") as folder:
        home = Home(Path(folder) / "home")
        server = [sys.executable, str(examples() / "job_server.py"), "--port", "0"]
        ports = [f"--{name}=127.0.0.1:0" for name in ("gateway", "management", "registry")]
        ports += [f"--{name}=127.0.0.1:0" for name in ("executor", "edge")]
        log = Path(folder) / "suite.log"
        async with (
            _running(server) as job_server,
            _running([*_podium("up", home), *ports], log) as suite,
        ):
            jobs = _address(await _line(job_server, "the job server"))
            await _line(suite, "podium up")
            endpoints = home.endpoints()
            key = await _apply(home, _rewritten(Path(folder), jobs))
            gateway, management = str(endpoints["gateway"]), str(endpoints["management"])
            yield Stage(home, jobs, gateway, management, key)


def _podium(command: str, home: Home) -> list[str]:
    return [sys.executable, "-m", "tui", command, "--home", str(home.path)]


def _address(line: str) -> str:
    return next(word for word in line.split() if word.startswith("http://"))


def _rewritten(folder: Path, jobs: str) -> list[Path]:
    """The examples, with the address of this job server."""
    files = []
    for name in FILES:
        file = folder / name
        file.write_text((examples() / name).read_text().replace(EXAMPLES_ADDRESS, jobs))
        files.append(file)
    return files


async def _apply(home: Home, files: Sequence[Path]) -> str:
    """Apply ``files``; the key that was generated."""
    process = await asyncio.create_subprocess_exec(
        *_podium("apply", home),
        "--output",
        "json",
        *map(str, files),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise DemoFailed("podium apply refused the examples.")
    results: list[dict[str, Any]] = json.loads(output)
    return str(next(key["key"] for result in results for key in result["generatedKeys"]))


def _show(log: Path) -> None:
    sys.stderr.write(log.read_text())


@asynccontextmanager
async def _running(
    command: Sequence[str], log: Path | None = None
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A process; what it says in ``log`` is shown only if something goes wrong."""
    with log.open("w") if log else nullcontext() as file:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=file
        )
    try:
        yield process
    except BaseException:
        if log:
            _show(log)
        raise
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _line(process: asyncio.subprocess.Process, name: str) -> str:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            line = await process.stdout.readline()
    except TimeoutError:
        line = b""
    if not line:
        raise DemoFailed(f"{name} did not start.")
    return line.decode()
