"""What a task of a document says beside its name and type: a condition, where it leads."""

from __future__ import annotations

import json


def detail(task: dict[str, object], kind: str) -> str:
    """What the box of a task says beside its name and type."""
    match kind:
        case "SWITCH" | "DECISION":
            return _condition(task)
        case "SUB_WORKFLOW" | "START_WORKFLOW":
            name, version = _target(task, kind)
            return f"→ {name}{f' v{version}' if version else ''}" if name else ""
        case "TERMINATE":
            return _text(_input(task).get("terminationStatus"))
        case "EVENT":
            return _text(task.get("sink"))
        case "DYNAMIC":
            return _text(_input(task).get(_text(task.get("dynamicTaskNameParam"))))
        case "WAIT":
            return _text(_input(task).get("duration") or _input(task).get("until"))
        case "FORK_JOIN_DYNAMIC":
            return "tasks are known when it runs"
        case _:
            return ""


def _condition(task: dict[str, object]) -> str:
    """What a SWITCH looks at: the value of its parameter, or its script."""
    if task.get("evaluatorType", "value-param") == "value-param":
        name = _text(task.get("expression") or task.get("caseValueParam"))
        value = _input(task).get(name)
        if value is not None:
            return _text(value)
        return _text(task.get("caseExpression")) or name
    return _text(task.get("expression"))


def _input(task: dict[str, object]) -> dict[str, object]:
    value = task.get("inputParameters")
    return value if isinstance(value, dict) else {}


def _target(task: dict[str, object], kind: str) -> tuple[str, int]:
    """The name and version of the workflow that a door leads to; no name: it cannot be read."""
    place = (
        task.get("subWorkflowParam")
        if kind == "SUB_WORKFLOW"
        else _input(task).get("startWorkflow")
    )
    if not isinstance(place, dict):
        return "", 0
    inline = place.get("workflowDefinition")
    name = place.get("name") or (inline.get("name") if isinstance(inline, dict) else None)
    version = place.get("version")
    return _text(name), version if isinstance(version, int) else 0


def opened(task: dict[str, object], kind: str) -> tuple[str, int] | None:
    """The workflow that a door leads to, and its version (0: the latest); None: not known yet."""
    if kind not in ("SUB_WORKFLOW", "START_WORKFLOW"):
        return None
    name, version = _target(task, kind)
    # What is known only when it runs cannot be opened before.
    return (name, version) if name and "${" not in name else None


def _text(value: object) -> str:
    """Any value of a document in short; nothing for null, and for what is no value."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    return json.dumps(value, default=repr)
