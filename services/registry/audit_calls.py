"""What callers ask of the audit log, and what other services add to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services.auditing.chain import CHAINS, Broken, Head
from services.auditing.wire import from_message, to_message
from services.errors import InvalidRequest, NotFound
from services.registry import audit, pages
from services.registry.audit_watch import wanted_entries
from services.storage import Storage

MOST_RECORDED = 500
_CHECKED_AT_ONCE = 2_000


class AuditCalls:
    """Answers from one store.

    Args:
        written: Called after entries were added.
    """

    def __init__(self, storage: Storage, written: Callable[[], None]) -> None:
        self._storage = storage
        self._written = written

    async def list(self, request: pb.ListAuditEntriesRequest) -> pb.ListAuditEntriesResponse:
        """A page of who did what."""
        before = pages.number_place(request.page.page_token)
        most = pages.size(request.page)
        wanted = wanted_entries(request.filter)
        entries, behind = await self._storage.transact(
            lambda db: audit.listed(db, before, most, wanted)
        )
        return pb.ListAuditEntriesResponse(
            entries=map(to_message, entries), next_page_token=pages.token(behind) if behind else ""
        )

    async def get(self, request: pb.GetAuditEntryRequest) -> pb.GetAuditEntryResponse:
        """One entry."""
        entry = await self._storage.transact(lambda db: audit.found(db, request.id))
        if entry is None:
            raise NotFound(
                f"There is no entry {request.id} in the audit log, or it is kept no more.",
                entry=str(request.id),
            )
        return pb.GetAuditEntryResponse(entry=to_message(entry))

    async def record(self, request: pb.RecordAuditEntriesRequest) -> pb.RecordAuditEntriesResponse:
        """Keep what another service tells."""
        if len(request.entries) > MOST_RECORDED:
            raise InvalidRequest(f"At most {MOST_RECORDED} entries are recorded at once.")
        if not all(entry.uid for entry in request.entries):
            raise InvalidRequest("Each entry needs a uid.")
        entries = list(map(from_message, request.entries))

        def work(db: Database) -> int:
            return audit.add(db, datetime.now(UTC), *entries)

        added = await self._storage.transact(work)
        if added:
            self._written()
        return pb.RecordAuditEntriesResponse(added=added)

    async def check(self, request: pb.CheckAuditLogRequest) -> pb.CheckAuditLogResponse:
        """Whether some of a chain is as it was written."""
        which = request.place.chain
        if which not in CHAINS:
            raise InvalidRequest("place.chain is 0 or 1.")
        head = Head(request.place.id, request.place.hash) if request.place.id else None
        came, read, gone = await self._storage.transact(lambda db: _checked(db, which, head))
        if isinstance(came, Broken) or gone:
            broken = came.id if isinstance(came, Broken) else gone
            return pb.CheckAuditLogResponse(checked=read, broken=broken)
        place = pb.AuditPlace(chain=which, id=came.id, hash=came.hash)
        if read == _CHECKED_AT_ONCE:
            return pb.CheckAuditLogResponse(checked=read, next=place)
        following = pb.AuditPlace(chain=which + 1) if which + 1 in CHAINS else None
        return pb.CheckAuditLogResponse(checked=read, next=following, heads=[place])


def _checked(db: Database, which: int, head: Head | None) -> tuple[Head | Broken, int, int]:
    """As :func:`audit.checked`; and at the end of the last chain which entry is missing, or 0."""
    came, read = audit.checked(db, which, head, _CHECKED_AT_ONCE)
    ended = which == CHAINS[-1] and read < _CHECKED_AT_ONCE
    return came, read, audit.missing(db) if ended else 0
