"""Whatever the console shows has a command, and what it does has a command line."""

from __future__ import annotations

import pytest

from tests.tui.parsed import parsed
from tui.cli.main import COMMANDS
from tui.cli.nouns import OWN, TWINS, twin_of
from tui.resources import RESOURCES
from tui.views.kinds import KINDS, kind_of

NOUNS = [resource.name for resource in RESOURCES]


def test_every_noun_has_a_command_or_is_the_consoles_own() -> None:
    assert set(TWINS) | set(OWN) == set(NOUNS)
    assert not set(TWINS) & set(OWN)


@pytest.mark.parametrize("noun", TWINS)
def test_get_leads_to_the_command_of_a_noun(noun: str) -> None:
    shown = parsed(["get", "--output", "json", noun])
    (resource,) = (each for each in RESOURCES if each.name == noun)

    assert TWINS[noun][0] in COMMANDS
    assert shown == parsed([*TWINS[noun], "--output", "json"])
    for alias in resource.aliases:
        assert parsed(["get", alias]) == parsed([*TWINS[noun]]), alias


def test_kinds_come_before_nouns() -> None:
    for noun, words in TWINS.items():
        if words[0] == "get":
            assert kind_of(noun) == words[1]
            assert words[1] in KINDS


def test_what_is_neither_is_left_to_the_registry() -> None:
    assert twin_of("nonsense") == ()
    assert parsed(["get", "nonsense"]) == ["get"]


def test_options_of_the_command_go_with_its_noun() -> None:
    assert parsed(["get", "executions", "status:failed", "--limit", "5"]) == ["executions"]
    assert parsed(["get", "log", "--follow"]) == ["log"]
