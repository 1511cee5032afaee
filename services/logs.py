"""Logs: one JSON object a line on stderr, with the ids of what is being worked on.

Those who watch this process's log see the same, and from INFO on whatever stderr has.
"""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar, Token
from datetime import UTC, datetime
from typing import TextIO

from services.log_ring import LogRing

_bound: ContextVar[dict[str, str]] = ContextVar("podium_log_fields")

# What every record has; anything beyond came as ``extra``.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

# These tell at INFO what is each caller's own business.
_QUIETER = ("asyncio", "httpx", "httpcore", "aiohttp.access", "uvicorn.access")


class bound:  # noqa: N801 - it is used as the function that it looks like
    """Within, every log line carries ``fields`` that are not empty: ``request_id`` and the like.

        with bound(request_id=request.id, execution_id=execution.id):
            ...

    A class: as a generator it would cost ten times as much, on every request.
    """

    __slots__ = ("_fields", "_token")

    def __init__(self, **fields: str) -> None:
        self._fields = fields

    def __enter__(self) -> None:
        known = _bound.get(None)
        fields = {name: value for name, value in self._fields.items() if value}
        self._token: Token[dict[str, str]] = _bound.set({**known, **fields} if known else fields)

    def __exit__(self, *_: object) -> None:
        _bound.reset(self._token)


def bind(**fields: str) -> None:
    """As :class:`bound`, for the rest of this task: of a call that is served in one of its own."""
    _bound.set({**_bound.get({}), **fields})


def configure(level: str, service: str) -> LogRing:
    """Log from ``level`` (``debug``, ``info`` …) on, as ``service``; replaces what was set up.

    What was logged of late, for those who watch: from INFO on, or from ``level`` if that is lower.
    """
    ring = LogRing()
    handler = _Handler(ring, logging.getLevelNamesMapping()[level.upper()])
    handler.setFormatter(JsonLines(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(min(handler.written_from, logging.INFO))
    for name in _QUIETER:
        logging.getLogger(name).setLevel(max(handler.written_from, logging.WARNING))
    # Nothing below shows them, and each costs a call for every record.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.captureWarnings(True)
    return ring


class _Handler(logging.StreamHandler[TextIO]):
    """Makes a line of each record, which is kept, and from a level on written on stderr."""

    def __init__(self, ring: LogRing, written_from: int) -> None:
        super().__init__(sys.stderr)
        self.written_from = written_from
        self._ring = ring

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= self.written_from:
            super().emit(record)
            return
        try:
            self.format(record)
        except Exception:  # noqa: BLE001 - as in every handler: who logs is not harmed by it
            self.handleError(record)

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        # Before it is written: who reads stderr may be gone.
        self._ring.append(record.levelno, line)
        return line


class JsonLines(logging.Formatter):
    """A record as one line: time, level, service, logger, message, ids, extras, exception."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        fields: dict[str, object] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
            **_bound.get({}),
        }
        extras = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        fields.update({name: value for name, value in extras.items() if name not in fields})
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            fields["stack"] = record.stack_info
        # Escaped, a lone surrogate and a line end are no trouble to whoever reads the line.
        return json.dumps(fields, default=str)
