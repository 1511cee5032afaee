"""Refusals, written down: the same caller at the same call once a minute."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import grpc

from services import access
from services.errors import PermissionDenied
from services.registry import audit
from services.registry.audit import Entry
from services.rpc import telling
from services.storage import Storage

REPEAT = timedelta(minutes=1)
_REMEMBERED = 1_000

Request = TypeVar("Request")
Response = TypeVar("Response")
Context = grpc.aio.ServicerContext[Any, Any]


class Denials:
    """Keeps refusals in the audit log, few enough that they never push the rest out of it."""

    def __init__(self, storage: Storage, written: Callable[[], None]) -> None:
        """``written`` is called after each that is kept."""
        self._storage = storage
        self._written = written
        self._told: dict[tuple[str, str], datetime] = {}

    async def write_down(self, call: str, entry: Entry) -> None:
        """Keep ``entry``, unless its principal was refused at ``call`` a moment ago."""
        now = datetime.now(UTC)
        if self._is_news((entry.principal, call), now):
            await self._storage.transact(lambda db: audit.write(db, now, entry))
            self._written()

    def _is_news(self, refused: tuple[str, str], now: datetime) -> bool:
        told = self._told.get(refused)
        if told is not None and now - told < REPEAT:
            return False
        self._told.pop(refused, None)
        self._told[refused] = now
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        return True


class DenialInterceptor(grpc.aio.ServerInterceptor):
    """Writes down every :class:`PermissionDenied`, of the guard inside and of handlers."""

    def __init__(self, denials: Denials) -> None:
        self._denials = denials

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Request, Response] | None]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Request, Response] | None:
        handler: Any = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith("/podium."):
            return handler  # type: ignore[no-any-return]
        method = handler_call_details.method.rpartition("/")[2]

        async def failed(_context: Context, error: Exception) -> None:
            if isinstance(error, PermissionDenied):
                await self._write_down(method, error)

        wrapped: grpc.RpcMethodHandler[Request, Response] = telling(handler, failed)
        return wrapped

    async def _write_down(self, method: str, denied: PermissionDenied) -> None:
        known = access.current.get(None)
        application = denied.metadata.get("application", "")
        principal = known.name if known else application and f"application:{application}"
        entry = Entry(
            principal,
            "denied",
            denied.metadata.get("kind", ""),
            denied.metadata.get("name", ""),
            f"{method}: {denied.detail}",
        )
        await self._denials.write_down(method, entry)
