"""Has every change and every refusal of a service written into the audit log.

A change is written with what it does: :data:`services.auditing.calling.current` is the call, and
whoever stores something takes its entry along. What is left is written here: changes of what is in
memory only, and whatever was refused or failed.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from time import monotonic
from typing import Any, Protocol, TypeVar

import grpc

from services import access
from services.access import Principal
from services.auditing.calling import Calling, Context, asked, calling, current, meant
from services.auditing.entries import DENIED, FAILED, Entry
from services.auditing.methods import CHANGES, Change, short
from services.auditing.refusals import Refusals
from services.errors import (
    NotFound,
    PermissionDenied,
    ServiceError,
    Unauthenticated,
    Unavailable,
)
from services.rights import ADMIN, OPERATOR
from services.rpc import shape

logger = logging.getLogger(__name__)

Request = TypeVar("Request")
Response = TypeVar("Response")
Write = Callable[[Entry], Awaitable[None]]

# Whose handlers say themselves of whom it is that they refuse.
_NAMED = {"/podium.registry.v1.RegistryService/IssueToken": Change("issue-token", "application")}


class Authority(Protocol):
    """What is known of applications."""

    def application(self, application_id: str, /) -> access.Application | None:
        """The application, if there is one."""


class Noting:
    """Writes entries of one service.

    Args:
        write: Keeps an entry; it may raise :class:`Unavailable`.
        leaves: Whether a change that nobody has written by its end is written then: elsewhere it
            has changed nothing.
        ended: Called after each change, whatever came of it: there may be an entry of it.
    """

    def __init__(
        self,
        write: Write,
        authority: Authority,
        *,
        leaves: bool,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self.ended = ended
        self._write = write
        self._authority = authority
        self._leaves = leaves
        self._refusals = Refusals()

    async def failed(self, method: str, context: Context, error: Exception) -> None:
        """Write down that a call was refused, or a change failed; as ``ErrorInterceptor`` asks."""
        changes = method in CHANGES
        refused = isinstance(error, PermissionDenied | Unauthenticated) or (
            changes and isinstance(error, NotFound) and error.hidden
        )
        if not method.startswith("/podium.") or not (refused or changes):
            return
        told = current.get() or calling(method, context)
        # What was only tried changes nothing, and would hide what fails when it is done.
        if told.noted or (told.tries and not refused):
            return
        told.noted = True
        entry = _entry(told, error, DENIED if refused else FAILED)
        await self.refused(entry, told.who or told.source)

    async def refused(self, entry: Entry, who: str) -> None:
        """Keep ``entry`` of a refusal, unless ``who`` was refused just that a moment ago."""
        # As it is written: it is kept for some time, and the caller may have said a megabyte.
        kind = entry.text("kind") if entry.outcome == FAILED else ""
        what = (who, entry.method, entry.action, entry.outcome, kind)
        now = monotonic()
        count = self._refusals.count(what, now)
        if not count:
            return
        if beyond := self._refusals.take_beyond():
            await self._kept(_beyond(beyond))
        await self._kept(replace(entry, count=entry.count + count - 1))

    async def _kept(self, entry: Entry) -> None:
        try:
            await self._write(entry)
            self.ended()
        except Unavailable as error:
            # The caller is refused all the same.
            logger.error("An entry of the audit log was not written: %s", error.detail)

    async def done(self, told: Calling) -> None:
        """A change has come to its end."""
        if told.verdict is not None:
            await self.refused(told.verdict, told.who or told.source)
            return
        if told.noted or not self._leaves or told.tries:
            return
        told.noted = True
        await self._write(told.entry(told.asked))

    def spares(self, change: Change, principal: Principal | None) -> bool:
        """Whether ``change`` is the work of who may only work."""
        if not change.of_work or principal is None or not principal.application_id:
            return False
        application = self._authority.application(principal.application_id)
        return application is not None and application.roles.isdisjoint((ADMIN, OPERATOR))


def _entry(told: Calling, error: Exception, outcome: str) -> Entry:
    metadata = error.metadata if isinstance(error, ServiceError) else {}
    # A refusal may be about something else on the way; the entry is about what was to be changed.
    if isinstance(error, PermissionDenied) and "kind" in metadata and not told.kind:
        told.kind, told.name = metadata["kind"], metadata.get("name", "")
    detail = _said(error) if isinstance(error, ServiceError) else "It failed inside."
    if not told.who and metadata.get("application"):
        told.spoken = f"application:{metadata['application']}"
    about = f" It was asked of {told.meant}." if told.meant else ""
    return told.entry(f"{short(told.method)}: {detail}{about}", outcome=outcome)


def _said(error: ServiceError) -> str:
    """What an error says, but for what faults quote: an entry holds nothing of a document."""
    if not error.faults:
        return error.detail
    more = f", and {len(error.faults) - 1:,} more" if len(error.faults) > 1 else ""
    return f"There is a fault at {error.faults[0].path or 'its beginning'}{more}."


def _beyond(count: int) -> Entry:
    detail = "Refusals of so many kinds that no more of them are named in this minute."
    return Entry("", "refusals", detail=detail, outcome=DENIED, count=count)


async def _streamed(responses: Any, context: Context) -> None:
    if not hasattr(responses, "__aiter__"):
        await responses
        return
    async with aclosing(responses):
        async for response in responses:
            await context.write(response)


class NotingInterceptor(grpc.aio.ServerInterceptor):
    """Says in ``current`` which change is under way; stands before the guard."""

    def __init__(self, noting: Noting) -> None:
        self._noting = noting

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Request, Response] | None]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Request, Response] | None:
        handler: Any = await continuation(handler_call_details)
        method = handler_call_details.method
        change = CHANGES.get(method) or _NAMED.get(method)
        if handler is None or change is None:
            return handler  # type: ignore[no-any-return]
        kind = shape(handler)
        wrap = self._generating if handler.response_streaming else self._calling
        behaviour = wrap(getattr(handler, kind), method, change)
        wrapped: grpc.RpcMethodHandler[Request, Response] = handler._replace(**{kind: behaviour})
        return wrapped

    def _begin(self, method: str, change: Change, request: Any, context: Context) -> Calling | None:
        told = calling(method, context)
        told.kind, told.name = change.subject(request)
        told.action = change.word(request)
        told.asked = asked(request)
        told.meant = meant(request, change.many) if change.many else ""
        told.tries = change.only_tries(request)
        spared = self._noting.spares(change, told.principal)
        current.set(None if spared else told)
        return None if spared else told

    def _calling(self, behaviour: Any, method: str, change: Change) -> Any:
        async def call(request: Any, context: Context) -> Any:
            told = self._begin(method, change, request, context)
            try:
                response = await behaviour(request, context)
                if told is not None:
                    await self._noting.done(told)
            finally:
                self._noting.ended()
            return response

        return call

    def _generating(self, behaviour: Any, method: str, change: Change) -> Any:
        async def call(request: Any, context: Context) -> None:
            told = self._begin(method, change, request, context)
            # The guard has made one that writes of each stream of an application.
            try:
                await _streamed(behaviour(request, context), context)
                if told is not None:
                    await self._noting.done(told)
            finally:
                self._noting.ended()

        return call
