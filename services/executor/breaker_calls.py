"""Circuit breakers as operators see and set them."""

from __future__ import annotations

import re
import sqlite3
from datetime import timedelta
from functools import partial
from heapq import nsmallest
from time import monotonic
from typing import Any

import grpc

from podium.executor.v1 import breakers_pb2 as pb, executor_pb2_grpc as rpc
from services.access import current
from services.auditing import calling
from services.auditing.outbox import changed
from services.errors import Conflict, InvalidRequest
from services.executor import breaker_rows
from services.executor.breaking.breaker import Breaker, Mode, State
from services.executor.breaking.breakers import MOST_FORCED, Breakers, Said
from services.executor.timers import now
from services.executor.writer import Writer

Context = grpc.aio.ServicerContext[Any, Any]

_DEFAULT_LIMIT = 100
_MOST = 1_000
_LONGEST_HOST = 262
_LAST_PORT = 65535
_HOST = re.compile(r"(?:[a-z0-9._~-]+|\[[0-9a-f:.%a-z]+\]):[1-9][0-9]{0,4}")
_MODES = {
    pb.BREAKER_MODE_AUTOMATIC: Mode.AUTOMATIC,
    pb.BREAKER_MODE_OPEN: Mode.OPEN,
    pb.BREAKER_MODE_CLOSED: Mode.CLOSED,
}


class BreakerCalls(rpc.ExecutorServiceServicer):
    """The calls that are about circuit breakers.

    Attributes:
        _breakers: Set, as ``_writer`` is, by whoever has them.
    """

    _breakers: Breakers
    _writer: Writer

    async def ListBreakers(
        self, request: pb.ListBreakersRequest, context: Context
    ) -> pb.ListBreakersResponse:
        limit = request.limit or _DEFAULT_LIMIT
        if not 0 < limit <= _MOST:
            raise InvalidRequest(f"limit must be from 0 to {_MOST:,}.")
        moment = monotonic()
        host = self._named(request.host)
        meant = [each for each in self._breakers if host in ("", each.host)]
        first = nsmallest(limit, meant, partial(_place, moment=moment))
        told = [self._told(each, moment) for each in first]
        return pb.ListBreakersResponse(breakers=told, total=len(meant))

    async def SetBreaker(
        self, request: pb.SetBreakerRequest, context: Context
    ) -> pb.SetBreakerResponse:
        host, mode = self._named(request.host), _MODES.get(request.mode)
        if not self._breakers.known(host) and not _is_host(host):
            raise InvalidRequest("host must be HOST:PORT, as the URIs of tasks name it.")
        if mode is None:
            raise InvalidRequest("mode must be AUTOMATIC, OPEN or CLOSED.")
        said = self._breakers.said
        if mode is not Mode.AUTOMATIC and host not in said and len(said) >= MOST_FORCED:
            raise Conflict(f"{MOST_FORCED:,} breakers are set; have one begin anew before.")
        word = Said(mode, current.get().application_id, now())
        earlier = said[host].mode if host in said else Mode.AUTOMATIC
        told = calling.current.get()

        def work(db: sqlite3.Connection) -> None:
            breaker_rows.say(db, host, word)
            if told is not None:
                db.execute(*changed(told, earlier, mode, ""))

        await self._writer.chore(work)
        if told is not None:
            told.noted = True
        moment = monotonic()
        return pb.SetBreakerResponse(
            breaker=self._told(self._breakers.say(host, word, moment), moment)
        )

    def _named(self, host: str) -> str:
        # One whose name is a secret's is known in its own case.
        return host if self._breakers.known(host) else host.strip().lower()

    def _told(self, breaker: Breaker, moment: float) -> pb.Breaker:
        calls, failed = breaker.counted(moment)
        told = pb.Breaker(
            host=breaker.host,
            state=pb.BreakerState.Value(f"BREAKER_STATE_{breaker.stands(moment)}"),
            mode=pb.BreakerMode.Value(f"BREAKER_MODE_{breaker.mode}"),
            calls=calls,
            failed=failed,
        )
        told.since.FromDatetime(now() - timedelta(seconds=moment - breaker.since))
        if breaker.state is State.OPEN and breaker.mode is Mode.AUTOMATIC:
            told.trials_at.FromDatetime(now() + timedelta(seconds=breaker.until - moment))
        if (said := self._breakers.said.get(breaker.host)) is not None:
            told.set_by = said.by
            told.set_at.FromDatetime(said.at)
            told.since.FromDatetime(said.at)
        return told


def _is_host(host: str) -> bool:
    return (
        len(host) <= _LONGEST_HOST
        and _HOST.fullmatch(host) is not None
        and int(host.rpartition(":")[2]) <= _LAST_PORT
    )


def _place(breaker: Breaker, *, moment: float) -> tuple[bool, bool, int, str]:
    still = breaker.stands(moment) is State.CLOSED
    _, failed = breaker.counted(moment)
    return still, breaker.mode is Mode.AUTOMATIC, -failed, breaker.host
