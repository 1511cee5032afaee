"""Whatever the console shows has a command, and what it does has a command line."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from tests.tui.parsed import parsed
from tui.cli.main import COMMANDS, CONSOLE_OPTIONS, main
from tui.cli.nouns import OWN, TWINS, twin_of
from tui.cli.queries import keeps
from tui.cli.routes import matching
from tui.resources import RESOURCES
from tui.resources.catalog import Definition
from tui.resources.model import Resource
from tui.views.kinds import KINDS, kind_of
from tui.views.routes import lines

NOUNS = [resource.name for resource in RESOURCES]


def test_every_noun_has_a_command_or_is_the_consoles_own() -> None:
    assert set(TWINS) | set(OWN) == set(NOUNS)
    assert not set(TWINS) & set(OWN)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.name)
def test_no_action_has_the_words_of_another_key(resource: Resource[Any]) -> None:
    """Of two keys with the same words the last line has one: the other would not be found."""
    titles = [each.title for each in resource.actions]

    assert len({*titles, "Open"}) == len(titles) + 1


@pytest.mark.parametrize("noun", TWINS)
def test_get_leads_to_the_command_of_a_noun(noun: str) -> None:
    shown = parsed(["get", "--output", "json", noun])
    (resource,) = (each for each in RESOURCES if each.name == noun)

    assert TWINS[noun][0] in COMMANDS
    assert shown == parsed([*TWINS[noun], "--output", "json"])
    for alias in resource.aliases:
        assert parsed(["get", alias]) == parsed([*TWINS[noun]]), alias


@pytest.mark.parametrize("option", CONSOLE_OPTIONS)
def test_the_consoles_options_do_without_its_name(option: str) -> None:
    command = main.get_command(click.Context(main), "tui")
    assert command is not None

    assert option in {name for each in command.params for name in each.opts}
    done = CliRunner().invoke(main, [option, "--check-config", "x", "y", "z"])
    # It is the console that has no room for three words.
    assert "podium tui" in done.output or "main tui" in done.output


@pytest.mark.parametrize(
    ("noun", "instead"),
    [("executions", "podium watch ID"), ("audit", "it has --follow"), ("workers", "the console")],
)
def test_what_has_no_watch_says_what_has(noun: str, instead: str) -> None:
    done = CliRunner().invoke(main, ["get", noun, "--watch"])

    assert done.exit_code == 2
    assert f"has no --watch: {instead}" in done.output.replace("`", "")


def test_kinds_come_before_nouns() -> None:
    for noun, words in TWINS.items():
        if words[0] == "get":
            assert kind_of(noun) == words[1]
            assert words[1] in KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_asked_by_a_query(kind: str) -> None:
    row = Definition("order", kind, 1, (1,), 7, "", "", {}, 0.0, "key:ada", 0.0)

    assert keeps(kind, "name:ord* by:*ada")(row)
    assert not keeps(kind, "revision:8")(row)
    with pytest.raises(click.BadArgumentUsage, match="There is no field"):
        keeps(kind, "nothing:such")


def test_what_is_neither_is_left_to_the_registry() -> None:
    assert twin_of("nonsense") == ()
    assert parsed(["get", "nonsense"]) == ["get"]


def test_options_of_the_command_go_with_its_noun() -> None:
    assert parsed(["get", "executions", "status:failed", "--limit", "5"]) == ["executions"]
    assert parsed(["get", "log", "--follow"]) == ["log"]


def test_routes_are_asked_as_the_consoles_list_is() -> None:
    service = {"id": "shop", "path": "/api/", "authConfigId": "partners", "enabled": False}
    ways = [("GET", "/"), ("POST", "/orders/")]
    service["routes"] = [
        {"httpMethod": method, "path": path, "mappedWorkflow": {"name": "order"}}
        for method, path in ways
    ]

    found = lines([service])

    (posted,) = matching(found, keeps("routes", "method:POST auth:partners"))
    assert posted.path == "/api/orders"
    assert list(matching(found, keeps("routes", "enabled:no orde"))) == found


@pytest.mark.parametrize(
    ("command", "typed", "offered"),
    [
        ("get", "wo", ["workers", "workflow"]),
        ("get", "SE", ["service", "secret"]),
        ("get", "a", ["application", "auth", "audit", "access-keys"]),
        ("delete", "a", ["application", "auth"]),
    ],
)
def test_a_shell_completes_kinds_and_nouns(command: str, typed: str, offered: list[str]) -> None:
    found = main.get_command(click.Context(main), command)
    assert found is not None
    (kind,) = (each for each in found.params if each.name == "kind")
    context = click.Context(found, info_name=command)

    completed = [each.value for each in kind.shell_complete(context, typed)]

    assert sorted(completed) == sorted(offered)
