"""The guard before every RPC: its token, and the right that the call needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import grpc

from services import logs, tracing
from services.access.principals import (
    APPLICATION_PREFIX,
    Authority,
    Principal,
    application_principal,
    current,
)
from services.access.reach import Reach, reach
from services.access.streams import Streams
from services.access.tokens import Verifier
from services.errors import PermissionDenied, ServiceError, Unauthenticated
from services.rights import EDGE, Right, right_to
from services.rpc import shape

ON_BEHALF_OF = "on-behalf-of"
_READ = frozenset(("authorization", ON_BEHALF_OF, tracing.HEADER, tracing.STATE_HEADER))

_LONGEST_NAMED = 255

Request = TypeVar("Request")
Response = TypeVar("Response")


@dataclass(slots=True)
class AccessInterceptor(grpc.aio.ServerInterceptor):
    """Lets a call through that the table of rights allows, and says who makes it in ``current``.

    Stands after :class:`services.rpc.ErrorInterceptor`, which tells the caller of a refusal. A
    stream goes on for as long as its caller has the right to it, not for as long as its token.
    """

    verifier: Verifier
    authority: Authority
    streams: Streams = field(default_factory=Streams)

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Request, Response] | None]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Request, Response] | None:
        handler = await continuation(handler_call_details)
        right = right_to(handler_call_details.method)
        if handler is None or right.open:
            return handler
        metadata = _metadata(handler_call_details)
        try:
            principal = self.identify(metadata)
            # Also of whom is refused: the audit log says who it was.
            current.set(principal)
            self.check(principal, right)
        except ServiceError as error:
            refusing: grpc.RpcMethodHandler[Request, Response] = _refusing(handler, error)
            return refusing
        if trace := tracing.of_metadata(metadata):
            tracing.current.set(trace)
            logs.bind(trace_id=trace.trace_id)
        if not handler.response_streaming or not principal.application_id:
            return handler
        bounded: grpc.RpcMethodHandler[Request, Response] = self._bounded(
            handler, handler_call_details.method, principal, right
        )
        return bounded

    def _bounded(self, handler: Any, method: str, principal: Principal, right: Right) -> Any:
        kind = shape(handler)
        check = partial(self._check_still, principal, right)
        behaviour = self.streams.bounded(
            getattr(handler, kind), method, principal, right.streams, check
        )
        return handler._replace(**{kind: behaviour})

    def admit(self, right: Right, metadata: Mapping[str, str]) -> Principal:
        """Who calls, if ``right`` lets them.

        Raises:
            Unauthenticated: There is no token, or it does not hold.
            PermissionDenied: The caller has not that right.
        """
        principal = self.identify(metadata)
        self.check(principal, right)
        return principal

    def identify(self, metadata: Mapping[str, str]) -> Principal:
        """Who calls.

        Raises:
            Unauthenticated: There is no token, or it does not hold.
            PermissionDenied: A caller speaks for somebody, and may not.
        """
        caller = self.verifier.verify(bearer_token(metadata.get("authorization", "")))
        return _speaking_for(caller, metadata.get(ON_BEHALF_OF, ""))

    def check(self, principal: Principal, right: Right) -> None:
        """Refuse ``principal`` unless ``right`` lets it.

        Raises:
            PermissionDenied: It has not that right.
        """
        if principal.application_id:
            self._check_application(principal, right)
        elif principal.name not in right.services:
            raise PermissionDenied(f"{principal.name} may not call this.")

    def _check_still(self, principal: Principal, right: Right) -> None:
        self.check(principal, right)
        if self.authority.revoked(principal.access_key_id):
            raise Unauthenticated("The access key was revoked, or has expired.")
        if self.authority.revoked_signer(principal.signing_key_id):
            raise Unauthenticated("The key that signed the token was revoked; get a new one.")

    def _check_application(self, principal: Principal, right: Right) -> None:
        application = self.authority.application(principal.application_id)
        if application is None:
            raise PermissionDenied(
                f"There is no application {principal.application_id!r}.",
                unknown_application=principal.application_id,
            )
        if not application.enabled:
            raise PermissionDenied(
                f"The application {principal.application_id!r} is paused.",
                application=principal.application_id,
            )
        if reach(application, right) is Reach.NONE:
            raise PermissionDenied(
                f"The application {principal.application_id!r} may not call this: "
                f"it takes {right}.",
                application=principal.application_id,
            )


def _speaking_for(caller: Principal, on_behalf_of: str) -> Principal:
    """The one place where a service's word for somebody else is taken: the edge's, it checked."""
    if not on_behalf_of:
        return caller
    if caller.name != EDGE:
        raise PermissionDenied(f"Only the edge may call on behalf of somebody, not {caller.name}.")
    application_id = on_behalf_of.removeprefix(APPLICATION_PREFIX)
    if not on_behalf_of.startswith(APPLICATION_PREFIX) or not application_id:
        raise PermissionDenied("A call can be on behalf of an application only.")
    return replace(application_principal(application_id), via=EDGE)


def bearer_token(authorization: str) -> str:
    """The token of an ``authorization: Bearer …`` header (RFC 6750).

    Raises:
        Unauthenticated: There is none.
    """
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("A token is needed: authorization: Bearer <token>.")
    return token.strip()


def _metadata(details: grpc.HandlerCallDetails) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in details.invocation_metadata or ():
        if isinstance(value, str) and name in _READ:
            # Of two, neither: which one counts must not depend on who reads them.
            found[name] = "" if name in found else value
    return found


def _about(error: ServiceError, request: Any) -> ServiceError:
    """A refusal with what it was about, for those who read of it later."""
    kind, name = getattr(request, "kind", ""), getattr(request, "name", "")
    if not isinstance(error, PermissionDenied) or not (
        isinstance(kind, str) and isinstance(name, str) and kind and name
    ):
        return error
    about = {"kind": kind[:_LONGEST_NAMED], "name": name[:_LONGEST_NAMED]}
    return PermissionDenied(error.detail, (), **(error.metadata | about))


def _refusing(handler: Any, error: ServiceError) -> Any:
    """A handler of the same shape that does nothing but raise ``error``."""

    async def unary(request: Any, _context: Any) -> Any:
        raise _about(error, request)

    async def streaming(_request: Any, _context: Any) -> Any:
        raise error
        yield

    behaviour = streaming if handler.response_streaming else unary
    return handler._replace(**{shape(handler): behaviour})
