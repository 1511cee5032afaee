"""The record is whole: each of Conductor's endpoints is served or refused by name, with rows."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from services.edge.management.pages import PAGES
from services.unserved import UNSERVED_PAGES
from tests.conductor.endpoints import CONDUCTORS
from tests.conductor.rows import Row

PAGE = (Path(__file__).parents[2] / "docs" / "conductor.md").read_text()
_PARAMETER = re.compile(r"\{\w+\}")
# The gateway's configuration has tests of its own.
_CONFIGURATION = ("/api/gateway/", "/api/config/")
_OTHERS = ("GET /metrics", "GET /health", "GET /api/health", "POST /api/token")


def unnamed(endpoints: Iterable[str]) -> set[str]:
    """Without the names of what stands in paths: they are told apart by nothing else."""
    return {_PARAMETER.sub("{}", each) for each in endpoints}


SERVED = unnamed(
    f"{method} {path}" for method, path, _ in PAGES if not path.startswith(_CONFIGURATION)
)
UNSERVED = unnamed(f"{method} {path}" for method, path, _ in UNSERVED_PAGES)


def rows_in(value: object) -> Iterator[Row]:
    """However deep they are in tuples, lists and objects."""
    if isinstance(value, Row):
        yield value
    elif isinstance(value, Mapping):
        yield from rows_in(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for each in value:
            yield from rows_in(each)


def recorded() -> Iterator[str]:
    """The endpoints of all rows of this folder."""
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        module = importlib.import_module(f"tests.conductor.{file.stem}")
        for row in rows_in(tuple(vars(module).values())):
            yield row.endpoint if " " in row.endpoint else endpoint_of(row)


def endpoint_of(row: Row) -> str:
    """Of those that are served, the one at the row's path: literal segments come first."""
    asked = [row.endpoint, *row.path.partition("?")[0].split("/")]
    parts = (each.replace(" ", "/", 1).split("/") for each in SERVED)
    found = [
        each
        for each in parts
        if len(each) == len(asked)
        and all(one in {"{}", other} for one, other in zip(each, asked, strict=True))
    ]
    best = min(found, key=lambda each: each.count("{}"))
    return "/".join(best).replace("/", " ", 1)


def told() -> set[str]:
    """What the page for users says is served."""
    return unnamed(re.findall(r"`([A-Z]+ /[^`?]+)`", PAGE.partition("## Endpoints")[2]))


def test_the_page_for_users_has_all_that_is_served_and_nothing_else() -> None:
    assert told() == SERVED - UNSERVED - {"GET /metrics"}


def test_every_endpoint_of_conductors_is_served_or_refused_by_name() -> None:
    assert unnamed(CONDUCTORS) - SERVED == set()


def test_every_endpoint_has_rows() -> None:
    assert SERVED - UNSERVED - unnamed(recorded()) - set(_OTHERS) == set()
