"""Workers as a process: from the suite's address to a graceful end."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import grpc

from podium.worker.v1 import worker_pb2_grpc
from podium_worker.stream import Conversation
from podium_worker.tasks import Worker
from services.errors import DeadlineExceeded, ServiceError, Unavailable
from services.rpc import raising_ours
from tui.clients.dialling import dialled
from tui.clients.tokens import HeldToken, forget_token, renewing, token_of
from tui.suite import HomeUnusable, Suite, find

logger = logging.getLogger("podium_worker")

GRACE_SECONDS = 30.0
# To say that no more tasks are wanted.
_FAREWELL_SECONDS = 2.0
_TOKEN_SECONDS = 30.0
_FIRST_PAUSE_SECONDS = 0.5


def run(
    *workers: Worker,
    home: Path | None = None,
    worker_id: str = "",
    grace: float = GRACE_SECONDS,
) -> None:
    """Work until SIGTERM or SIGINT; then take nothing more and end what is begun.

    Args:
        workers: What is done; none: all workers of the program's main module.
        home: Of the suite; else ``PODIUM_HOME``, or ``PODIUM_REGISTRY``, ``PODIUM_EXECUTOR``,
            ``PODIUM_EDGE``, ``PODIUM_KEY_ID`` and ``PODIUM_KEY_SECRET`` say where it is; of a
            suite that speaks TLS also ``PODIUM_TLS_CA_FILE`` and, where it asks for certificates,
            ``PODIUM_TLS_CLIENT_CERT_FILE`` and ``PODIUM_TLS_CLIENT_KEY_FILE``.
        worker_id: Shown to people; made of the host's name where it is left out. No other process
            may have the same.
        grace: Seconds that what is begun has to end; then others do it.
    """
    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    found = workers or _of_main()
    if not found:
        raise SystemExit("There is no worker: decorate functions with @worker and pass them.")
    try:
        suite = find(home, os.environ)
        asyncio.run(_until_signalled(suite, found, worker_id or _own_id(), grace))
    except HomeUnusable as error:
        raise SystemExit(str(error)) from error
    except grpc.aio.AioRpcError as error:
        raise SystemExit(f"The executor will not have this worker: {error.details()}") from error
    except ServiceError as error:
        raise SystemExit(error.detail) from error


async def work(
    suite: Suite,
    workers: Sequence[Worker],
    worker_id: str,
    stopping: asyncio.Event,
    grace: float = GRACE_SECONDS,
) -> None:
    """As :func:`run`, within a loop of your own, until ``stopping`` is set."""
    with raising_ours():
        token = await _first_token(suite, stopping)
        if token is None:
            return
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(renewing(suite, token))
            executor = await stack.enter_async_context(
                dialled(suite.executor, lambda: token.text, suite.tls)
            )
            stub = worker_pb2_grpc.WorkerServiceStub(executor)
            renew = partial(_another_token, suite, token)
            await _converse(Conversation(stub, workers, worker_id, renew), stopping, grace)


async def _another_token(suite: Suite, held: HeldToken) -> bool:
    """Hold another token in the place of one that is refused; False: the key is refused, too.

    The key that signed it was revoked, perhaps, or the access key itself.
    """
    forget_token(suite)
    try:
        with raising_ours():
            held.token = await token_of(suite, _TOKEN_SECONDS)
    except (Unavailable, DeadlineExceeded) as error:
        logger.warning("No other token yet: %s", error.detail)
    except ServiceError:
        return False
    return True


async def _first_token(suite: Suite, stopping: asyncio.Event) -> HeldToken | None:
    """A token, however long the registry is away; None: it is to stop."""
    pause = _FIRST_PAUSE_SECONDS
    while not stopping.is_set():
        try:
            with raising_ours():
                return HeldToken(await token_of(suite, _TOKEN_SECONDS))
        except ServiceError as error:
            if error.code is not grpc.StatusCode.UNAVAILABLE:
                raise
            logger.warning("No token yet: %s", error.detail)
        await asyncio.sleep(pause)
        pause = min(2 * pause, 10.0)
    return None


async def _converse(talk: Conversation, stopping: asyncio.Event, grace: float) -> None:
    running = asyncio.create_task(talk.run())
    waiting = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
        talk.stop()
        await asyncio.wait((running,), timeout=min(grace, _FAREWELL_SECONDS))
        # With nothing to end, an executor that is away is not waited for.
        if not running.done() and talk.busy:
            await asyncio.wait((running,), timeout=max(grace - _FAREWELL_SECONDS, 0))
        if not running.done() and talk.busy:
            talk.jobs.give_up()
            await asyncio.wait((running,), timeout=5)
        if running.done():
            running.result()
    finally:
        running.cancel()
        waiting.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        talk.jobs.close()


async def _until_signalled(
    suite: Suite, workers: Sequence[Worker], worker_id: str, grace: float
) -> None:
    stopping = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stopping.set)
    types = ", ".join(sorted({each.type for each in workers}))
    logger.info("The worker %s does %s.", worker_id, types)
    await work(suite, workers, worker_id, stopping, grace)


def _own_id() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def _of_main() -> tuple[Worker, ...]:
    main = sys.modules["__main__"]
    return tuple(each for each in vars(main).values() if isinstance(each, Worker))
