"""Clients that mean no good: `python -m bench.hostile URL KEY SECONDS` is all of them at once.

Bounded in number and time; each says what it saw at its end.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

IDLE = 5_000
SLOW = 200
# What each of the busy ones sends, in requests a second.
BUSY = 20
GUESSES = 100
READ_SECONDS = 15.0


@dataclass(slots=True)
class Attack:
    """One target, and what came of it.

    Attributes:
        path: Of a route that takes a POST with an API key.
        seen: Statuses by the attacker's name; 0 is a connection that was closed without any.
    """

    host: str
    port: int
    path: str
    key: str
    until: float
    seen: dict[str, Counter[int]] = field(default_factory=dict)

    def saw(self, name: str, status: int) -> None:
        self.seen.setdefault(name, Counter())[status] += 1

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.host, self.port, limit=1 << 20)

    def head(self, *lines: str) -> bytes:
        """A request's head; ``lines`` come after its host, key and type."""
        own = (
            f"POST {self.path} HTTP/1.1",
            f"Host: {self.host}",
            f"X-API-Key: {self.key}",
            "Content-Type: application/json",
        )
        return ("\r\n".join((*own, *lines)) + "\r\n\r\n").encode()


async def status_of(reader: asyncio.StreamReader) -> int:
    """The status of the answer; 0: the connection was closed without one."""
    try:
        async with asyncio.timeout(READ_SECONDS):
            line = await reader.readline()
    except (TimeoutError, OSError):
        return 0
    return int(line.split()[1]) if line.startswith(b"HTTP/1.1 ") else 0


async def once(attack: Attack, name: str, sent: bytes) -> None:
    """Send it on a connection of its own, and take note of the answer."""
    try:
        reader, writer = await attack.open()
    except OSError:
        attack.saw(name, 0)
        return
    try:
        writer.write(sent)
        with suppress(OSError):
            await writer.drain()
        attack.saw(name, await status_of(reader))
    finally:
        writer.close()


def with_body(attack: Attack, body: bytes) -> bytes:
    """A whole request."""
    return attack.head(f"Content-Length: {len(body)}") + body


def deep_json(attack: Attack) -> bytes:
    """100,000 levels of lists."""
    return with_body(attack, b"[" * 100_000 + b"]" * 100_000)


def wide_json(attack: Attack) -> bytes:
    """An integer of 100,000 digits."""
    return with_body(attack, b'{"n": ' + b"9" * 100_000 + b"}")


def header_bomb(attack: Attack) -> bytes:
    """Headers beyond every limit."""
    return attack.head(*(f"X-Bomb-{number}: {'b' * 1000}" for number in range(200)))


def guessed_key(attack: Attack) -> bytes:
    """A key that nobody has."""
    guess = f"wrong-{time.monotonic_ns()}"
    return attack.head("Content-Length: 2").replace(attack.key.encode(), guess.encode()) + b"{}"


async def busy(attack: Attack, name: str, make: Callable[[Attack], bytes], rate: float) -> None:
    """The same again and again, ``rate`` times a second."""
    async with asyncio.TaskGroup() as tasks:
        while time.monotonic() < attack.until:
            tasks.create_task(once(attack, name, make(attack)))
            await asyncio.sleep(1 / rate)


async def slow(attack: Attack, name: str, head: bytes) -> None:
    """Connections that send ``head`` and then a byte a second; each cut off, another comes."""

    async def one() -> None:
        while time.monotonic() < attack.until:
            await dribble()

    async def dribble() -> None:
        reader, writer = await attack.open()
        answer = asyncio.create_task(status_of(reader))
        try:
            writer.write(head)
            while time.monotonic() < attack.until and not answer.done():
                await asyncio.sleep(1)
                writer.write(b"x")
                await writer.drain()
        except OSError:
            # Cut off: as it should be.
            pass
        finally:
            attack.saw(name, await answer)
            writer.close()

    await asyncio.gather(*(one() for _ in range(SLOW)))


async def endless(attack: Attack) -> None:
    """A body of chunks that does not end."""
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    reader, writer = await attack.open()
    answer = asyncio.create_task(status_of(reader))
    try:
        writer.write(attack.head("Transfer-Encoding: chunked"))
        while time.monotonic() < attack.until and not answer.done():
            writer.write(chunk)
            await writer.drain()
    except OSError:
        # Cut off: as it should be.
        pass
    finally:
        attack.saw("endless body", await answer)
        writer.close()


async def idle(attack: Attack, count: int) -> None:
    """Connections on which nothing is asked."""
    writers = []
    for _ in range(count):
        try:
            _, writer = await attack.open()
        except OSError:
            attack.saw("idle", 0)
            continue
        writers.append(writer)
    await asyncio.sleep(max(0.0, attack.until - time.monotonic()))
    for writer in writers:
        writer.close()


async def all_at_once(attack: Attack, idle_connections: int = IDLE) -> None:
    """Every attacker, side by side, until the attack's end."""
    attackers: list[Awaitable[None]] = [
        idle(attack, idle_connections),
        slow(attack, "slow headers", attack.head()[:-2] + b"X-Slow: "),
        slow(attack, "slow body", attack.head("Content-Length: 1000")),
        endless(attack),
        busy(attack, "deep JSON", deep_json, BUSY),
        busy(attack, "long number", wide_json, BUSY),
        busy(attack, "header bomb", header_bomb, BUSY),
        busy(attack, "guessed key", guessed_key, GUESSES),
    ]
    await asyncio.gather(*attackers)


def attack_on(url: str, path: str, key: str, seconds: float) -> Attack:
    """An attack that ends after ``seconds``."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return Attack(parts.hostname, parts.port, path, key, time.monotonic() + seconds)


def main(url: str, path: str, key: str, seconds: str) -> None:
    """Attack, then print what was seen as JSON."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    attack = attack_on(url, path, key, float(seconds))
    asyncio.run(all_at_once(attack))
    sys.stdout.write(json.dumps(attack.seen) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
