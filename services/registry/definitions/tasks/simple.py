"""SIMPLE: what a worker does."""

from __future__ import annotations

from services.registry.definitions.tasks.kind import BY_WORKERS, TaskKind

KIND = TaskKind(
    name=BY_WORKERS,
    doc=(
        "Waits in the queue of its `name` until a worker of that name has done it; its output is "
        "the worker's. So is a task of any type that is not in this list, if there is a task "
        "definition of its `name`: its queue is that of its type. In which domain its workers are "
        "says `taskToDomain` of the start. Without a task definition it is retried three times, "
        "and a worker may be silent for an hour."
    ),
    calls_out=True,
    callback=True,
)
