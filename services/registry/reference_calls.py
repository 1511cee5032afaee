"""What callers ask about how definitions use each other, before they change one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services.registry import documents, pages, references, store
from services.registry.definition_calls import check_kind
from services.registry.definitions import Reference
from services.registry.permissions import Caller
from services.registry.store import Stored
from services.storage import Storage


class ReferenceCalls:
    """Answers from one store."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def list(
        self, caller: Caller, request: pb.ListReferencesRequest
    ) -> pb.ListReferencesResponse:
        """Who names a definition, or what it names.

        Raises:
            InvalidRequest: There is no such kind, or the page token is another listing's.
            NotFound: There is no such definition.
            PermissionDenied: The caller may not read it.
        """
        check_kind(request.kind)
        key = request.kind, request.name, request.version
        listed = _uses if request.direction == pb.REFERENCE_DIRECTION_USES else _users

        def work(db: Database) -> pb.ListReferencesResponse:
            caller.check("READ", *key[:2], store.find(db, *key))
            return listed(db, caller, store.get(db, *key), request)

        return await self._storage.transact(work)


def _users(
    db: Database, caller: Caller, state: Stored, request: pb.ListReferencesRequest
) -> pb.ListReferencesResponse:
    """A page of users, those of one document together."""
    answer = pb.ListReferencesResponse()
    most, place = pages.size(request.page), pages.key_place(request.page.page_token)
    latest = store.get(db, state.kind, state.name).version
    last: Stored | None = None
    for user, used in store.perhaps_naming(db, state.name, place):
        here = [
            each
            for each in _with_grants(user, used)
            if references.names(each, state.kind, state.name, request.version, latest)
        ]
        if not here or user.key == state.key or not caller.may_read(user):
            continue
        if last is not None and len(answer.references) + len(here) > most:
            answer.next_page_token = pages.token(*last.key)
            break
        # Of one that names it more often than a page holds, the first are told.
        answer.references.extend(_message(user, each) for each in here[: pages.LARGEST_SIZE])
        last = user
    return answer


def _uses(
    db: Database, caller: Caller, state: Stored, request: pb.ListReferencesRequest
) -> pb.ListReferencesResponse:
    """A page of what is used."""
    most, begun = pages.size(request.page), pages.number_place(request.page.page_token)
    every = list(_with_grants(state, store.uses_of(db, state)))
    page = list(islice(every, begun, begun + most))
    return pb.ListReferencesResponse(
        references=[_used(db, caller, each) for each in page],
        next_page_token=pages.token(begun + most) if begun + most < len(every) else "",
    )


def _with_grants(state: Stored, used: Iterable[Reference]) -> Iterator[Reference]:
    yield from used
    if state.kind == "application":
        yield from references.granted(documents.stored(state.document))


def _message(user: Stored, reference: Reference) -> pb.DefinitionReference:
    return pb.DefinitionReference(
        kind=user.kind,
        name=user.name,
        version=user.version,
        path=reference.path,
        named_version=reference.version or 0,
        required=reference.required,
    )


def _used(db: Database, caller: Caller, reference: Reference) -> pb.DefinitionReference:
    kind, name, version = reference.kind, reference.name, reference.version or 0
    found = store.find(db, kind, name, version)
    knows = caller.may("READ", kind, name) or (found is not None and caller.may_read(found))
    return pb.DefinitionReference(
        kind=kind,
        name=name,
        version=version,
        path=reference.path,
        named_version=version,
        required=reference.required,
        missing=found is None and knows,
    )
