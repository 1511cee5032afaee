"""What holds for all tests."""

from __future__ import annotations

import gc
import os
import shutil
import ssl
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import settings

# How long an example takes says more about the machine than about the code.
settings.register_profile("podium", deadline=None, print_blob=True)
settings.load_profile("podium")

# The default of 700 looks at all that lives again and again, for a tenth of the time of a run.
_GC_THRESHOLDS = (20_000, 20, 20)
# Where each look finds more: what a finalizer has let go of.
_MOST_LOOKS = 5

_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 4 << 30


def pytest_configure() -> None:
    """Have tests write to memory where it has room: none cuts the power, and no disk is waited for.

    What is set already stays: ``PYTEST_DEBUG_TEMPROOT=/tmp`` has them write to the disk.
    """
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_collection_finish() -> None:
    """Have the collector leave alone what stays to the end: thousands of tests, and the modules."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Have what lives now left alone, too: pytest looks through all of it five times to find what
    tests have left behind, and the interpreter as it ends."""
    for _ in range(_MOST_LOOKS):
        if not gc.collect():
            break
    gc.freeze()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One loop for all tests: gRPC still speaks to the loop of a channel that was closed."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def authorities_read_once() -> Iterator[None]:
    """Whom the world trusts is read once, not for each client: it is most of what that takes.

    A client that is told whom to trust has its own context.
    """
    read = httpx.create_ssl_context
    of_the_world = cache(lambda trust_env: read(trust_env=trust_env))

    def context(
        verify: ssl.SSLContext | str | bool = True, cert: Any = None, trust_env: bool = True
    ) -> ssl.SSLContext:
        if verify is True and cert is None:
            return of_the_world(trust_env)
        return read(verify, cert, trust_env)

    with pytest.MonkeyPatch.context() as patch:
        # The client of MCP has a copy of its own.
        for library in ("httpx", "httpx2"):
            patch.setattr(f"{library}._transports.default.create_ssl_context", context)
        yield
