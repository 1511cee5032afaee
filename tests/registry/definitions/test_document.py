"""The manual and the schemas that are committed are those that the tables give."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

from services.registry.definitions.document import files

DOCS = Path(__file__).parents[3] / "docs"
FILES = files()


@pytest.mark.parametrize("name", sorted(FILES))
def test_what_is_committed_is_what_the_tables_say(name: str) -> None:
    hint = "run: python -m services.registry.definitions.document"

    assert (DOCS / name).read_text(encoding="utf-8") == FILES[name], hint


@pytest.mark.parametrize("name", sorted(name for name in FILES if name.startswith("schema/")))
def test_a_schema_is_one(name: str) -> None:
    jsonschema_rs.meta.validate(json.loads(FILES[name]))


def test_every_row_of_the_manual_has_four_cells() -> None:
    rows = [line for line in FILES["definitions.md"].splitlines() if line.startswith("| `")]

    assert rows
    assert {row.replace("\\|", "").count("|") for row in rows} == {5}
