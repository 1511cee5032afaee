"""Sends HTTP requests: the one place that knows the HTTP client (see docs/decisions/0004)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from threading import Event
from time import monotonic
from typing import NamedTuple, Self

import aiohttp
from yarl import URL

from services.egress.addresses import literal
from services.egress.deadlines import Deadlines
from services.egress.failures import CallFailed, failure
from services.egress.outgoing import answered
from services.egress.policy import AddressRefused, EgressPolicy
from services.egress.proxy import CREDENTIALS, Proxy
from services.egress.resolver import PinningResolver
from services.egress.unpacking import NotReadable, unpacked
from services.egress.uris import origin_of, redirect_target, target

# Servers often close an idle connection after 5 s (uvicorn, Node, Apache). A request that meets
# the close on its way has an unknown outcome, so a connection is given up first.
_KEEP_ALIVE = 4.0
_NAMES_KEPT = 10
# A server that drips: each byte comes in time, the answer never.
_READS_IN_ALL = 10
_NONE_LEFT = 0.001
_MOST_UNWANTED_BYTES = 4096
_MOST_FOR_UNWANTED_SECONDS = 1.0

_PROXY_ASKS = 407
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_FOLLOWING = frozenset(("GET", "HEAD"))
# Whoever they were meant for, it was not another origin.
_NOT_ELSEWHERE = re.compile(
    r"host|cookie2?|.*(authori[sz]ation|token|secret|password|credential|session|signature|key)[-_\w]*"
)


class Call(NamedTuple):
    """A request as it is to go out.

    Attributes:
        headers: Valid ones: no line breaks; names as they are sent.
        sensitive: Names, in lower case, of headers that go to no other origin.
        encode: False leaves the query as it stands.
        connect_timeout: Seconds for lookup, connection and TLS; None: no limit.
        read_timeout: Seconds without a byte; None: no limit.
        follow: GET and HEAD follow redirects.
        head_only: Nobody wants the answer's body: of what there is, some is read and thrown away.
    """

    method: str
    uri: str
    headers: dict[str, str]
    body: bytes | None
    sensitive: frozenset[str] = frozenset()
    encode: bool = True
    connect_timeout: float | None = 5.0
    read_timeout: float | None = 60.0
    max_response_bytes: int = 10 << 20
    max_redirects: int = 5
    follow: bool = True
    head_only: bool = False

    @property
    def total_timeout(self) -> float | None:
        """Seconds for everything, redirects included: connecting once and reading ten times."""
        if self.connect_timeout is None or self.read_timeout is None:
            return None
        return self.connect_timeout + _READS_IN_ALL * self.read_timeout


class Reply(NamedTuple):
    """What came back.

    Attributes:
        headers: Names in lower case.
        body: Decompressed.
    """

    status: int
    reason_phrase: str
    headers: dict[str, list[str]]
    body: bytes


class _Redirect(NamedTuple):
    status: int
    location: str


class Sender:
    """One pool of connections to everywhere; no cookies, nothing from the environment.

    Every address is judged by ``policy`` before it is dialled, at each redirect again. Through a
    proxy goes what has passed as far as that is known here.
    """

    def __init__(self, policy: EgressPolicy, proxy: Proxy | None = None) -> None:
        self._policy = policy
        self._proxy = proxy

    async def __aenter__(self) -> Self:
        self._resolver = PinningResolver(self._policy)
        self._pool = aiohttp.TCPConnector(
            limit=0,
            resolver=self._resolver,
            ttl_dns_cache=_NAMES_KEPT,
            keepalive_timeout=_KEEP_ALIVE,
        )
        self._deadlines = Deadlines()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._deadlines.close()
        await self._pool.close()
        await self._resolver.close()

    async def send(self, call: Call) -> Reply:
        """The answer, whatever its status.

        GET and HEAD follow redirects; to other methods a redirect is the answer. Where a
        connection closes without an answer, GET, HEAD, OPTIONS, TRACE, PUT and DELETE are sent
        once more (RFC 9110, 9.2.2): idle connections end so.

        Raises:
            CallFailed: There is no usable one.
        """
        url, authorization = target(call.uri, call.encode)
        if authorization and not any(name.lower() == "authorization" for name in call.headers):
            call = call._replace(headers=call.headers | {"Authorization": authorization})
        begun = monotonic()
        total = left = call.total_timeout
        answer = await self._exchange(call, url, left)
        for _ in range(call.max_redirects):
            if isinstance(answer, Reply):
                return answer
            before, (url, call) = url, _redirected(call, url, answer)
            if total is not None:
                left = max(total - (monotonic() - begun), _NONE_LEFT)
            try:
                answer = await self._exchange(call, url, left)
            except CallFailed as failed:
                failed.reason = f"Redirected by {origin_of(before)}: {failed.reason}"
                failed.status = failed.status or answer.status
                raise
        if isinstance(answer, Reply):
            return answer
        raise CallFailed(
            f"It was redirected more than {call.max_redirects} times, last to {origin_of(url)}.",
            status=answer.status,
        )

    async def _exchange(self, call: Call, url: URL, left: float | None) -> Reply | _Redirect:
        status, dialled = 0, self._checked(url)
        proxy = self._proxy_for(dialled)
        try:
            with self._deadlines.within(left):
                if proxy is not None and not literal(dialled.raw_host or ""):
                    await self._resolver.through_proxy(dialled.raw_host or "", dialled.port or 0)
                response = await answered(
                    self._pool,
                    call.method,
                    dialled,
                    call.headers,
                    call.body,
                    call.connect_timeout,
                    call.read_timeout,
                    proxy,
                )
                try:
                    status = response.status
                    if proxy is not None and status == _PROXY_ASKS:
                        raise _not_let_through(proxy)
                    if status in _REDIRECTS and call.follow and call.method in _FOLLOWING:
                        location = response.headers.get("Location")
                        if location is not None:
                            return _Redirect(status, location)
                    reply = await _reply(response, call)
                    shown = proxy.shown_in_the_clear(dialled) if proxy is not None else ""
                    return _without(reply, shown) if shown else reply
                finally:
                    if not response.closed:
                        response.close()
        except (aiohttp.ClientError, OSError) as error:
            raise failure(error, call, origin_of(url), status) from error

    def _proxy_for(self, url: URL) -> Proxy | None:
        proxy = self._proxy
        if proxy is None or not proxy.is_for(url.raw_host or "", url.port or 0):
            return None
        return proxy

    def _checked(self, url: URL) -> URL:
        host = url.raw_host or ""
        try:
            dialled = self._policy.check(host, url.port or 0)
        except AddressRefused as refused:
            raise CallFailed(str(refused), lasting=True) from None
        return url if dialled == host else url.with_host(dialled)


def _not_let_through(proxy: Proxy) -> CallFailed:
    return CallFailed(
        f"The proxy {origin_of(proxy.url)} asks for other credentials ({CREDENTIALS} has them).",
        transient=True,
    )


def _redirected(call: Call, url: URL, redirect: _Redirect) -> tuple[URL, Call]:
    joined = redirect_target(url, redirect.location)
    if joined is None:
        raise CallFailed(
            f"{origin_of(url)} redirects to what is no http or https URI.", status=redirect.status
        )
    kept = call.headers
    if joined.origin() != url.origin():
        kept = {
            name: value
            for name, value in kept.items()
            if not (name.lower() in call.sensitive or _NOT_ELSEWHERE.fullmatch(name.lower()))
        }
    return joined, call._replace(headers=kept, body=None)


async def _reply(response: aiohttp.ClientResponse, call: Call) -> Reply:
    if call.head_only:
        return await _head(response)
    body = await _body(response, call)
    headers = _headers(response.raw_headers)
    if body and (encoding := headers.get("content-encoding")):
        body = await _unpacked(response, body, encoding[0], call.max_response_bytes)
    return Reply(response.status, response.reason or "", headers, body)


def _without(reply: Reply, told: str) -> Reply:
    """A reply without what its proxy was told: error pages and TRACE show what was asked."""
    headers = {
        name: [value.replace(told, "***") for value in values]
        for name, values in reply.headers.items()
    }
    return Reply(
        reply.status,
        reply.reason_phrase.replace(told, "***"),
        headers,
        reply.body.replace(told.encode(), b"***"),
    )


async def _head(response: aiohttp.ClientResponse) -> Reply:
    """The answer without its body; a short one is waited for, so that the connection serves on."""
    try:
        async with asyncio.timeout(_MOST_FOR_UNWANTED_SECONDS):
            left = _MOST_UNWANTED_BYTES
            while left > 0 and (chunk := await response.content.readany()):
                left -= len(chunk)
    except (aiohttp.ClientError, OSError):
        # It has answered: how its body ends changes nothing.
        response.close()
    return Reply(response.status, response.reason or "", _headers(response.raw_headers), b"")


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name_sent, value_sent in raw:
        name = name_sent.decode("latin-1").lower()
        try:
            value = value_sent.decode()
        except UnicodeDecodeError:
            value = value_sent.decode("latin-1")
        if name in headers:
            headers[name].append(value)
        else:
            headers[name] = [value]
    return headers


async def _body(response: aiohttp.ClientResponse, call: Call) -> bytes:
    limit, content = call.max_response_bytes, response.content
    if content.is_eof():
        # All of it came with its head, as most do.
        body = content.read_nowait()
        if len(body) > limit:
            raise _too_large(response, limit)
        return body
    if call.method != "HEAD" and (response.content_length or 0) > limit:
        raise _too_large(response, limit)
    chunks, size = [], 0
    while chunk := await _chunk(content, call.read_timeout):
        size += len(chunk)
        if size > limit:
            raise _too_large(response, limit)
        chunks.append(chunk)
    return b"".join(chunks)


async def _chunk(content: aiohttp.StreamReader, limit: float | None) -> bytes:
    if content.is_eof():
        return await content.readany()
    try:
        # aiohttp's own limit is lost where a later chunk is no chunk: the reader is not told.
        async with asyncio.timeout(limit) as waiting:
            return await content.readany()
    except TimeoutError as error:
        if waiting.expired():
            raise aiohttp.SocketTimeoutError from error
        raise


async def _unpacked(
    response: aiohttp.ClientResponse, body: bytes, encoding: str, limit: int
) -> bytes:
    given_up = Event()
    try:
        # A few kilobytes can hold as much as the limit allows.
        whole = await asyncio.to_thread(unpacked, body, encoding, limit, given_up.is_set)
    except NotReadable as error:
        raise CallFailed(
            f"{origin_of(response.url)} sent {error}.", transient=True, status=response.status
        ) from error
    finally:
        # The call was cancelled, or its time is up: no thread can be cancelled.
        given_up.set()
    if whole is None:
        raise _too_large(response, limit)
    return whole


def _too_large(response: aiohttp.ClientResponse, limit: int) -> CallFailed:
    # Closed, not drained: the rest may never end.
    response.close()
    shown = f"{limit / (1 << 20):g} MiB" if limit >= 1 << 20 else f"{limit} bytes"
    return CallFailed(f"The response is larger than {shown}.", status=response.status)
