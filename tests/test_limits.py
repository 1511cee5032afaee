"""docs/limits.md says what holds: each number is the one in force, each test is there."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from services.edge import settings as edge
from services.executor.settings import ExecutorSettings
from services.registry.settings import RegistrySettings
from services.settings import described_fields

HOME = Path(__file__).parent.parent
PAGE = HOME / "docs" / "limits.md"


class Row(NamedTuple):
    """One line of a table."""

    what: str
    limit: str
    place: str
    beyond: str
    shown: str


def rows() -> Iterator[Row]:
    for line in PAGE.read_text().splitlines():
        if line.startswith("| ") and not line.startswith("| what "):
            yield Row(*(cell.strip() for cell in line.strip("|").split(" | ")))


def in_force(place: str) -> object:
    """What a setting or a constant of the code is; None: it is a field of a definition."""
    if place.startswith("PODIUM_"):
        for settings in (edge.Settings, ExecutorSettings, RegistrySettings):
            for _, described in described_fields(settings):
                if described.variable == place:
                    return described.default
        raise LookupError(place)
    if not place.startswith("services."):
        return None
    parts = place.split(".")
    for end in range(len(parts), 0, -1):
        try:
            value: object = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for name in parts[end:]:
            value = getattr(value, name)
        return value
    raise LookupError(place)


def written(value: object) -> set[str]:
    """How a number may stand on the page."""
    if isinstance(value, timedelta):
        return {f"{value.total_seconds():,.0f} s"}
    if isinstance(value, int):
        units = {f"{value >> shift} {unit}" for shift, unit in ((10, "KiB"), (20, "Mi"))}
        return {f"{value:,}"} | (units if not value & 1023 else set())
    return {""}


@cache
def defined_in(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.what)
def test_the_number_is_the_one_in_force(row: Row) -> None:
    linked = re.fullmatch(r"`([^`]+)`", row.place)
    if linked is None:
        assert row.place.startswith("[record ")
        return
    value = in_force(linked[1])

    # 0 is a setting that limits nothing by itself.
    told = (
        re.search(rf"(?<![\d,.]){re.escape(each)}(?![\d,]\d)", row.limit) for each in written(value)
    )
    assert value == 0 or any(told), (value, row.limit)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.what)
def test_the_test_that_shows_it_is_there(row: Row) -> None:
    path, _, name = row.shown.strip("`").partition("::")

    assert (HOME / path).exists()
    assert not name or name in defined_in(HOME / path)


def test_there_are_tables() -> None:
    assert len(list(rows())) > 50
