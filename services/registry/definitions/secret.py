"""Secrets: a name, and a value that only goes in."""

from __future__ import annotations

from services.registry.definitions.model import Kind
from services.registry.definitions.records import Field, Record, kept
from services.registry.definitions.values import Text

_NAME = Text(
    longest=255,
    pattern=r"[A-Za-z_][A-Za-z0-9_-]*",
    wants="letters, digits, '_' and '-', the first no digit",
)

KIND = Kind(
    name="secret",
    doc=(
        "A value that workflows use without seeing it: `${workflow.secrets.NAME}` in the input of "
        "a task that calls out: HTTP, HTTP_POLL, and what workers do."
    ),
    record=Record(
        "a secret",
        (
            Field("name", _NAME, "Its name.", required=True),
            Field(
                "value",
                Text(shortest=1, longest=65_536, quoted=False),
                "Write-only; encrypted at rest. Left out later: the value stays. JSON text can be "
                "read by field: `${workflow.secrets.NAME.field}`.",
            ),
            kept("description", Text(), "For people."),
        ),
    ),
    hidden=("value",),
    needed_at_creation=("value",),
)
