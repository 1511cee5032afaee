"""Applications: service accounts with roles and grants."""

from __future__ import annotations

from services.registry.definitions.model import Kind
from services.registry.definitions.records import Field, Record, kept
from services.registry.definitions.values import Boolean, Choice, ListOf, Name, Text

ROLES = ("ADMIN", "EDITOR", "OPERATOR", "VIEWER", "WORKER")
TARGETS = (
    "workflow", "task", "schema", "application", "auth", "service", "secret", "schedule",
    "event", "webhook", "tag",
)  # fmt: skip
ACCESS = ("READ", "CREATE", "UPDATE", "DELETE", "EXECUTE")

APPLICATION_ID = Text(
    longest=128,
    pattern=r"[A-Za-z0-9][A-Za-z0-9._-]*",
    wants="letters, digits, '.', '_' and '-'",
)

_TARGET = Record(
    "a grant's target",
    (
        Field("type", Choice(TARGETS), "What kind of thing.", required=True),
        Field(
            "id",
            Name(),
            "Its name or id; `*` for all of the kind; for a tag `key:value`.",
            required=True,
            refers=".type",
        ),
    ),
)
_PERMISSION = Record(
    "a permission",
    (
        Field("target", _TARGET, "On what.", required=True),
        Field("access", ListOf(Choice(ACCESS), shortest=1), "What is allowed.", required=True),
    ),
)

KIND = Kind(
    name="application",
    doc=(
        "A service account: access keys belong to it, gateway calls have its rights. What a grant "
        "names need not exist yet."
    ),
    record=Record(
        "an application",
        (
            Field("id", APPLICATION_ID, "Its id.", required=True),
            Field("name", Name(), "Display name; without it, the id."),
            kept("description", Text(), "For people."),
            Field(
                "enabled",
                Boolean(),
                "Paused, it may do nothing: its keys get no tokens, and its calls are refused.",
                default=True,
            ),
            Field("roles", ListOf(Choice(ROLES)), "What it may do everywhere.", default=[]),
            Field("permissions", ListOf(_PERMISSION), "What it may do where.", default=[]),
        ),
    ),
    identity="id",
    immutable=("id",),
)
