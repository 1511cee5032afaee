"""HUMAN: waits until a person ends it."""

from __future__ import annotations

from services.registry.definitions.tasks.kind import TaskKind

KIND = TaskKind(
    name="HUMAN",
    doc=(
        "Waits until somebody completes or fails the task, by hand or by a call; its output is "
        "what they give. Its input is for who does it."
    ),
)
