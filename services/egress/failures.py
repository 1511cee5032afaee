"""Why a call brought no answer, as a sentence, and what that means for another try."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp

from services.egress.policy import AddressRefused

if TYPE_CHECKING:
    from services.egress.sender import Call

_NO_SUCH_HOST = {socket.EAI_NONAME, socket.EAI_FAIL} | (
    {socket.EAI_NODATA} if hasattr(socket, "EAI_NODATA") else set()
)


class CallFailed(Exception):
    """There is no usable answer. The fields are those of ``core.http.HttpFailure``, and more.

    Attributes:
        lasting: The URL itself is refused: it fails so whenever it is called.
        put_off: As in ``core.http.HttpFailure``.
    """

    def __init__(
        self,
        reason: str,
        *,
        unknown: bool = False,
        transient: bool = False,
        status: int = 0,
        lasting: bool = False,
        put_off: timedelta | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unknown = unknown
        self.transient = transient
        self.status = status
        self.lasting = lasting
        self.put_off = put_off


def failure(error: Exception, call: Call, origin: str, status: int) -> CallFailed:
    """What ``error``, met by ``call``, means.

    ``origin`` is ``host:port``, for people; ``status`` that of the answer that had begun, 0 where
    none had.
    """
    match error:
        case aiohttp.ClientConnectorDNSError(os_error=AddressRefused() as refused):
            return CallFailed(str(refused), status=status)
        case AddressRefused():
            return CallFailed(str(error), status=status)
        case aiohttp.ClientProxyConnectionError():
            return CallFailed(
                _unconnected(error.os_error, f"The proxy {error.host}:{error.port}"),
                transient=True,
            )
        case aiohttp.ClientHttpProxyError():
            return CallFailed(
                f"The proxy did not open a way to {origin}: it answered {error.status}.",
                transient=True,
            )
        case aiohttp.ClientConnectorDNSError():
            return CallFailed(_lookup(error.os_error, error.host), transient=True)
        case aiohttp.ClientSSLError():
            return CallFailed(f"TLS with {origin} failed: {_tls(error)}.", transient=True)
        case aiohttp.ClientConnectorError():
            return CallFailed(_unconnected(error.os_error, origin), transient=True)
        case aiohttp.ConnectionTimeoutError():
            limit = _seconds(call.connect_timeout)
            return CallFailed(
                f"{origin} did not accept a connection within {limit}.", transient=True
            )
        case aiohttp.InvalidURL():
            return CallFailed("The URI is not one that can be called.")
        case aiohttp.ClientResponseError():
            return CallFailed(
                f"{origin} did not answer in HTTP: {_fault(error.message)}.",
                unknown=True,
                transient=True,
            )
    return CallFailed(
        _broken(error, call, origin, status), unknown=True, transient=True, status=status
    )


def _broken(error: Exception, call: Call, origin: str, status: int) -> str:
    """What happened after the request may have arrived."""
    match error:
        case aiohttp.SocketTimeoutError() if status:
            limit = _seconds(call.read_timeout)
            return f"{origin} stopped in the middle of its answer: nothing came for {limit}."
        case aiohttp.SocketTimeoutError():
            return f"{origin} gave no answer within {_seconds(call.read_timeout)}."
        case TimeoutError():
            return f"{origin} had not answered in full after {_seconds(call.total_timeout)}."
        case _ if status:
            return f"{origin} closed the connection half-way through its answer."
        case aiohttp.ServerDisconnectedError():
            return f"{origin} closed the connection without an answer."
        case OSError() if error.errno:
            return f"The connection to {origin} broke: {os.strerror(error.errno)}."
        case _:
            return f"The connection to {origin} broke before there was an answer."


def _lookup(error: OSError, host: str) -> str:
    if isinstance(error, socket.gaierror) and error.errno not in _NO_SUCH_HOST:
        return f"The address of {host} could not be looked up: {error.strerror}."
    return f"There is no host '{host}'."


def _unconnected(error: OSError, origin: str) -> str:
    if error.errno == errno.ECONNREFUSED:
        return f"{origin} refused the connection."
    detail = os.strerror(error.errno) if error.errno else "no connection came about"
    return f"{origin} could not be reached: {detail}."


def _tls(error: aiohttp.ClientSSLError) -> str:
    cause = (
        error.certificate_error
        if isinstance(error, aiohttp.ClientConnectorCertificateError)
        else error.os_error
    )
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate does not hold ({cause.verify_message})"
    reason = getattr(cause, "reason", None)
    return str(reason).replace("_", " ").lower() if reason else "it ended during the handshake"


def _fault(message: str) -> str:
    """What the parser says, without what it quotes of the answer."""
    if message.startswith("Got more than"):
        return "a line of its head is too long"
    return message.strip().partition("\n")[0].partition(":")[0][:100] or "what came is no answer"


def _seconds(limit: float | None) -> str:
    return f"{limit:g} s" if limit is not None else "any limit"
