"""TLS on the listeners for HTTP: handshakes, each with the newest certificate, and bounded.

asyncio's own server keeps one context for life, and puts no bound on handshakes that never end.
Here a connection is accepted in plain text, its first byte looked at, and then turned into TLS.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from services.json_text import Json

if TYPE_CHECKING:
    from services.tls.following import Followed

MOST = 1000
# The layer counts from the close of a connection, of which much may still have to be sent: who does
# not take it, or never says farewell, is cut off by the listener.
_SHUTDOWN_SECONDS = 24 * 3600.0
# Between two lines on handshakes that failed.
SILENT_SECONDS = 10.0
_HANDSHAKE = 0x16
_SPECIAL = re.compile(r'[\\",+;<>]|\A[ #]')
_SHORT = {
    "commonName": "CN", "organizationName": "O", "organizationalUnitName": "OU",
    "countryName": "C", "localityName": "L", "stateOrProvinceName": "ST",
}  # fmt: skip

logger = logging.getLogger(__name__)


class Handshakes:
    """Makes the protocols of a listener's connections.

    Args:
        certificates: Of the listener.
        made: A protocol for HTTP, once it is known to be encrypted; it is given the transport
            below the encrypted one.
        refusal: What somebody is answered who speaks plain text.
        seconds: From a connection to the end of its handshake.

    Attributes:
        most: Handshakes under way; one more, and the oldest of them is cut off: those who mean it
            need milliseconds.
        under_way: The oldest first.
        closed: No connection is encrypted any more.
    """

    def __init__(
        self,
        certificates: Followed,
        made: Callable[[asyncio.Transport], asyncio.Protocol],
        refusal: Callable[[], bytes],
        seconds: float,
    ) -> None:
        self.certificates = certificates
        self.made = made
        self.refusal = refusal
        self.seconds = seconds
        self.most = MOST
        self.under_way: dict[_Handshake, None] = {}
        self._silent_until = 0.0
        self.closed = False

    def __call__(self) -> asyncio.Protocol:
        return _Handshake(self)

    def failed(self, error: OSError) -> None:
        """Log why, now and then: no hostile client fills the log."""
        now = time.monotonic()
        level = logging.INFO if now >= self._silent_until else logging.DEBUG
        if level == logging.INFO:
            self._silent_until = now + SILENT_SECONDS
        logger.log(level, "A TLS handshake failed: %s", str(error) or "the client has left.")

    def close(self) -> None:
        """Cut off all that are under way, and what still comes."""
        self.closed = True
        for each in list(self.under_way):
            each.abort()


class _Handshake(asyncio.Protocol):
    """A connection until it is encrypted."""

    def __init__(self, all_of_them: Handshakes) -> None:
        self._all = all_of_them
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asked by type: uvloop's are none of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        handshakes = self._all
        if handshakes.closed:
            self._transport.abort()
            return
        if len(handshakes.under_way) >= handshakes.most:
            next(iter(handshakes.under_way)).abort()
        handshakes.under_way[self] = None
        self._timer = self._loop.call_later(handshakes.seconds, self.abort)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._over()

    def _over(self) -> None:
        self._all.under_way.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self._over()

    def data_received(self, data: bytes) -> None:
        if self._refused or self._transport is None:
            # What still comes is read, so that the refusal is not taken back by a reset.
            return
        if data[0] != _HANDSHAKE:
            self._refused = True
            self._transport.write(self._all.refusal())
            with suppress(OSError):
                self._transport.write_eof()
            return
        # Till the layer of TLS reads itself.
        self._transport.pause_reading()
        self._task = self._loop.create_task(self._encrypt(self._transport, data))

    async def _encrypt(self, transport: asyncio.Transport, first: bytes) -> None:
        early = _Early()
        # What a client does not take stays above, where it is seen, and holds up who writes more.
        transport.set_write_buffer_limits(high=0)
        encrypting = self._loop.create_task(
            self._loop.start_tls(
                transport,
                early,
                self._all.certificates.material.context,
                server_side=True,
                ssl_handshake_timeout=self._all.seconds,
                ssl_shutdown_timeout=_SHUTDOWN_SECONDS,
            )
        )
        # By then the layer of TLS is in place, though it has read nothing yet.
        await asyncio.sleep(0)
        self._loop.call_soon(_feed, transport, first)
        try:
            encrypted = await encrypting
        except OSError as error:
            self._all.failed(error)
            return
        finally:
            self._over()
        # uvloop gives one that is dead where the handshake was cut off.
        if encrypted is not None and not transport.is_closing():
            early.hand_over(encrypted, self._all.made(transport))


def _feed(transport: asyncio.Transport, data: bytes) -> None:
    """Have the layer of TLS read what came before it was there."""
    layer = cast("asyncio.BufferedProtocol", transport.get_protocol())
    while data and not transport.is_closing():
        buffer = memoryview(layer.get_buffer(len(data)))
        size = min(len(buffer), len(data))
        buffer[:size] = data[:size]
        layer.buffer_updated(size)
        data = data[size:]


class _Early(asyncio.Protocol):
    """Keeps what a client says right behind its handshake, for the protocol that is yet to come."""

    def __init__(self) -> None:
        self._data: list[bytes] = []
        self._lost = self._ended = False

    def data_received(self, data: bytes) -> None:
        self._data.append(data)

    def eof_received(self) -> None:
        self._ended = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True

    def hand_over(self, transport: asyncio.Transport, protocol: asyncio.Protocol) -> None:
        """Have ``protocol`` go on."""
        if self._lost:
            return
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        for data in self._data:
            protocol.data_received(data)
        if self._ended:
            protocol.eof_received()


def _escaped(value: str) -> str:
    # RFC 4514 §2.4: else one value could be read as several, whose owner is somebody else.
    escaped = _SPECIAL.sub(r"\\\g<0>", value).replace("\0", "\\00")
    if escaped.endswith(" ") and value != " ":
        escaped = escaped[:-1] + "\\ "
    return escaped


def certificate_of(transport: asyncio.BaseTransport) -> dict[str, Json] | None:
    """Whose certificate the client has shown, which was verified; None: it was not asked for one.

    ``subject`` as in ``CN=till 7,O=Acme``, ``names`` as in ``DNS:till-7.acme.example``, and the
    SHA-256 of the whole as ``fingerprint``.
    """
    told = transport.get_extra_info("peercert")
    encrypted = transport.get_extra_info("ssl_object")
    if not told or encrypted is None:
        return None
    # The most specific first, as RFC 4514 has it.
    subject = [
        "+".join(f"{_SHORT.get(name, name)}={_escaped(value)}" for name, value in part)
        for part in told["subject"]
    ]
    return {
        "subject": ",".join(reversed(subject)),
        "names": [f"{kind}:{value}" for kind, value in told.get("subjectAltName", ())],
        "fingerprint": hashlib.sha256(encrypted.getpeercert(binary_form=True)).hexdigest(),
    }
