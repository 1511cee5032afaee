"""The two states of a definition that an entry of the audit log tells of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from podium.registry.v1 import registry_pb2 as pb
from services.errors import NotFound, PermissionDenied
from services.rpc import raising_ours

if TYPE_CHECKING:
    from tui.clients import Clients
    from tui.resources.audit import AuditEntry

CALL_SECONDS = 15.0


class Change(NamedTuple):
    """What a definition was and is by an entry, as JSON text; empty: it was, or is, not there.

    Attributes:
        told: Why there is less to see than there was; empty: there is not.
    """

    before: str = ""
    after: str = ""
    told: str = ""


NONE = Change(told="This entry is about no definition.")


async def change_of(clients: Clients, entry: AuditEntry) -> Change:
    """Both states, as far as the registry has them and the caller may read them.

    Raises:
        ServiceError: The registry is away.
    """
    if not entry.revision and not entry.revision_before:
        return NONE
    before, missing = await _state(clients, entry, entry.revision_before)
    after, gone = ("", "") if not entry.after else await _state(clients, entry, entry.revision)
    return Change(before, after, missing or gone)


async def _state(clients: Clients, entry: AuditEntry, revision: int) -> tuple[str, str]:
    if not revision:
        return "", ""
    request = pb.GetDefinitionRequest(
        kind=entry.kind, name=entry.name, version=entry.version, revision=revision
    )
    try:
        with raising_ours():
            answer = await clients.registry.GetDefinition(request, timeout=CALL_SECONDS)
    except (NotFound, PermissionDenied) as error:
        return "", error.detail
    return answer.definition.document, ""
