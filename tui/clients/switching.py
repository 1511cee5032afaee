"""A definition with some of its fields changed: read, changed, stored if nobody was faster."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from podium.registry.v1 import registry_pb2 as pb

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0


async def switched(
    clients: Clients, kind: str, name: str, changes: Mapping[str, Any]
) -> tuple[dict[str, Any], bool]:
    """Store the definition with ``changes``, by field; None takes a field away.

    Returns:
        The document, and whether it was so before: then nothing has changed.

    Raises:
        ServiceError: There is none, it may not be, or somebody else has changed it meanwhile.
    """
    found = await clients.registry.GetDefinition(
        pb.GetDefinitionRequest(kind=kind, name=name), timeout=CALL_SECONDS
    )
    document = {**json.loads(found.definition.document), **changes}
    document = {field: value for field, value in document.items() if value is not None}
    put = pb.DocumentPut(
        document=json.dumps(document, ensure_ascii=False), etag=found.definition.etag
    )
    answer = await clients.registry.PutDefinitions(
        pb.PutDefinitionsRequest(puts=[put]), timeout=CALL_SECONDS
    )
    return document, answer.results[0].outcome == pb.OUTCOME_UNCHANGED
