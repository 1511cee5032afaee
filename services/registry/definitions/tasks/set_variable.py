"""SET_VARIABLE: values for ``${workflow.variables…}``."""

from __future__ import annotations

from services.registry.definitions.tasks.kind import TaskKind

KIND = TaskKind(
    name="SET_VARIABLE",
    doc="Sets each key of `inputParameters` as a variable of the execution.",
)
