"""Definitions stored, or only tried: what the registry says to a document, as a value."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from podium.registry.v1 import registry_pb2 as pb
from services.errors import (
    DeadlineExceeded,
    NotFound,
    PermissionDenied,
    ServiceError,
    Stale,
    Unauthenticated,
    Unavailable,
)
from services.home import HomeUnusable
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.sources import Source
from tui.views.faults import faults_of

if TYPE_CHECKING:
    from tui.clients import Clients, Connection

CALL_SECONDS = 15.0
MOST_NAMES = 5_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What the registry says to a document.

    Attributes:
        result: What the put did, or would do; None: it was refused.
        faults: Path, dotted, and detail of each; empty path: of the whole.
        stale: Somebody else has changed it: in words.
        failed: Nobody answered, or the caller may not do it: in words.
        revision: The registry's after the put.
    """

    result: pb.PutResult | None = None
    faults: tuple[tuple[str, str], ...] = ()
    stale: str = ""
    failed: str = ""
    revision: int = 0


async def put(
    connection: Connection, document: Mapping[str, Any], etag: str, *, dry_run: bool
) -> Answer:
    """Store ``document`` where the stored one has ``etag`` (empty: whatever it has), or try to."""
    request = pb.PutDefinitionsRequest(
        puts=[pb.DocumentPut(document=json.dumps(document, ensure_ascii=False), etag=etag)],
        dry_run=dry_run,
        with_documents=True,
    )
    try:
        answer = await called(
            connection, lambda each: each.registry.PutDefinitions(request, timeout=CALL_SECONDS)
        )
    except Stale as error:
        return Answer(stale=error.detail)
    except (*AWAY, PermissionDenied) as error:
        return Answer(failed=in_words(error))
    except ServiceError as error:
        found = faults_of(error)
        return Answer(faults=tuple((each.path, each.detail) for each in found))
    return Answer(answer.results[0], revision=answer.revision)


AWAY = (Unavailable, DeadlineExceeded, Unauthenticated, HomeUnusable)


async def called(connection: Connection, call: Callable[[Clients], Any]) -> Any:
    """What a service answers.

    Raises:
        ServiceError: It refuses, or is away.
        HomeUnusable: No suite runs there.
    """
    clients = await connection.clients()
    with connection.calling():
        return await call(clients)


def in_words(error: Exception) -> str:
    """Why something was not done, and what one can do about it."""
    match error:
        case PermissionDenied():
            return f"Your key may not do that: {error.detail}"
        case Unavailable() | DeadlineExceeded() | HomeUnusable():
            said = error.detail if isinstance(error, ServiceError) else str(error)
            return f"{said} What was written is kept: try it again."
        case ServiceError():
            return error.detail
    return str(error)


async def stored(
    connection: Connection, kind: str, name: str, version: int = 0
) -> pb.Definition | None:
    """The definition as it is now; None: there is none any more.

    Raises:
        ServiceError: It may not be read, or nobody answers.
        HomeUnusable: No suite runs there.
    """
    request = pb.GetDefinitionRequest(kind=kind, name=name, version=version)
    try:
        answer = await called(
            connection, lambda each: each.registry.GetDefinition(request, timeout=CALL_SECONDS)
        )
    except NotFound:
        return None
    found: pb.Definition = answer.definition
    return found


async def names_of(connection: Connection, kind: str) -> list[str]:
    """The names of the definitions of ``kind``, at most :data:`MOST_NAMES`.

    Raises:
        ServiceError: They may not be read, or nobody answers.
        HomeUnusable: No suite runs there.
    """
    names: list[str] = []
    request = pb.ListDefinitionsRequest(kind=kind, latest_only=True, without_documents=True)
    while len(names) < MOST_NAMES:
        answer = await called(
            connection, lambda each: each.registry.ListDefinitions(request, timeout=CALL_SECONDS)
        )
        names += [each.name for each in answer.definitions]
        request.page.page_token = answer.next_page_token
        if not answer.next_page_token:
            break
    return names[:MOST_NAMES]


class KindSchema(NamedTuple):
    """The JSON Schema of the documents of a kind, as the registry tells it."""

    id: str
    schema: Mapping[str, Any]


def _watch(
    kind: str,
) -> Callable[[Clients, str, Collection[KindSchema], Line], Any]:
    async def watch(
        clients: Clients, query: str, collection: Collection[KindSchema], line: Line
    ) -> None:
        """Read once, and again when the line is asked to."""
        request = pb.ListKindsRequest(kinds=[kind], with_schemas=True)
        answer = await clients.registry.ListKinds(request, timeout=CALL_SECONDS)
        collection.replace(
            {each.name: KindSchema(each.name, json.loads(each.schema)) for each in answer.kinds}
        )
        await line.rest()

    return watch


def schema_of(kind: str) -> Source[KindSchema]:
    """What documents of ``kind`` may say."""
    return Source(f"schema of {kind}", "registry", _watch(kind))
