"""What event handlers did, as callers ask for it."""

from __future__ import annotations

from typing import Any

import grpc

from podium.executor.v1 import event_runs_pb2 as pb, executor_pb2_grpc as rpc
from services.access import current
from services.errors import InvalidRequest
from services.executor.eventing import rows
from services.executor.readers import Readers
from services.replica import Sights

Context = grpc.aio.ServicerContext[Any, Any]

_DEFAULT_PAGE = 100
_LARGEST_PAGE = 1_000
_LAST = 2**62


class EventCalls(rpc.ExecutorServiceServicer):
    """The calls that are about events.

    Attributes:
        _readers, _sights: Set by whoever has them.
    """

    _sights: Sights
    _readers: Readers

    async def ListEventExecutions(
        self, request: pb.ListEventExecutionsRequest, context: Context
    ) -> pb.ListEventExecutionsResponse:
        size = request.page.page_size or _DEFAULT_PAGE
        if not 0 < size <= _LARGEST_PAGE:
            raise InvalidRequest(f"page_size must be from 0 to {_LARGEST_PAGE:,}.")
        before = _place(request.page.page_token)
        sight = self._sights.of(current.get(), "READ", "event")
        handlers = sight.names
        if request.handler:
            handlers = frozenset((request.handler,) if request.handler in sight else ())
        found = await self._readers.read(rows.listed, handlers, request.event, before, size + 1)
        token = str(found[size - 1].seq) if len(found) > size else ""
        return pb.ListEventExecutionsResponse(
            executions=map(_told, found[:size]), next_page_token=token
        )


def _told(run: rows.Run) -> pb.EventExecution:
    told = pb.EventExecution(
        id=run.seq,
        message_id=run.message_id,
        event=run.event,
        handler=run.handler,
        action=run.action,
        name=run.name,
        outcome=pb.EventOutcome.Value(f"EVENT_OUTCOME_{run.outcome}"),
        target=run.target,
        reason=run.reason,
    )
    told.at.FromDatetime(run.at)
    return told


def _place(token: str) -> int:
    if not token:
        return _LAST
    if not (token.isascii() and token.isdigit() and len(token) < 19):
        raise InvalidRequest("page_token is none of this listing.")
    return int(token)
