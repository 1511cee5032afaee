"""Who may do what, for those who ask: the holders of an access, and all that one caller may do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection

from sqlite_utils import Database

from podium.registry.v1 import access_pb2 as pb
from services import access
from services.access import Application, Grant
from services.access.reach import Reach, reach
from services.errors import InvalidRequest, NotFound, Overloaded, Unavailable
from services.registry import documents, store
from services.registry.changes import Changes, comes
from services.registry.definition_calls import check_kind
from services.registry.permissions import Caller
from services.registry.store import Stored, title
from services.rights import RIGHTS, Right
from services.storage import Storage

MOST_WATCHERS = 256
_REACHES = {
    Reach.ALL: pb.REACH_ALL,
    Reach.GRANTED: pb.REACH_GRANTED,
    Reach.NONE: pb.REACH_NONE,
}


class HolderCalls:
    """Answers from one store."""

    def __init__(self, storage: Storage, changes: Changes) -> None:
        self._storage = storage
        self._changes = changes
        self._watchers = 0

    async def holders(
        self, caller: Caller, request: pb.ListHoldersRequest
    ) -> pb.ListHoldersResponse:
        """Who has an access to a definition.

        Raises:
            InvalidRequest: There is no such access or kind.
            NotFound: There is no such definition.
            PermissionDenied: The caller may not read it.
        """
        check_kind(request.kind)
        if request.access not in access.ACCESS:
            raise InvalidRequest(
                f"There is no access {request.access[:40]!r}: it is one of "
                f"{', '.join(access.ACCESS)}."
            )
        return await self._storage.transact(lambda db: _holders(db, caller, request))

    async def of_application(
        self, caller: Caller, request: pb.GetAccessRequest
    ) -> pb.GetAccessResponse:
        """All that an application may do.

        Raises:
            NotFound: There is none.
            PermissionDenied: The caller may not read it.
        """
        application_id = request.application_id

        def work(db: Database) -> Stored:
            found = store.find(db, "application", application_id)
            caller.check("READ", "application", application_id, found)
            return store.get(db, "application", application_id)

        state = await self._storage.transact(work)
        application = Application.from_document(documents.stored(state.document))
        principal = access.application_principal(application.id).name
        return pb.GetAccessResponse(access=_access(principal, application, _called(state)))

    async def own(self, caller: Caller) -> pb.GetOwnAccessResponse:
        """All that the caller may do."""
        return pb.GetOwnAccessResponse(access=await self._own(caller))

    async def watch(self, caller: Caller) -> AsyncGenerator[pb.WatchOwnAccessResponse]:
        """The same at once, and whenever it is another.

        Raises:
            Overloaded: There are :data:`MOST_WATCHERS` already.
            Unauthenticated: The caller's key was revoked or its application is gone.
            Unavailable: The registry stops.
        """
        if self._watchers >= MOST_WATCHERS:
            raise Overloaded(f"{MOST_WATCHERS} watch already what they may do.")
        self._watchers += 1
        try:
            told: pb.Access | None = None
            while True:
                news = self._changes.news
                if not self._changes.open:
                    raise Unavailable("The registry is stopping.")
                caller = caller.as_of_now()
                now = await self._own(caller)
                if now != told:
                    told = now
                    yield pb.WatchOwnAccessResponse(access=told)
                elif not await comes(news, self._changes.heartbeat_seconds):
                    yield pb.WatchOwnAccessResponse()
        finally:
            self._watchers -= 1

    async def _own(self, caller: Caller) -> pb.Access:
        own = caller.application
        if own is None:
            return _access(caller.name, None)
        state = await self._storage.transact(lambda db: store.find(db, "application", own.id))
        told = _access(caller.name, own, _called(state) if state else "")
        told.access_key_id = caller.access_key_id
        return told


def _holders(
    db: Database, caller: Caller, request: pb.ListHoldersRequest
) -> pb.ListHoldersResponse:
    wanted, kind, name = request.access, request.kind, request.name
    found = store.find(db, kind, name, request.version)
    caller.check("READ", kind, name, found)
    if found is None and not (wanted == "CREATE" or (wanted, kind) == ("EXECUTE", "task")):
        raise NotFound(f"There is no {title(kind, name, request.version)}.", kind=kind, name=name)
    tags = access.tags_of(documents.stored(found.document)) if found else frozenset[str]()
    told = filter(None, (_holder(caller, each, wanted, kind, name, tags) for each in _all(db)))
    return pb.ListHoldersResponse(
        holders=told, complete=caller.may("READ", "application", ""), tags=sorted(tags)
    )


def _all(db: Database) -> list[Stored]:
    return list(store.listed(db, "application"))


def _holder(
    caller: Caller, state: Stored, wanted: str, kind: str, name: str, tags: Collection[str]
) -> pb.Holder | None:
    """An application, if it has the access and the caller may know."""
    is_own = caller.application is not None and caller.application.id == state.name
    if not is_own and not caller.may_read(state):
        return None
    application = Application.from_document(documents.stored(state.document))
    grounds = application.grounds(wanted, kind, name, tags)
    if not grounds:
        return None
    return pb.Holder(
        application_id=application.id, name=_called(state), grounds=map(_ground, grounds)
    )


def _ground(ground: str | Grant) -> pb.Ground:
    return pb.Ground(role=ground) if isinstance(ground, str) else pb.Ground(grant=_grant(ground))


def _grant(grant: Grant) -> pb.Grant:
    in_order = [each for each in access.ACCESS if each in grant.access]
    return pb.Grant(access=in_order, kind=grant.kind, name=grant.name)


def _called(state: Stored) -> str:
    name = documents.stored(state.document).get("name")
    return name if isinstance(name, str) else state.name


def _access(principal: str, application: Application | None, name: str = "") -> pb.Access:
    return pb.Access(
        principal=principal,
        name=name,
        roles=sorted(application.roles) if application else (),
        grants=map(_grant, application.grants) if application else (),
        paused=application is not None and not application.enabled,
        methods=[
            pb.MethodAccess(
                method=method, reach=_reach(principal, application, right), takes=str(right)
            )
            for method, right in sorted(RIGHTS.items())
        ],
    )


def _reach(principal: str, application: Application | None, right: Right) -> pb.Reach.ValueType:
    if application is not None:
        return _REACHES[reach(application, right)]
    return pb.REACH_ALL if right.open or principal in right.services else pb.REACH_NONE
