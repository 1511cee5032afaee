"""LogService: this process's log over gRPC, of which each service has one beside its own."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import grpc

from podium.common.v1 import log_pb2 as pb, log_pb2_grpc
from services.errors import InvalidRequest
from services.log_ring import Entry, LogRing
from services.rpc import Context

NAME = "podium.common.v1.LogService"

DEFAULT_LIMIT = 1_000
MOST_LIMIT = 10_000
LONGEST_TEXT = 1_000
# Looked at in one go: some milliseconds, for which every request of the service waits.
_AT_ONCE = 200
_MOST_BATCH_CHARS = 1 << 20

_LEVELS = (
    (logging.CRITICAL, pb.LOG_LEVEL_CRITICAL),
    (logging.ERROR, pb.LOG_LEVEL_ERROR),
    (logging.WARNING, pb.LOG_LEVEL_WARNING),
    (logging.INFO, pb.LOG_LEVEL_INFO),
)
_NUMBERS = {level: number for number, level in _LEVELS}
_APART = frozenset(("time", "level", "service", "logger", "message", "exception"))

Fields = Mapping[str, Any]


class LogService(log_pb2_grpc.LogServiceServicer):
    """Tells what is in ``ring``, and what comes to it."""

    def __init__(self, ring: LogRing) -> None:
        self._ring = ring

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve on ``server``."""
        log_pb2_grpc.add_LogServiceServicer_to_server(self, server)

    async def WatchLog(
        self, request: pb.WatchLogRequest, context: Context
    ) -> AsyncIterator[pb.WatchLogResponse]:
        ring, wanted = self._ring, _wanted(request)
        there, caught_up = ring.next, False
        place, dropped = await self._beginning(request, wanted)
        with ring.watched() as news:
            while True:
                news.hear()
                some = ring.read(place, _AT_ONCE, _MOST_BATCH_CHARS)
                found = [entry for each in some.entries if (entry := wanted.entry(each))]
                place, dropped = some.next, dropped + some.dropped
                if found or dropped or (place >= there and not caught_up):
                    caught_up = place >= there
                    position = pb.LogPosition(process=ring.process, sequence=place)
                    yield pb.WatchLogResponse(
                        entries=found, dropped=dropped, resume=position, caught_up=caught_up
                    )
                    dropped = 0
                if place >= there and not request.follow:
                    return
                if some.entries:
                    # The others' turn.
                    await asyncio.sleep(0)
                elif ring.closed:
                    return
                else:
                    await news.wait()

    async def _beginning(self, request: pb.WatchLogRequest, wanted: _Wanted) -> tuple[int, int]:
        """Where a watch begins, and how many entries are gone that stood before it."""
        ring = self._ring
        if request.HasField("resume"):
            known = request.resume.process == ring.process
            place = min(max(request.resume.sequence, 0), ring.next) if known else 0
            return place, 0
        limit = request.limit if request.HasField("limit") else DEFAULT_LIMIT
        return await self._newest(wanted, limit), ring.first

    async def _newest(self, wanted: _Wanted, limit: int) -> int:
        """Where the newest ``limit`` entries begin that are wanted."""
        ring = self._ring
        begin = ring.next
        while limit > 0 and begin > ring.first:
            end, begin = begin, max(begin - _AT_ONCE, ring.first)
            for each in reversed(ring.read(begin, end - begin).entries):
                limit -= wanted.entry(each) is not None
                if not limit:
                    return each.sequence
            await asyncio.sleep(0)
        return begin


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which entries are asked for; what is empty asks for nothing."""

    level: int
    text: str
    logger: str
    ids: tuple[tuple[str, str, re.Pattern[str]], ...]

    def entry(self, kept: Entry) -> pb.LogEntry | None:
        """``kept`` as it is told; None: it is not wanted."""
        if kept.level < self.level:
            return None
        fields = json.loads(kept.line)
        return _told(kept, fields) if self._means(fields, kept.line) else None

    def _means(self, fields: Fields, line: str) -> bool:
        name = fields["logger"]
        if self.logger and name != self.logger and not name.startswith(f"{self.logger}."):
            return False
        for field, wanted, named in self.ids:
            if fields.get(field) != wanted and not named.search(line):
                return False
        return not self.text or self.text in _searched(fields).casefold()


def _wanted(request: pb.WatchLogRequest) -> _Wanted:
    """As ``request`` has it.

    Raises:
        InvalidRequest: It asks for what there cannot be.
    """
    if not 0 <= request.limit <= MOST_LIMIT:
        raise InvalidRequest(f"limit must be from 0 to {MOST_LIMIT:,}.")
    ids = (("execution_id", request.execution_id), ("request_id", request.request_id))
    if any(
        len(text) > LONGEST_TEXT for text in (request.text, request.logger, *dict(ids).values())
    ):
        raise InvalidRequest(f"What is looked for has at most {LONGEST_TEXT:,} characters.")
    return _Wanted(
        _NUMBERS.get(request.level, 0),
        request.text.casefold(),
        request.logger,
        tuple((name, wanted, _naming(wanted)) for name, wanted in ids if wanted),
    )


def _naming(name: str) -> re.Pattern[str]:
    """Finds ``name`` in a line, but not where it is a part of another."""
    escaped = re.escape(json.dumps(name)[1:-1])
    return re.compile(rf"(?<![\w-]){escaped}(?![\w-])")


def _searched(fields: Fields) -> str:
    names = fields.keys() - _APART
    shown = [fields["message"], fields.get("exception", "")]
    shown += [
        each if isinstance(each, str) else json.dumps(each) for each in map(fields.get, names)
    ]
    return "\n".join(shown)


def _told(kept: Entry, fields: Fields) -> pb.LogEntry:
    entry = pb.LogEntry(
        sequence=kept.sequence,
        level=next((level for least, level in _LEVELS if kept.level >= least), pb.LOG_LEVEL_DEBUG),
        service=fields["service"],
        logger=_text(fields["logger"]),
        message=_text(fields["message"]),
        fields=json.dumps({name: fields[name] for name in fields if name not in _APART}),
        exception=_text(fields.get("exception", "")),
    )
    entry.time.FromJsonString(fields["time"])
    return entry


def _text(text: str) -> str:
    # protobuf refuses what is no UTF-8: a message may quote a lone surrogate.
    return text.encode("utf-8", "replace").decode()
