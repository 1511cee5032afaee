"""Channels to a suite, in plain text or with its certificates."""

from __future__ import annotations

from collections.abc import Callable

import grpc

from services.rpc import channel
from services.tls.files import BadCertificates, ClientFiles
from tui.suite import HomeUnusable


def dialled(
    address: str, token: Callable[[], str] | None, tls: ClientFiles | None
) -> grpc.aio.Channel:
    """As :func:`services.rpc.channel`.

    Raises:
        HomeUnusable: The certificates are bad.
    """
    try:
        return channel(address, token, tls=tls)
    except BadCertificates as error:
        raise HomeUnusable(str(error)) from error
