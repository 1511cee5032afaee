"""Event handlers as values: what they resolve, and when their condition holds."""

from __future__ import annotations

import pytest

from services.executor.core.model import Json
from services.executor.eventing.handlers import Action, asked, is_true, listening


@pytest.mark.parametrize(
    ("value", "holds"),
    [(True, True), (False, False), (1, True), (0, False), (-1, False), (0.5, True), ("true", True),
     ("True", True), ("yes", False), (None, False), ({}, False), ([1], False)],
)  # fmt: skip
def test_a_condition_holds_as_conductor_has_it(value: Json, holds: bool) -> None:
    assert is_true(value) is holds


def test_expressions_name_what_the_event_tells() -> None:
    payload: dict[str, Json] = {"order": {"id": 7, "tags": ["a"]}, "items": [1, 2], "input": "x"}
    action = Action(
        "start_workflow",
        {"name": "${input}", "input": {
            "id": "${order.id}", "all": "${order}", "second": "${items[1]}",
            "path": "${$.order.id}",
            "text": "order ${order.id}", "none": "${nothing.at.all}", "kept": "$${order.id}"}},
    )  # fmt: skip

    assert asked(action, payload) == {
        "name": "x",
        "input": {
            "id": 7,
            "all": {"id": 7, "tags": ["a"]},
            "second": 2,
            "path": 7,
            "text": "order 7",
            "none": None,
            "kept": "${order.id}",
        },
    }


def test_what_an_event_tells_is_data_and_not_resolved_again() -> None:
    action = Action("start_workflow", {"input": {"said": "${said}"}})

    assert asked(action, {"said": "${workflow.secrets.KEY}"}) == {
        "input": {"said": "${workflow.secrets.KEY}"}
    }


def test_only_active_handlers_listen() -> None:
    def document(name: str, **more: Json) -> dict[str, Json]:
        return {"name": name, "event": "webhook:a", "actions": [], **more}

    found = listening([document("b", active=True), document("off"), document("c", active=True)])

    assert [each.name for each in found["webhook:a"]] == ["b", "c"]
