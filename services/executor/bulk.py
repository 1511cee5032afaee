"""One operation on many executions: what it comes to, and what became of each of them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from podium.executor.v1 import executor_pb2 as pb
from services.access import Sight
from services.errors import InvalidRequest, NotFound, PermissionDenied, ServiceError
from services.executor import audited, finding, queries
from services.executor.acting import APPLIES, Acting, Asked, Document
from services.executor.answers import stopping
from services.executor.audited import Audited, Counted
from services.executor.core.model import ExecutionStatus, TaskStatus
from services.executor.listing import parsed
from services.executor.requested import object_of, status_of
from services.executor.runtime import Runtime
from services.executor.searches import Searches
from services.executor.seeing import EXECUTE, READ, Seeing, in_sight
from services.executor.states import EXECUTION_STATUS, state_of, timestamp
from services.executor.texts import reason, short
from services.executor.timers import now
from services.query import Query, says_nothing

MOST = 10_000
# So many at once: others that want something of the engine wait no longer than for these.
_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Selected:
    """Which executions an operation is tried on.

    Attributes:
        counts: Of all that are named, or match, by status.
        applicable: How many of those it applies to, and ``oldest`` when the first of them was
            started; None: there is none.
    """

    ids: Sequence[str]
    counts: dict[str, int]
    missing: int
    applicable: int
    oldest: int | None

    def preview(self, *, with_ids: bool) -> pb.OperationPreview:
        return pb.OperationPreview(
            counts=[
                pb.StatusCount(status=EXECUTION_STATUS[status], count=count)
                for status, count in sorted(self.counts.items())
            ],
            missing=self.missing,
            applicable=self.applicable,
            selected=len(self.ids),
            oldest_at=timestamp(self.oldest),
            execution_ids=self.ids if with_ids else (),
        )


class Bulk:
    """Does one operation to many."""

    def __init__(
        self, searches: Searches, acting: Acting, runtime: Runtime, seeing: Seeing
    ) -> None:
        self._seeing = seeing
        self._searches = searches
        self._acting = acting
        self._runtime = runtime
        self._audited = Audited(runtime.store.writer)

    async def operate(
        self, request: pb.OperateExecutionsRequest
    ) -> AsyncIterator[pb.OperateExecutionsResponse]:
        """The preview, then the results.

        Raises:
            InvalidRequest: It says not what to do, or not to which.
            Unavailable: The executor is about to end.
            PermissionDenied: There is no workflow whose executions the caller may act on.
        """
        asked = await _asked(request)
        selected = await self._selected(request, asked)
        yield pb.OperateExecutionsResponse(preview=selected.preview(with_ids=request.dry_run))
        if request.dry_run:
            return
        async with self._audited.noted(request, selected.ids) as counted:
            for start in range(0, len(selected.ids), _AT_ONCE):
                if self._runtime.draining:
                    raise stopping()
                results = await asyncio.gather(
                    *(
                        self._one(each, asked, counted)
                        for each in selected.ids[start : start + _AT_ONCE]
                    )
                )
                yield pb.OperateExecutionsResponse(results=results)

    async def _selected(self, request: pb.OperateExecutionsRequest, asked: Asked) -> Selected:
        if len(request.execution_ids) > MOST:
            raise InvalidRequest(f"execution_ids may name {MOST} at most.")
        ids = list(dict.fromkeys(request.execution_ids))
        if bool(ids) == bool(request.query):
            raise InvalidRequest("Either execution_ids or a query says which executions are meant.")
        if not 0 <= request.limit <= MOST:
            raise InvalidRequest(f"limit must be 0 to {MOST}.")
        sight = self._seeing.sight(EXECUTE)
        if ids:
            return await self._searches.read(_named, ids, asked.applies, sight)
        # Who may not see what matches is not told of it by acting on it.
        seen = sight if sight.whole else sight.within(self._seeing.sight(READ))
        query, limit = in_sight(_meant(request.query), seen), request.limit or MOST
        return await self._searches.search(_matching, query, now(), asked.applies, limit)

    async def _one(self, execution_id: str, asked: Asked, counted: Counted) -> pb.OperationResult:
        try:
            await self._seeing.check_one(EXECUTE, execution_id)
            told = await self._acting.surely(execution_id, asked)
        except ServiceError as error:
            counted[_word(error)] += 1
            return pb.OperationResult(
                execution_id=execution_id,
                outcome=pb.OPERATION_OUTCOME_REFUSED,
                reason=error.reason(),
                detail=error.detail,
            )
        already = asked.found(told.before.status)
        counted[audited.ALREADY if already else audited.DONE] += 1
        return pb.OperationResult(
            execution_id=execution_id,
            outcome=pb.OPERATION_OUTCOME_ALREADY if already else pb.OPERATION_OUTCOME_DONE,
            state=state_of(told.after, told.origin),
        )


def _word(error: ServiceError) -> str:
    """What the audit log says of an execution that nothing was done to."""
    unseen = isinstance(error, NotFound) and error.hidden
    return audited.REFUSED if unseen or isinstance(error, PermissionDenied) else audited.FAILED


async def _asked(request: pb.OperateExecutionsRequest) -> Asked:
    if request.operation not in APPLIES:
        raise InvalidRequest("operation is none that there is.")
    given = await object_of(request.input, "input")
    if request.operation == pb.OPERATION_RERUN:
        if request.task_id and len(request.execution_ids) != 1:
            raise InvalidRequest("task_id goes with one of execution_ids.")
        named = request.correlation_id if request.HasField("correlation_id") else None
        return rerun_of(request.ref, request.task_id, given, named)
    if request.operation == pb.OPERATION_SKIP_TASK and not request.ref:
        raise InvalidRequest("ref must name the task that is skipped.")
    return Asked(
        request.operation,
        reason(request.reason),
        failure=request.trigger_failure_workflow,
        latest=request.use_latest_definitions,
        resume=request.resume_sub_workflows,
        ref=short(request.ref, "ref"),
        input=given,
        output=await object_of(request.output, "output"),
        status=status_of(request.status) if request.status else TaskStatus.COMPLETED,
        variables=await object_of(request.variables, "variables"),
        terminate=request.operation == pb.OPERATION_DELETE and request.terminate,
        with_children=request.with_children,
    )


def rerun_of(ref: str, task_id: str, given: Document | None, named: str | None) -> Asked:
    """A rerun from a task, or with neither ``ref`` nor ``task_id`` of the whole.

    Raises:
        InvalidRequest: They do not go together, or are too long.
    """
    if ref and task_id:
        raise InvalidRequest("Either ref or task_id names the task.")
    if named is not None and (ref or task_id):
        raise InvalidRequest("correlation_id goes with no task.")
    return Asked(
        pb.OPERATION_RERUN,
        ref=short(ref, "ref"),
        task_id=short(task_id, "task_id"),
        input=given,
        correlation_id=None if named is None else short(named, "correlation_id"),
    )


def _meant(written: str) -> Query:
    query = parsed(written)
    if says_nothing(query):
        raise InvalidRequest("The query leaves nothing out; to mean all executions, say id:*.")
    return query


def _named(
    db: sqlite3.Connection,
    ids: Sequence[str],
    applies: Collection[ExecutionStatus],
    sight: Sight,
) -> Selected:
    rows = [row for *row, workflow in queries.standing(db, ids) if workflow in sight]
    meant = {status.value for status in applies}
    applicable = [created_at for _, status, created_at in rows if status in meant]
    return Selected(
        ids=ids,
        counts=Counter(status for _, status, _ in rows),
        missing=len(ids) - len(rows),
        applicable=len(applicable),
        oldest=min(applicable, default=None),
    )


def _matching(
    db: sqlite3.Connection,
    query: Query,
    at: datetime,
    applies: Collection[ExecutionStatus],
    limit: int,
) -> Selected:
    meant = [status.value for status in sorted(applies)]
    counts = finding.counts_of(db, query, at)
    rows = finding.oldest(db, query, at, meant, limit)
    return Selected(
        ids=[execution_id for execution_id, _ in rows],
        counts=counts,
        missing=0,
        applicable=sum(counts.get(status, 0) for status in meant),
        oldest=rows[0][1] if rows else None,
    )
