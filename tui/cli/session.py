"""How a command reaches the suite, says what went wrong, and prints data."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from services.errors import ServiceError, Unauthenticated, Unavailable
from services.home import HomeUnusable
from services.rpc import is_of_transport
from tui.cli import interrupts
from tui.clients import connected
from tui.clients.tokens import forget_token
from tui.suite import find

if TYPE_CHECKING:
    from tui.clients import Clients
    from tui.suite import Suite

OUTPUT_OPTION = click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True
)

DATA_OPTION = click.option(
    "--output", type=click.Choice(["text", "json", "yaml"]), default="text", show_default=True
)


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

    async def session() -> int:
        suite = find(home, os.environ)
        try:
            return await work(suite)
        except Unauthenticated:
            # The token that was kept is of a registry that is no more.
            if not forget_token(suite):
                raise
        return await work(suite)

    try:
        code = interrupts.run(session())
    except HomeUnusable as error:
        fail(str(error), failure)
    except Unavailable as error:
        away = (
            "A service of the suite cannot be reached" if is_of_transport(error) else error.detail
        )
        fail(f"{away.rstrip('.')}; podium status says more.", failure)
    except ServiceError as error:
        fail(error.detail, failure)
    except BrokenPipeError:
        # Who reads standard output has enough, as head has: click ends quietly, with 1.
        raise
    except OSError as error:
        # A file has a name; standard output, which takes no more, has none.
        fail(
            f"{error.filename or 'The output'} cannot be written: {error.strerror or error}.",
            failure,
        )
    sys.exit(code)


def fail(sentence: str, code: int = 1) -> NoReturn:
    """Say why and end with ``code``."""
    click.echo(f"podium: {sentence}", err=True)
    sys.exit(code)


def echo_json(value: Any) -> None:
    """``value`` as indented JSON on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def echo_data(value: Any, output: str) -> None:
    """``value`` on standard output, as ``json`` or as ``yaml``."""
    if output == "yaml":
        # It takes a while to import, and nobody else waits for it.
        from tui.views.yaml_text import yaml_text

        click.echo(yaml_text(value).rstrip())
    else:
        echo_json(value)


def document_argument(text: str) -> str:
    """The JSON text that an option gave: itself, or the file's after an ``@``.

    Raises:
        click.BadParameter: There is no such file, or it is no JSON.
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
    return text


def object_argument(text: str) -> str:
    """As :func:`document_argument`; the JSON text of an object. Raises click.BadParameter."""
    text = document_argument(text)
    if not isinstance(json.loads(text), dict):
        raise click.BadParameter('This is no JSON object; write e.g. \'{"name": "value"}\'.')
    return text
