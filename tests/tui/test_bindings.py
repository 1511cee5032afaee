"""Every key: it has an id and a reason, is nobody else's, and is no terminal's."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tui.bindings import Key, _classes, all_keys, scope_of, table
from tui.settings import RESERVED

KEYS = all_keys()
PAGE = Path(__file__).parents[2] / "docs" / "console-keys.md"


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.scope} {key.keys}")
def test_a_key_has_an_id_and_says_what_it_does(key: Key) -> None:
    assert "." in key.id
    assert key.tooltip
    assert not RESERVED & {each.strip() for each in key.keys.split(",")}


def test_a_scope_has_no_key_twice() -> None:
    counted = Counter((key.scope, each.strip()) for key in KEYS for each in key.keys.split(","))

    assert [pair for pair, count in counted.items() if count > 1] == []


def test_an_id_means_one_thing() -> None:
    by_id: dict[str, set[str]] = {}
    for key in KEYS:
        by_id.setdefault(key.id, set()).add(key.tooltip)

    assert {id_: texts for id_, texts in by_id.items() if len(texts) > 1} == {}


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("ConsoleScreen", "Everywhere, around all places"), ("JsonView", "JSON view"),
        ("VersionsTab", "Versions tab"), ("FormPane", "Form of a definition"),
        ("EnginePane", "Engine"), ("Form", "Form"), ("Viewer", "Viewer"),
    ],
)  # fmt: skip
def test_parts_are_told_in_words(name: str, scope: str) -> None:
    assert scope_of(name) == scope


def test_no_two_parts_are_called_the_same() -> None:
    assert len({scope_of(each.__name__) for each in _classes()}) == len(_classes())


def test_the_manual_has_every_key() -> None:
    assert PAGE.read_text("utf-8") == table()
