"""Why a service cannot be spoken to: in words, where gRPC only says that a socket was closed."""

from __future__ import annotations

import asyncio
import ssl

from services.tls.checking import client_material
from services.tls.files import ClientFiles

LIMIT_SECONDS = 2.0
# A server that will not have a client says so right behind the handshake.
_REFUSAL_SECONDS = 0.3


async def why_not(address: str, tls: ClientFiles | None) -> str:
    """What is wrong between this caller and ``address`` (``host:port``); empty: nothing is seen.

    Args:
        tls: What the caller calls with; None: plain text.

    Raises:
        BadCertificates: It cannot call at all.
    """
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            return await (_with(address, tls) if tls else _without(address))
    except (OSError, TimeoutError, ValueError):
        return ""


async def _without(address: str) -> str:
    """Whether TLS is spoken where plain text was tried."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        writer = (await _opened(address, context, ""))[1]
    except ssl.SSLError:
        return ""
    writer.close()
    return "it speaks TLS, and was spoken to in plain text (PODIUM_TLS_CA_FILE)"


async def _with(address: str, tls: ClientFiles) -> str:
    context = client_material(tls).context
    try:
        reader, writer = await _opened(address, context, tls.server_name)
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is not to be trusted: {error.verify_message.rstrip('.')}"
    except ssl.SSLError as error:
        if error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"):
            return "it speaks no TLS, and was spoken to in TLS"
        return f"TLS with it failed: {(error.reason or str(error)).lower().replace('_', ' ')}"
    except (ConnectionResetError, ConnectionAbortedError):
        return "it ended the TLS handshake"
    try:
        return await _refusal(reader, tls)
    finally:
        writer.close()


async def _refusal(reader: asyncio.StreamReader, tls: ClientFiles) -> str:
    try:
        async with asyncio.timeout(_REFUSAL_SECONDS):
            if await reader.read(1):
                return ""
    except TimeoutError:
        return ""
    except OSError:
        pass
    if tls.pair is None:
        return "it asks for a certificate, and there is none (PODIUM_TLS_CLIENT_CERT_FILE)"
    return f"it refuses the certificate that it is shown: {tls.pair.certificate.path}"


async def _opened(
    address: str, context: ssl.SSLContext, server_name: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    # gRPC speaks to nobody who does not.
    context.set_alpn_protocols(["h2"])
    return await asyncio.open_connection(
        host, int(port), ssl=context, server_hostname=server_name or host
    )
