"""`podium contexts`: the suites that the console's settings name."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import click

from services.errors import ServiceError
from tui.cli import interrupts
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_rows, examples
from tui.settings import Context, read, settings_path
from tui.settings.files import VARIABLE
from tui.views.visible import in_one_line

CHECK_SECONDS = 2.0
UP = "up"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A context, and how its suite is: ``up``, or why it is not."""

    context: Context
    state: str
    where: str


@click.command(
    epilog=examples(
        "podium contexts",
        "podium contexts --output json",
    )
)
@OUTPUT_OPTION
def contexts(output: str) -> None:
    """List the suites that the console's settings name, and whether they answer.

    `podium tui --context NAME` opens one. Ends with 1 where one does not answer, or the settings
    have a fault.
    """
    path = settings_path(os.environ)
    parsed = read(path, wanted=VARIABLE in os.environ)
    for fault in parsed.faults:
        click.echo(f"podium: {path}: {fault}", err=True)
    found = interrupts.run(_all(parsed.settings.contexts.values()))
    if output != "text":
        echo_data([_data(each) for each in found], output)
    elif found:
        echo_rows(map(_cells, found))
    else:
        click.echo(f"podium: {path} names no contexts.", err=True)
    sys.exit(int(bool(parsed.faults) or any(each.state != UP for each in found)))


async def _all(known: Iterable[Context]) -> list[_Asked]:
    return await asyncio.gather(*map(_asked, known))


async def _asked(context: Context) -> _Asked:
    # Late: who has no contexts needs none of it.
    from tui.clients import check_serving
    from tui.suite import HomeUnusable, of_context

    where = context.home
    try:
        suite = of_context(context)
        where = str(suite.home.path) if suite.home is not None else suite.registry
        async with asyncio.timeout(CHECK_SECONDS):
            for address in (suite.registry, suite.executor, suite.edge):
                await check_serving(address, CHECK_SECONDS, suite.tls)
    except TimeoutError:
        return _Asked(context, "does not answer", where)
    except ServiceError:
        return _Asked(context, "cannot be reached", where)
    except HomeUnusable as error:
        return _Asked(context, str(error), where)
    return _Asked(context, UP, where)


def _cells(asked: _Asked) -> tuple[str, ...]:
    care = (("read-only", asked.context.read_only), ("protected", asked.context.protected))
    said = " ".join(word for word, so in care if so)
    return tuple(map(in_one_line, (asked.context.name, asked.state, said, asked.where)))


def _data(asked: _Asked) -> dict[str, Any]:
    return {
        "name": asked.context.name,
        "state": asked.state,
        "where": asked.where,
        "readOnly": asked.context.read_only,
        "protected": asked.context.protected,
    }
