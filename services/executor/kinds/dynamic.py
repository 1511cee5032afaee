"""DYNAMIC: a task whose type is known when it is reached."""

from __future__ import annotations

from services.executor.core.commands import Wanted
from services.executor.core.kind import Becomes, Kind, Look, Next, View, Waiting, unusable
from services.executor.core.model import Json

# They would end at once, and nothing would have run.
_HOLD_TASKS = frozenset(("DO_WHILE", "FORK_JOIN"))


class Dynamic(Kind):
    """Goes on as a task of the name, or of the built-in type, that its input says."""

    def __init__(self, is_built_in: frozenset[str]) -> None:
        self._built_in = is_built_in

    def begin(self, view: View) -> Next:
        parameter = view.step.document.get("dynamicTaskNameParam")
        name = view.input.get(parameter) if isinstance(parameter, str) else None
        if not isinstance(name, str) or not name:
            return unusable(
                "Cannot map a dynamic task based on the parameter and input. "
                f"Parameter= {parameter}, input= {_short(view.input)}"
            )
        return Waiting(look=Look(name, Wanted(tasks=(name,))))

    def computed(self, view: View, label: str, value: Json, error: str | None) -> Next:
        tasks = value.get("tasks") if isinstance(value, dict) else None
        definition = tasks.get(label) if isinstance(tasks, dict) else None
        if definition is None and label not in self._built_in:
            return unusable(
                f"Invalid task specified. Cannot find task by name {label} in the task definitions"
            )
        if label in _HOLD_TASKS:
            return unusable(
                f"A DYNAMIC task cannot become a {label}, whose tasks stand within it; a "
                "SUB_WORKFLOW can run one."
            )
        document = {**view.step.document, "name": label, "type": label}
        return Becomes(label, label, document, definition)


def _short(value: Json) -> str:
    text = str(value)
    return text if len(text) <= 500 else f"{text[:500]}…"
