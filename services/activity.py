"""A line of JSON on stderr for each thing that was done: a request answered, a task ended.

Apart from the log of what goes wrong (:mod:`services.logs`): there are as many lines as there is
traffic. A thread writes them, so that a reader who is slow holds up nobody; lines that wait for him
are bounded, and those that find no room are counted and told.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

MOST_WAITING = 10_000
_AT_ONCE = 500
_LAST_SECONDS = 2.0

Fields = Mapping[str, object]


class Activity:
    """Writes the lines of one service.

    Args:
        out: Where to; its writer ends when that is gone.

    Attributes:
        dropped: How many lines found no room, since the last one that tells of it.
    """

    def __init__(self, service: str, out: TextIO, most_waiting: int = MOST_WAITING) -> None:
        self._service = service
        self._out = out
        self._waiting: queue.Queue[tuple[float, str, Fields] | None] = queue.Queue(most_waiting)
        self.dropped = 0
        self._thread = threading.Thread(target=self._write, name="activity", daemon=True)
        self._thread.start()

    def tell(self, at: float, event: str, fields: Fields) -> None:
        """Have a line written.

        Args:
            at: When it was, in seconds since 1970.
            event: ``request``, ``task`` or ``execution``.
            fields: Those that are empty are left out.
        """
        try:
            self._waiting.put_nowait((at, event, fields))
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what waits, for as long as the end may take."""
        try:
            self._waiting.put(None, timeout=_LAST_SECONDS)
        except queue.Full:
            return
        self._thread.join(_LAST_SECONDS)

    def _write(self) -> None:
        going_on = True
        while going_on:
            found = [self._waiting.get(), *self._rest()]
            lines = [self._line(*each) for each in found if each is not None]
            going_on = self._written(lines) and None not in found

    def _rest(self) -> Iterator[tuple[float, str, Fields] | None]:
        for _ in range(_AT_ONCE):
            try:
                yield self._waiting.get_nowait()
            except queue.Empty:
                return

    def _written(self, lines: list[str]) -> bool:
        """Whether there is somebody to write to."""
        if self.dropped:
            dropped, self.dropped = self.dropped, 0
            now = datetime.now(UTC).timestamp()
            lines.append(self._line(now, "dropped", {"lines": dropped}))
        try:
            self._out.write("".join(lines))
            self._out.flush()
        except (OSError, ValueError):
            return False
        return True

    def _line(self, at: float, event: str, fields: Fields) -> str:
        time = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
        shown = {name: value for name, value in fields.items() if value not in ("", None)}
        known = {"time": time[:-6] + "Z", "level": "info", "service": self._service}
        return json.dumps({**known, "event": event, **shown}, default=str) + "\n"


@contextmanager
def kept(service: str, wanted: bool) -> Generator[Activity | None]:
    """The lines of ``service`` on stderr, within the block; None where nobody wants them."""
    if not wanted:
        yield None
        return
    activity = Activity(service, sys.stderr)
    try:
        yield activity
    finally:
        activity.close()
