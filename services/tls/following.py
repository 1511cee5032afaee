"""Certificates that are read again when their files change, while the process goes on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from services.tls.checking import Material
from services.tls.files import BadCertificates, File

LOOK_SECONDS = 2.0
# Told once a day from then on.
_SHORT = timedelta(days=7)
_DAY = timedelta(days=1)

logger = logging.getLogger(__name__)


class Followed:
    """What is in files, as it was when it was last good.

    Args:
        files: Are looked at: by what tells that they changed, not by what is in them.
        read: Reads and checks them. Raises :class:`BadCertificates`.

    Attributes:
        material: The last that was good.
        number: Of it; grows.

    Raises:
        BadCertificates: They are bad from the start.
    """

    def __init__(self, files: Sequence[File], read: Callable[[], Material]) -> None:
        self._files = files
        self._read = read
        self._marks = self._seen()
        self._bad: tuple[tuple[int, ...], ...] | None = None
        self._told = ""
        self._warned = datetime.min.replace(tzinfo=UTC)
        self._listeners: list[Callable[[], None]] = []
        self.material = read()
        self.number = 0
        self._warn_of_end()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called after each change, in the thread that looks."""
        self._listeners.append(listener)

    def look(self) -> bool:
        """Read the files again if they have changed: whether :attr:`material` has.

        They are written one after the other: what does not fit together is an error only when it
        is still so at the next look. Bad ones are read at each look, for what ails them may pass
        without a change: whom they may be read by, or when they begin.
        """
        self._warn_of_end()
        marks = self._seen()
        if marks == self._marks:
            self._bad, self._told = None, ""
            return False
        try:
            material = self._read()
        except BadCertificates as error:
            if marks == self._bad and str(error) != self._told:
                self._told = str(error)
                logger.error("%s The certificates of before stay in use.", error)
            self._bad = marks
            return False
        self._marks, self._bad, self._told = marks, None, ""
        self.material = material
        self.number += 1
        logger.info("%s was read again.", self._files[0])
        for listener in self._listeners:
            listener()
        return True

    def _seen(self) -> tuple[tuple[int, ...], ...]:
        return tuple(file.mark() for file in self._files)

    def _warn_of_end(self) -> None:
        now, ends_at = datetime.now(UTC), self.material.ends_at
        if ends_at is None or ends_at - now > _SHORT or now - self._warned < _DAY:
            return
        self._warned = now
        said = "expired on" if ends_at < now else "expires on"
        logger.warning("%s %s %s UTC: renew it.", self._files[0], said, f"{ends_at:%Y-%m-%d %H:%M}")


async def looked_at(followed: Followed) -> bool:
    """As :meth:`Followed.look`, in a thread, for a file system may hang; it never fails."""
    try:
        return await asyncio.to_thread(followed.look)
    except Exception:
        # The outermost loop: there may be no room for a thread just now.
        logger.exception("Certificates could not be looked at; it is tried again.")
        return False


@asynccontextmanager
async def looking(followed: Followed) -> AsyncGenerator[None]:
    """Within, the files are looked at every :data:`LOOK_SECONDS`."""

    async def look() -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await looked_at(followed)

    task = asyncio.create_task(look(), name="look at certificates")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
