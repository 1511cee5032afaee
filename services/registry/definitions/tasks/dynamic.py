"""DYNAMIC: a task whose type is known when it is reached."""

from __future__ import annotations

from services.registry.definitions.model import Document
from services.registry.definitions.reading import Place, shown
from services.registry.definitions.records import Field
from services.registry.definitions.tasks.evaluators import names_given
from services.registry.definitions.tasks.kind import TaskKind
from services.registry.definitions.values import Name


def _check(task: Document, at: Place) -> None:
    parameter, given = task.get("dynamicTaskNameParam"), names_given(task)
    if isinstance(parameter, str) and parameter not in given:
        hint = at.guess(parameter, given)
        (at / "dynamicTaskNameParam").fault(f"{shown(parameter)} is not in inputParameters{hint}")


KIND = TaskKind(
    name="DYNAMIC",
    doc=(
        "Runs as the task whose name its input gives: that of a task definition, whose workers do "
        "it, or of a built-in type, e.g. HTTP; of none whose tasks stand within it (DO_WHILE, "
        "FORK_JOIN). It keeps its input, and its reference."
    ),
    fields=(
        Field(
            "dynamicTaskNameParam",
            Name(),
            "The key of `inputParameters` that has the name.",
            required=True,
        ),
    ),
    check=_check,
)
