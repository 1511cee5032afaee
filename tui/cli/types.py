"""What people type for an option's value, read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from tui.views import durations
from tui.views.kinds import kind_of


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


LENGTH = _Length()
KIND = _Kind()
# What the wire holds of them; 0 of a version stands for the latest, or for all.
VERSION = click.IntRange(0, (1 << 31) - 1)
REVISION = click.IntRange(1, (1 << 63) - 1)
