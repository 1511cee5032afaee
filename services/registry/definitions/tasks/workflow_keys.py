"""The idempotency key of what a task starts, and its strategy."""

from __future__ import annotations

from services.registry.definitions.records import Field
from services.registry.definitions.values import Choice, OrExpression, Text

KEY = Field(
    "idempotencyKey",
    OrExpression(Text()),
    "Of the workflow's starts with it one begins, whoever makes them, until 24 h after its end.",
)
STRATEGY = Field(
    "idempotencyStrategy",
    OrExpression(Choice(("FAIL", "RETURN_EXISTING", "FAIL_ON_RUNNING"))),
    "Where the key is known: the task fails, takes the execution that is there for its own, or "
    "fails only while that runs.",
    default="FAIL",
)
