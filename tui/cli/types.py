"""What people type for an option's value, read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click
from click.shell_completion import CompletionItem

from tui.cli.nouns import TWINS
from tui.views import durations
from tui.views.kinds import KINDS, kind_of


class _Length(click.ParamType[timedelta]):
    """A length of time."""

    name = "24h"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            return durations.length(value)
        except ValueError as error:
            self.fail(f"{value!r}: {error}.", param, ctx)


class _Kind(click.ParamType[str]):
    """A kind of definitions, or short for one; the registry refuses what is none."""

    name = "kind"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        return kind_of(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        nouns = [noun for noun in TWINS if kind_of(noun) not in KINDS]
        there_are = [*KINDS, *(nouns if ctx.info_name == "get" else ())]
        return [CompletionItem(name) for name in there_are if name.startswith(incomplete.lower())]


LENGTH = _Length()
KIND = _Kind()
# What the wire holds of them; 0 of a version stands for the latest, or for all.
VERSION = click.IntRange(0, (1 << 31) - 1)
REVISION = click.IntRange(1, (1 << 63) - 1)
