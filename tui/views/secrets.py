"""Secrets in a list: names, and what is known of each but its value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from podium.registry.v1 import registry_pb2 as pb

_MOST_USERS = 3


class Row(NamedTuple):
    """One secret.

    Attributes:
        key_id: Of the key that sealed it; empty where that is not known.
        users: Definitions, as ``kind name``.
    """

    name: str
    updated_at: str
    updated_by: str
    key_id: str
    users: Sequence[str]

    @property
    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "name": self.name,
            "updatedAt": self.updated_at,
            "updatedBy": self.updated_by,
            "keyId": self.key_id,
            "usedBy": list(self.users),
        }


def rows(
    secrets: Iterable[pb.Definition], users: Iterable[Sequence[str]], sealed: Mapping[str, str]
) -> list[Row]:
    """A row for each, in their order."""
    return [
        Row(
            each.name,
            each.updated_at.ToJsonString(),
            each.updated_by,
            sealed.get(each.name, ""),
            of_it,
        )
        for each, of_it in zip(secrets, users, strict=True)
    ]


def cells(row: Row) -> tuple[str, ...]:
    """A row's cells, as people read them."""
    shown = ", ".join(row.users[:_MOST_USERS])
    more = len(row.users) - _MOST_USERS
    used = f"used by {shown}" + (f" and {more} more" if more > 0 else "") if shown else "not used"
    key = f"key {row.key_id}" if row.key_id else ""
    return row.name, row.updated_at[:19].replace("T", " "), row.updated_by, key, used
