"""NOOP: nothing, done at once."""

from __future__ import annotations

from services.registry.definitions.tasks.kind import TaskKind

KIND = TaskKind(name="NOOP", doc="Does nothing and is COMPLETED.")
