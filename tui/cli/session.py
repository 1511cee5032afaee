"""How a command reaches the suite, says what went wrong, and reads documents."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from services.errors import (
    DeadlineExceeded,
    NotFound,
    ServiceError,
    Unauthenticated,
    Unavailable,
    Unwritable,
)
from services.home import HomeUnusable
from services.locks import is_held
from services.rpc import is_of_transport
from tui.cli import interrupts
from tui.clients import SERVICES, check_serving, connected
from tui.clients.tokens import forget_token
from tui.suite import find
from tui.views.ids import way_to

if TYPE_CHECKING:
    from tui.clients import Clients
    from tui.suite import Suite

PROBE_SECONDS = 1.0


def call(
    home: Path | None, work: Callable[[Clients], Awaitable[int | None]], *, failure: int = 1
) -> NoReturn:
    """As :func:`ask`, with the suite's clients (None: 0)."""

    async def session(suite: Suite) -> int:
        async with connected(suite) as clients:
            return await work(clients) or 0

    ask(home, session, failure=failure)


def ask(
    home: Path | None, work: Callable[[Suite], Awaitable[int]], *, failure: int = 1
) -> NoReturn:
    """Run ``work`` on the suite and end the process with what it returns.

    It is run again if it was refused for a token that was kept. A failure that has a name is
    printed as its sentence and ends with ``failure``.
    """
    try:
        suite = find(home, os.environ)
        sys.exit(interrupts.run(_once_or_twice(suite, work)))
    except HomeUnusable as error:
        fail(str(error), failure)
    except Unwritable as error:
        fail(f"{error.detail} Nothing was begun; make room there, or let go of it.", failure)
    except (Unavailable, DeadlineExceeded) as error:
        fail(interrupts.run(_away(suite, error)), failure)
    except NotFound as error:
        fail(f"{error.detail} {way_to(error.metadata.get('execution_id', ''))}".rstrip(), failure)
    except ServiceError as error:
        fail(error.detail, failure)


async def _once_or_twice(suite: Suite, work: Callable[[Suite], Awaitable[int]]) -> int:
    try:
        return await work(suite)
    except Unauthenticated:
        # The token that was kept is of a registry that is no more.
        if not forget_token(suite):
            raise
    return await work(suite)


async def _away(suite: Suite, error: ServiceError) -> str:
    """Who cannot be reached, at which address, and what to do about it."""
    where = {name: f"the {name} at {getattr(suite, name)}" for name in SERVICES}
    reached = await asyncio.gather(*(_accepts(getattr(suite, name)) for name in SERVICES))
    away = [where[name] for name, there in zip(SERVICES, reached, strict=True) if not there]
    said = error.detail.partition("; podium status")[0].rstrip(".")
    if is_of_transport(error):
        # In gRPC's words, which tell a user nothing.
        said = "" if away else await _silent(suite, where)
    if away:
        said = f"{said}: " * bool(said) + f"{', '.join(away)} cannot be reached"
    elif refused := await misunderstandings(suite):
        return f"{refused}."
    return f"{said[:1].upper()}{said[1:]}; podium status says more{_way_out(suite)}."


async def _silent(suite: Suite, where: Mapping[str, str]) -> str:
    """Who takes connections and answers nothing."""
    silent = await asyncio.gather(*(_is_silent(suite, name) for name in SERVICES))
    names = [where[name] for name, so in zip(SERVICES, silent, strict=True) if so]
    return f"{', '.join(names or where.values())} did not answer"


async def _is_silent(suite: Suite, name: str) -> bool:
    try:
        await check_serving(getattr(suite, name), PROBE_SECONDS, suite.tls)
    except (ServiceError, HomeUnusable):
        return True
    return False


def _way_out(suite: Suite) -> str:
    """What starts it, unless somebody looks after it already."""
    if suite.home is not None and is_held(suite.home.lock_path):
        return "; podium up is there, and starts again what has died"
    return ", podium up starts the suite"


async def misunderstandings(suite: Suite) -> str:
    """Who speaks TLS where plain text was spoken, and the like; empty: nobody."""
    # Late: only who cannot go on looks for why.
    from services.tls.diagnosis import why_not

    reasons = await asyncio.gather(*(why_not(getattr(suite, name), suite.tls) for name in SERVICES))
    told = [
        f"the {name} at {getattr(suite, name)} cannot be spoken to: {why}"
        for name, why in zip(SERVICES, reasons, strict=True)
        if why
    ]
    said = "; ".join(told)
    return f"{said[:1].upper()}{said[1:]}"


async def _accepts(address: str) -> bool:
    """Whether something listens at ``host:port``."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except OSError:
        return False
    except ValueError:
        # Written as gRPC takes it and nobody else: that cannot be said.
        return True
    writer.close()
    return True


def fail(sentence: str, code: int = 1) -> NoReturn:
    """Say why and end with ``code``."""
    click.echo(f"podium: {sentence}", err=True)
    sys.exit(code)


def document_argument(text: str) -> str:
    """The JSON text that an option gave: itself, or the file's after an ``@``.

    Raises:
        click.BadParameter: There is no such file, or it is no JSON, or nested too deep to be read.
    """
    if text.startswith("@"):
        path = Path(text[1:])
        try:
            text = path.read_text("utf-8")
        except OSError as error:
            raise click.BadParameter(f"{path} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise click.BadParameter(f"{path} is no UTF-8 text.") from error
    try:
        json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"This is no JSON: {error}.") from error
    except RecursionError:
        raise click.BadParameter("This JSON is nested too deep to be read.") from None
    return text


def object_argument(text: str) -> str:
    """As :func:`document_argument`; the JSON text of an object. Raises click.BadParameter."""
    text = document_argument(text)
    if not isinstance(json.loads(text), dict):
        raise click.BadParameter('This is no JSON object; write e.g. \'{"name": "value"}\'.')
    return text
