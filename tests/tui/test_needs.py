"""Every action, opening and command names the RPCs that it calls, and thereby its rights."""

from __future__ import annotations

from typing import Any

import click
import pytest
from textual.binding import Binding

from services.rights import RIGHTS, rpc
from tests.tui.called import called, open_to_all
from tests.tui.test_command_table import walked
from tui.bindings import all_actions
from tui.resources import RESOURCES
from tui.resources.model import Action
from tui.screens.definition.grants import GrantsTab
from tui.screens.definition.keys import AccessKeysTab, ApiKeysTab
from tui.screens.definition.routes import RoutesTab
from tui.views.needs import ACTIONS, COMMANDS, OPENINGS, TABS, Needs

OPENED = {each.id for resource in RESOURCES for each in resource.openings}
ROWS = {**ACTIONS, **OPENINGS, **COMMANDS, **TABS}
WITH_KEYS = (GrantsTab, ApiKeysTab, AccessKeysTab, RoutesTab)


def bare(names: tuple[str, ...]) -> set[str]:
    return {name.rpartition(".")[2] for name in names}


def test_the_tables_have_what_there_is_and_nothing_else() -> None:
    assert set(ACTIONS) == {each.id for each in all_actions()}
    assert set(OPENINGS) == OPENED
    assert set(COMMANDS) <= set(walked())
    # Those of actions have their rows there.
    keys = {each.id for tab in WITH_KEYS for each in tab.BINDINGS if isinstance(each, Binding)}
    assert set(TABS) == keys - set(ACTIONS)


@pytest.mark.parametrize("name", ROWS)
def test_what_is_called_is_an_rpc_with_a_right(name: str) -> None:
    needs = ROWS[name]
    for each in needs.calls + needs.also:
        assert rpc(each) in RIGHTS, each


@pytest.mark.parametrize("action", all_actions(), ids=lambda each: each.id)
def test_an_action_calls_what_its_row_says(action: Action[Any]) -> None:
    needs = ACTIONS[action.id]

    assert called(action.perform) == bare(needs.calls + needs.also)


@pytest.mark.parametrize(("words", "command"), walked().items())
def test_a_command_calls_what_its_row_says(words: str, command: click.Command) -> None:
    needs = COMMANDS.get(words, Needs())

    assert called(command.callback) - open_to_all() == bare(needs.calls + needs.also)
