"""Looks names up in threads of their own: whoever answers for a name may take long to.

The loop has few threads for it (uvloop four), and asyncio shares its own with all that is done
aside: some names that nobody answers for would hold up every other one.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_THREADS = 64
_LONGEST_SECONDS = 30.0

Found = tuple[socket.AddressFamily, int, str]
"""An address: its family, protocol and text."""


class Lookups:
    """As many at once as there are threads; the others wait, and are forgotten in the end."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="lookup")

    async def addresses(
        self, host: str, port: int, family: socket.AddressFamily
    ) -> Sequence[Found]:
        """All that the host has.

        Raises:
            OSError: It cannot be looked up, or takes longer than 30 s.
            UnicodeError: It cannot be a name.
        """
        loop = asyncio.get_running_loop()
        try:
            # aiohttp lets a lookup go on when nobody waits for it any more.
            async with asyncio.timeout(_LONGEST_SECONDS):
                return await loop.run_in_executor(self._threads, _found, host, port, family)
        except TimeoutError as error:
            raise socket.gaierror(
                socket.EAI_AGAIN, f"nobody answered within {_LONGEST_SECONDS:g} s"
            ) from error

    def close(self) -> None:
        """Begin no more; of those under way nobody hears."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _found(host: str, port: int, family: socket.AddressFamily) -> Sequence[Found]:
    found = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_ADDRCONFIG
    )
    return [(each[0], each[2], _address(each[4])) for each in found]


def _address(socket_address: tuple[Any, ...]) -> str:
    host = str(socket_address[0])
    # A link-local address means nothing without its interface.
    scoped = len(socket_address) == 4 and socket_address[3]
    return f"{host}%{socket_address[3]}" if scoped else host
