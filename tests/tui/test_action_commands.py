"""The command line that the console tells of what was done is one that does the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from tests.tui.parsed import commands_in, parsed
from tui.bindings import all_actions
from tui.live import making_keys
from tui.live.starting import order
from tui.views import drafts, route_call, yanking
from tui.views.command_lines import LONGEST

# As bad as names may be: of an option's look, with blanks, quotes and what a shell acts on.
NAME = '-it\'s $(a); "b" & é'
_DEFINITION = {"id": NAME, "kind": "workflow", "document": {"id": NAME, "enabled": True}}
_ROUTE = {"service": "shop", "method": "GET", "path": "/prices/{id}"}
ROWS: Mapping[str, tuple[Mapping[str, Any], Mapping[str, str]]] = {
    **{
        f"{kind}.delete": (_DEFINITION | {"kind": kind}, {})
        for kind in (
            "application",
            "auth",
            "event",
            "schedule",
            "schema",
            "secret",
            "service",
            "task",
            "webhook",
            "workflow",
        )
    },
    **{f"executions.{verb}": ({"id": "9f2c"}, {}) for verb in ("retry", "pause", "resume")},
    **{f"executions.{verb}": ({"id": "9f2c"}, {}) for verb in ("retry_resume", "reset_callbacks")},
    "executions.rerun": ({"id": "9f2c"}, {"ref": NAME, "input": '{"a": "-"}'}),
    "executions.skip_task": ({"id": "9f2c"}, {"ref": NAME, "result": '{"a": "-"}'}),
    "executions.signal": (
        {"id": "9f2c"},
        {"status": "FAILED", "result": '{"a": "-"}', "reason": NAME},
    ),
    "executions.set_variables": ({"id": "9f2c"}, {"variables": '{"a": "-"}'}),
    "executions.remove": ({"id": "9f2c"}, {"children": "with its sub-workflows"}),
    "executions.terminate": ({"id": "9f2c"}, {"reason": NAME}),
    "executions.restart": ({"id": "9f2c"}, {"definition": "latest"}),
    "execution.complete_task": (
        {"execution_id": "9f2c", "ref": NAME},
        {"status": "FAILED", "result": '{"a": "-"}', "reason": NAME},
    ),
    "task_runs.complete": (
        {"id": NAME, "execution_id": "9f2c"},
        {"status": "FAILED", "result": '{"a": "-"}', "reason": NAME},
    ),
    "task_runs.retry": ({"execution_id": "9f2c"}, {}),
    "task_runs.rerun": ({"execution_id": "9f2c", "ref": NAME}, {"input": '{"a": "-"}'}),
    "task_runs.terminate": ({"execution_id": "9f2c"}, {"reason": NAME}),
    "workflows.test": (
        _DEFINITION,
        {"mocks": '{"a": [{}]}', "input": '{"b": "-"}'},
    ),
    "service.switch": (_DEFINITION | {"get": {"enabled": True}.get}, {}),
    "application.switch": (_DEFINITION | {"get": {"enabled": True}.get}, {}),
    "signing_keys.rotate": ({"id": NAME}, {}),
    "signing_keys.revoke": ({"id": NAME}, {}),
    "versions.delete": ({"id": "3", "definition": SimpleNamespace(**_DEFINITION)}, {}),
    "history.rollback": ({"id": "41", "kind": "workflow", "name": NAME}, {}),
    "keys.revoke": ({"id": NAME, "owner": "partners"}, {"last": "yes"}),
    "access_keys.revoke": ({"id": NAME}, {}),
    "schedules.pause": ({"id": NAME}, {}),
    "schedules.resume": ({"id": NAME}, {}),
    "limits.reset": ({"key_id": NAME}, {}),
    **{f"breakers.{verb}": ({"id": NAME}, {}) for verb in ("open", "close", "reset")},
    "queues.requeue": ({"type": NAME, "domain": NAME}, {}),
    "cache.purge": (_ROUTE, {}),
    "cache.purge_all": (_ROUTE, {}),
    "cache.purge_entry": (_ROUTE | {"key": NAME, "principal": "key:partners/mobile"}, {}),
}


ACTIONS = {action.id: action for action in all_actions()}


def test_every_action_has_its_row() -> None:
    assert set(ACTIONS) == set(ROWS)


@pytest.mark.parametrize("id_", ROWS)
def test_an_actions_command_can_be_typed(id_: str) -> None:
    record, answers = ROWS[id_]
    action = ACTIONS[id_]
    rows = [SimpleNamespace(**record)] * (2 if action.many else 1)

    found = commands_in(action.command(rows, answers))

    assert found
    for words in found:
        assert parsed(words)


@pytest.mark.parametrize("answers", [{}, dict.fromkeys(("name", "expires", "overlap"), NAME)])
@pytest.mark.parametrize("words", [("keys", "create"), ("keys", "roll"), ("access-keys", "create")])
def test_making_keys_can_be_typed(words: tuple[str, str], answers: Mapping[str, str]) -> None:
    given = dict(answers) if words[0] == "keys" and words[1] == "create" else {}
    if "expires" in given:
        given |= {"expires": "90d", "overlap": ""}
    name = NAME if words == ("keys", "roll") else ""

    (found,) = commands_in(making_keys.command(words, "partners", name, given))

    assert parsed(found) == list(words)


@pytest.mark.parametrize("workflow", ["order", NAME])
@pytest.mark.parametrize("value", ["short", "x" * LONGEST])
def test_a_run_can_be_typed(workflow: str, value: str) -> None:
    line = order(workflow, 3, {"a": value}, "-corr").command
    (found,) = commands_in(line)

    assert parsed(found) == ["run"]
    assert workflow in found


@pytest.mark.parametrize("text", ["it's $(a)", "x" * LONGEST])
def test_storing_a_document_can_be_typed(text: str, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").touch()

    (found,) = commands_in(drafts.command({"name": text, "kind": "task"}))

    assert parsed(found) == ["apply"]


@pytest.mark.parametrize("body", ["", json.dumps({"a": NAME}), "x" * LONGEST])
def test_a_tried_call_can_be_typed(body: str) -> None:
    pairs = ((NAME, NAME),)
    call = route_call.RouteCall("shop", "POST", "/o/{-}", pairs, pairs, pairs, body)

    (found,) = commands_in(route_call.command(call))

    assert parsed(found) == ["test-route"]


@pytest.mark.parametrize(
    ("noun", "record", "shown"),
    [
        ("executions", {"id": "9f2c"}, ["watch"]),
        ("routes", {"service_id": "shop", "method": "GET", "path": "/a/{b}"}, ["routes", "curl"]),
        ("workflows", {"id": NAME, "kind": "workflow"}, ["get"]),
        ("limits", {"id": "x"}, ["tui"]),
        ("audit", {"id": "17", "kind": "workflow"}, ["audit", "show"]),
        ("actions", {"id": "3", "command": "podium terminate 9f2c --reason 'a b'"}, ["terminate"]),
    ],
)
def test_what_is_copied_as_a_command_can_be_typed(
    noun: str, record: Mapping[str, Any], shown: list[str]
) -> None:
    line = yanking.command_of(
        noun, SimpleNamespace(**record), f"{noun}/{record['id']}" if "id" in record else noun
    )
    (found,) = commands_in(line)

    assert parsed(found) == shown
