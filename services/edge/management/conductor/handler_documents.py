"""Event handlers between Conductor's clients and the registry's documents. No IO."""

from __future__ import annotations

from typing import Any

from services.edge.management.conductor.jackson import known, known_in, name_in
from services.edge.management.configuration.documents import Document

_FIELDS = ("name", "event", "condition", "evaluatorType", "actions", "active", "description",
           "metadata", "tags")  # fmt: skip
_ACTION = (
    "action", "start_workflow", "complete_task", "fail_task", "terminate_workflow",
    "update_workflow_variables", "start_agent", "expandInlineJSON",
)  # fmt: skip
# Texts that say nothing where they are empty.
_TEXTS = ("condition", "evaluatorType")
_SHOWN = {"active": False, "evaluatorType": "javascript"}


def handler_written(sent: Document, before: Document | None = None) -> Document:
    """The document to put for a handler that a client sent.

    Args:
        before: The stored one in whose place it comes: its tags stay unless others are sent.

    Raises:
        InvalidDefinition: It has no name; all else is the registry's to refuse.
    """
    handler = {"kind": "event", **known(sent, _FIELDS)}
    name_in(handler, "event handler")
    for name in _TEXTS:
        if handler.get(name) == "":
            del handler[name]
    if isinstance(handler.get("actions"), list):
        handler["actions"] = [_action_written(each) for each in handler["actions"]]
    if before and "tags" in before and "tags" not in handler:
        handler["tags"] = before["tags"]
    return handler


def _action_written(sent: Any) -> Any:
    action = known_in(sent, _ACTION)
    if isinstance(action, dict) and action.get("expandInlineJSON") is False:
        del action["expandInlineJSON"]
    return action


def handler_shown(document: Document) -> Document:
    """A handler as clients read it."""
    return _SHOWN | {name: value for name, value in document.items() if name != "kind"}
