"""One request over one connection of aiohttp's pool, without what its session does for others.

The session copies the headers three times, sets a timer for each call, and before Python 3.12 has a
body written by a task of its own, a turn of the loop later: together half of what a call costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.helpers import TimerNoop
from aiohttp.http import StreamWriter
from aiohttp.payload import BytesIOPayload
from yarl import URL

from services.egress.proxy import Proxy

# A transport takes this much without pushing back, even where nobody reads.
_IN_ONE_PIECE = 32 << 10
_LARGEST_HEADER = 16 << 10
_MOST_HEADERS = 128
_BUFFERED = 256 << 10
# aiohttp rounds longer limits up to whole seconds.
_NEVER_ROUNDED = float("inf")

# RFC 9110, 9.2.2: an idle connection may close just as it is used again.
_SENT_AGAIN = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))
_FOR_PROXIES = "Proxy-Authorization"
_HOST = "host"
# Nobody else says who a proxy is asked by, or for whom: some go by Host.
_NOT_FOR_PROXIES = frozenset((_HOST, _FOR_PROXIES.lower()))
_WITHOUT_A_BODY = frozenset(("HEAD",))

# Calls have their limits otherwise.
_NO_TIMER = TimerNoop()


async def answered(
    pool: aiohttp.BaseConnector,
    method: str,
    url: URL,
    headers: Mapping[str, str],
    body: bytes | None,
    connect_timeout: float | None,
    read_timeout: float | None,
    proxy: Proxy | None = None,
) -> aiohttp.ClientResponse:
    """The answer as soon as its head is there: close it, or read it to its end.

    Args:
        connect_timeout: Seconds for lookup, connection and TLS; None: no limit.
        read_timeout: Seconds without a byte; None: no limit.

    Raises:
        aiohttp.ClientError, OSError: There is none.
    """
    limits = _limits(connect_timeout, read_timeout)
    again = method in _SENT_AGAIN
    loop = asyncio.get_running_loop()
    host = _within_a_tunnel(url, headers) if proxy is not None else None
    while True:
        # A large one goes in pieces, as fast as they are taken; it is not copied for that.
        data = BytesIO(body) if body and len(body) > _IN_ONE_PIECE else body
        request = _request(method, url, headers, data, loop, proxy)
        try:
            return await _exchanged(pool, request, limits, host)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
            if not again:
                raise
        again = False


def _request(
    method: str,
    url: URL,
    headers: Mapping[str, str],
    data: BytesIO | bytes | None,
    loop: asyncio.AbstractEventLoop,
    proxy: Proxy | None,
) -> ClientRequest:
    if proxy is None:
        return ClientRequest(method, url, headers=headers, data=data, loop=loop)
    to_proxy = {_FOR_PROXIES: proxy.authorization} if proxy.authorization else {}
    in_the_clear = to_proxy if url.scheme == "http" else {}
    own = {name: value for name, value in headers.items() if name.lower() not in _NOT_FOR_PROXIES}
    return ClientRequest(
        method,
        url,
        headers=own | in_the_clear,
        data=data,
        loop=loop,
        proxy=proxy.url,
        proxy_headers=to_proxy,
    )


def _within_a_tunnel(url: URL, headers: Mapping[str, str]) -> str | None:
    """The call's own ``Host``, where it goes to the host that is called and the proxy sees none."""
    if url.scheme != "https":
        return None
    return next((value for name, value in headers.items() if name.lower() == _HOST), None)


@lru_cache(256)
def _limits(connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(connect=connect, sock_read=read, ceil_threshold=_NEVER_ROUNDED)


async def _exchanged(
    pool: aiohttp.BaseConnector,
    request: ClientRequest,
    limits: aiohttp.ClientTimeout,
    host: str | None,
) -> aiohttp.ClientResponse:
    try:
        connection = await pool.connect(request, [], limits)
    except TimeoutError as error:
        raise aiohttp.ConnectionTimeoutError from error
    if host is not None:
        request.headers[_HOST] = host
    try:
        _expect_answer(connection, request.method, limits)
        response = await _sent(request, connection)
        try:
            return await response.start(connection)
        except BaseException:
            response.close()
            raise
    except BaseException:
        connection.close()
        raise


def _expect_answer(connection: Connection, method: str, limits: aiohttp.ClientTimeout) -> None:
    if connection.protocol is None:
        raise aiohttp.ServerDisconnectedError
    connection.protocol.set_response_params(
        timer=_NO_TIMER,
        skip_payload=method in _WITHOUT_A_BODY,
        read_until_eof=True,
        auto_decompress=False,
        read_timeout=limits.sock_read,
        read_bufsize=_BUFFERED,
        timeout_ceil_threshold=_NEVER_ROUNDED,
        max_line_size=_LARGEST_HEADER,
        max_field_size=_LARGEST_HEADER,
        max_headers=_MOST_HEADERS,
    )


async def _sent(request: ClientRequest, connection: Connection) -> aiohttp.ClientResponse:
    body, protocol = request.body, connection.protocol
    # A proxy takes another request line.
    if protocol is None or isinstance(body, BytesIOPayload) or request.proxy is not None:
        return await request.send(connection)
    writer = StreamWriter(protocol, request.loop)
    await writer.write_headers(
        f"{request.method} {request.url.raw_path_qs} HTTP/1.1", request.headers
    )
    if body:
        await body.write_with_length(writer, None)
    writer.set_eof()
    protocol.start_timeout()
    return aiohttp.ClientResponse(
        request.method,
        request.original_url,
        writer=None,
        continue100=None,
        timer=_NO_TIMER,
        request_info=request.request_info,
        traces=[],
        loop=request.loop,
        session=None,  # type: ignore[arg-type]  # it is kept for the charset, which is ours to find
        stream_writer=writer,
    )
