"""Who the console is, and what it may: told by the registry, and kept current."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from podium.registry.v1 import access_pb2 as pb
from services.access.principals import tags_of
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.sources import Source
from tui.views.may import Own, Subject, own_of, refusal
from tui.views.needs import Needs

if TYPE_CHECKING:
    from tui.clients import Clients

ME = "me"
# Of many records, so many are looked at: whether one of them may be acted on is known by then.
_MOST_LOOKED_AT = 20


async def _watch(clients: Clients, query: str, collection: Collection[Any], line: Line) -> None:
    async for message in clients.registry.WatchOwnAccess(pb.WatchOwnAccessRequest()):
        if message.HasField("access"):
            own = own_of(message.access)
            collection.replace({own.id: own})
        line.live()


SOURCE: Source[Own] = Source("own access", "registry", _watch)


def subject_of(record: Any) -> Subject | None:
    """What a record is, or is of; None: nothing that grants are on."""
    definition = getattr(record, "definition", None)
    document = getattr(definition, "document", None)
    if definition is not None and isinstance(document, Mapping):
        return Subject(definition.kind, definition.id, tags_of(document))
    workflow = getattr(record, "workflow", None)
    return Subject("workflow", workflow, None) if isinstance(workflow, str) else None


def why_not(own: Own | None, needs: Needs | None, records: Sequence[Any]) -> str:
    """Why it can be done to none of ``records``; empty: it can, as far as is known."""
    said = ""
    for record in records[:_MOST_LOOKED_AT] or (None,):
        said = refusal(own, needs, subject_of(record))
        if not said:
            return ""
    return said
