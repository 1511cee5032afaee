"""Serving and calling over gRPC, with our errors on both sides of the wire."""

from __future__ import annotations

import inspect
import logging
import socket
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Sequence,
)
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from typing import Any, NoReturn, TypeVar, cast

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from services import origins
from services.authorized import AuthorizedChannel
from services.errors import BY_CODE, BY_REASON, Fault, ServiceError, TooLarge
from services.process import StartupError
from services.tls.files import ClientFiles, ServerFiles

DOMAIN = "podium"
MAX_MESSAGE_BYTES = 32 * 1024 * 1024

# Errors travel in trailers; gRPC's own 8 KiB hold some fifty faults.
_MAX_METADATA_BYTES = 1024 * 1024
_MAX_FAULTS = 500
_MAX_DETAIL_CHARS = 4096
# What gRPC says, on either side, of a message beyond MAX_MESSAGE_BYTES. Its code is that of a limit
# that is over in a while: whoever sends it again is refused again.
_OVERSIZED = "essage larger than max"

_BOTH_ENDS: tuple[tuple[str, Any], ...] = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_metadata_size", _MAX_METADATA_BYTES),
    ("grpc.absolute_max_metadata_size", _MAX_METADATA_BYTES),
    # A peer that is gone without a word is noticed within 15 s.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
)
SERVER_OPTIONS = (
    *_BOTH_ENDS,
    # Who connects and says nothing, or never ends the handshake, is let go.
    ("grpc.server_handshake_timeout_ms", 10_000),
    # Two suites would share a port silently.
    ("grpc.so_reuseport", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
)
CHANNEL_OPTIONS = (
    *_BOTH_ENDS,
    # A service that was restarted is called again at once, not after the default's seconds.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 200),
    # The services are neighbours: no proxy of the environment stands between.
    ("grpc.enable_http_proxy", 0),
    # A channel's own connection: another one's broken attempt does not delay it.
    ("grpc.use_local_subchannel_pool", 1),
)

logger = logging.getLogger(__name__)

Request = TypeVar("Request")
Response = TypeVar("Response")
Context = grpc.aio.ServicerContext[Any, Any]


# Errors, from the server to the client


async def abort(context: Context, error: ServiceError) -> NoReturn:
    """End the call with ``error``'s status; its reason, metadata and faults as details."""
    status = rpc_status.to_status(to_status(error))
    await context.abort(status.code, status.details or "", status.trailing_metadata or ())


def to_status(error: ServiceError) -> status_pb2.Status:
    """``error`` as google.rpc.Status: ErrorInfo and, where there are faults, BadRequest."""
    info, metadata = any_pb2.Any(), {name: _cut(text) for name, text in error.metadata.items()}
    info.Pack(error_details_pb2.ErrorInfo(reason=error.reason(), domain=DOMAIN, metadata=metadata))
    details = [info]
    if error.faults:
        details.append(any_pb2.Any())
        details[-1].Pack(_bad_request(error.faults))
    return status_pb2.Status(code=error.code.value[0], message=_cut(error.detail), details=details)


def _bad_request(faults: Sequence[Fault]) -> error_details_pb2.BadRequest:
    told = error_details_pb2.BadRequest()
    room = _MAX_METADATA_BYTES // 4
    for number, fault in enumerate(faults):
        room -= len(fault.path) + len(fault.detail) + 16
        if number == _MAX_FAULTS or room < 0:
            told.field_violations.add(description=f"and {len(faults) - number} more faults")
            break
        told.field_violations.add(field=fault.path, description=_cut(fault.detail))
    return told


def _cut(text: str) -> str:
    # protobuf refuses what is no UTF-8: a message may quote a lone surrogate.
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= _MAX_DETAIL_CHARS else f"{text[:_MAX_DETAIL_CHARS]}…"


@contextmanager
def raising_ours() -> Generator[None]:
    """Inside, an ``AioRpcError`` becomes the :class:`ServiceError` the server raised."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise from_rpc(error) from error


def from_rpc(error: grpc.aio.AioRpcError) -> ServiceError:
    """The :class:`ServiceError` that ``error`` carries, or one for its bare status."""
    ours, details = from_status(_status(error)), error.details() or ""
    if ours is None and _OVERSIZED in details:
        return TooLarge(f"This is more than a message holds, which are {MAX_MESSAGE_BYTES} bytes.")
    return ours or BY_CODE.get(error.code(), ServiceError)(details)


def is_of_transport(error: ServiceError) -> bool:
    """Whether gRPC itself ended the call, in its own words, and no service of ours."""
    cause = error.__cause__
    return isinstance(cause, grpc.aio.AioRpcError) and from_status(_status(cause)) is None


def _status(error: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    call: Any = error
    try:
        return cast("status_pb2.Status | None", rpc_status.from_call(call))
    except ValueError:
        # Somebody else's server, whose details contradict its status.
        return None


def from_status(status: status_pb2.Status | None) -> ServiceError | None:
    """The error that :func:`to_status` wrote; None where it was somebody else."""
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    known = False
    for detail in status.details if status else ():
        known = detail.Unpack(info) or known
        detail.Unpack(bad_request)
    if status is None or not known or info.domain != DOMAIN:
        return None
    faults = [Fault(each.field, each.description) for each in bad_request.field_violations]
    error = BY_REASON.get(info.reason, ServiceError)(status.message, faults)
    error.metadata = dict(info.metadata)
    return error


Failed = Callable[[str, Context, Exception], Awaitable[None]]
"""Told of a call, by ``/package.Service/Method``, and of what it raised."""


class ErrorInterceptor(grpc.aio.ServerInterceptor):
    """Ends a call with what its handler raised; the unforeseen is logged and told as INTERNAL.

    Args:
        failed: Told before.
    """

    def __init__(self, failed: Failed | None = None) -> None:
        self._failed = failed

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Request, Response] | None]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Request, Response] | None:
        handler: Any = await continuation(handler_call_details)
        if handler is None:
            return None

        async def end(context: Context, error: Exception) -> None:
            if self._failed is not None:
                await self._told(handler_call_details.method, context, error)
            await _end(context, handler_call_details.method, error)

        wrapped: grpc.RpcMethodHandler[Request, Response] = telling(handler, end)
        return wrapped

    async def _told(self, method: str, context: Context, error: Exception) -> None:
        assert self._failed is not None
        try:
            await self._failed(method, context, error)
        except Exception:
            # The outermost loop of a call: it ends with its own error all the same.
            logger.exception("What went wrong with %s could not be told.", method)


def telling(handler: Any, failed: Callable[[Context, Exception], Awaitable[None]]) -> Any:
    """``handler``, where ``failed`` is told of what it raises, which then goes on.

    Where ``failed`` raises itself, as aborting the call does, that goes on in its place.
    """
    kind = shape(handler)
    behaviour = getattr(handler, kind)
    # A handler of a stream is a generator, or writes to its context.
    wrap = _generating if inspect.isasyncgenfunction(behaviour) else _calling
    return handler._replace(**{kind: wrap(behaviour, failed)})


def shape(handler: Any) -> str:
    """The field of a handler that holds its behaviour, e.g. ``unary_stream``."""
    asked = "stream" if handler.request_streaming else "unary"
    return f"{asked}_{'stream' if handler.response_streaming else 'unary'}"


def _calling(behaviour: Any, failed: Callable[[Context, Exception], Awaitable[None]]) -> Any:
    async def call(request: Any, context: Context) -> Any:
        try:
            return await behaviour(request, context)
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            await failed(context, error)
            raise

    return call


def _generating(behaviour: Any, failed: Callable[[Context, Exception], Awaitable[None]]) -> Any:
    async def call(request: Any, context: Context) -> AsyncIterator[Any]:
        try:
            async with aclosing(behaviour(request, context)) as responses:
                async for response in responses:
                    yield response
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            await failed(context, error)
            raise

    return call


async def _end(context: Context, method: str, error: Exception) -> NoReturn:
    if not isinstance(error, ServiceError):
        logger.error("%s failed in a way that was not foreseen.", method, exc_info=error)
        error = ServiceError("Something went wrong inside; the service's log says what.")
    await abort(context, error)


# Serving


@asynccontextmanager
async def serving(
    *register: Callable[[grpc.aio.Server], None],
    address: str = "127.0.0.1:0",
    interceptors: Iterable[grpc.aio.ServerInterceptor] = (),
    services: Sequence[str] = (),
    grace: float = 5.0,
    tls: ServerFiles | None = None,
    failed: Failed | None = None,
) -> AsyncGenerator[str]:
    """A running server, with health and reflection; yields the address to dial.

    Args:
        register: Called with the server, to add services to it.
        address: ``host:port``; port 0 picks a free one.
        interceptors: Stand between a call and its handler, the first outermost; what they and the
            handlers raise is told to the caller as our errors.
        services: The full names of the services, for grpc.health.v1 and reflection.
        grace: Seconds that calls under way are given when it stops. A stream that nobody ends
            takes them all.
        tls: The certificates, which are read again when they change; None: plain text.
        failed: Told of every call that is ended with an error.

    Raises:
        StartupError: The address cannot be had, or the certificates are bad.
    """
    async with AsyncExitStack() as stack:
        credentials = await _credentials(stack, tls)
        server = _server(register, (ErrorInterceptor(failed), *interceptors), services)
        state = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(state, server)
        port = _bind(server, address, credentials)
        await server.start()
        for name in ("", *services):
            await state.set(name, health_pb2.HealthCheckResponse.SERVING)
        try:
            yield f"{address.rpartition(':')[0]}:{port}"
        finally:
            await state.enter_graceful_shutdown()
            await server.stop(grace)


async def _credentials(
    stack: AsyncExitStack, tls: ServerFiles | None
) -> grpc.ServerCredentials | None:
    if tls is None:
        return None
    # Late: reading certificates is a library of its own, which most do without.
    from services.tls import following, servers

    certificates = servers.followed(tls)
    await stack.enter_async_context(following.looking(certificates))
    return servers.grpc_credentials(certificates)


def _server(
    register: Sequence[Callable[[grpc.aio.Server], None]],
    interceptors: Iterable[grpc.aio.ServerInterceptor],
    services: Sequence[str],
) -> grpc.aio.Server:
    server = grpc.aio.server(interceptors=list(interceptors), options=SERVER_OPTIONS)
    for add in register:
        add(server)
    reflected = (*services, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(reflected, server)
    return server


def _bind(server: grpc.aio.Server, address: str, credentials: grpc.ServerCredentials | None) -> int:
    try:
        if credentials is not None:
            return server.add_secure_port(address, credentials)
        return server.add_insecure_port(address)
    except RuntimeError as error:
        raise StartupError(f"{address} cannot be served on: {_why_taken(address)}.") from error


def _why_taken(address: str) -> str:
    """What gRPC leaves unsaid: why it could not bind. The same try by hand says it."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    try:
        socket.create_server((host.strip("[]"), int(port)), family=family).close()
    except (OSError, OverflowError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return "somebody had it a moment ago"


# Calling


def channel(
    address: str,
    token: Callable[[], str] | None = None,
    options: Sequence[tuple[str, int]] = (),
    tls: ClientFiles | None = None,
) -> grpc.aio.Channel:
    """A channel to ``address`` (``host:port``) that carries a token with every call.

    Args:
        token: Asked at each call, so it should keep what it has: ``lambda:
            identity.token("executor")``.
        options: gRPC's channel arguments, besides :data:`CHANNEL_OPTIONS`.
        tls: The certificates, which are read again when they change; None: plain text.

    Raises:
        StartupError: The certificates are bad.
    """
    bare = _bare_channel(address, (*CHANNEL_OPTIONS, *options), tls)
    return bare if token is None else AuthorizedChannel(bare, token)


def _bare_channel(
    address: str, options: Sequence[tuple[str, Any]], tls: ClientFiles | None
) -> grpc.aio.Channel:
    if tls is None:
        return grpc.aio.insecure_channel(address, options=options)
    # Late, as above.
    from services.tls.channels import SecureChannel

    return SecureChannel(address, tls, options)


def on_behalf_of(application_id: str) -> tuple[tuple[str, str], ...]:
    """The ``metadata=`` of a call that the edge makes for an application whose token it checked."""
    return (("on-behalf-of", f"application:{application_id}"), *origins.metadata())
