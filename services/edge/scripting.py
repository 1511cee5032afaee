"""Users' scripts at the gateway: run in the script workers, their failures told to callers."""

from __future__ import annotations

import logging

from services.edge.problems import Problem, retry_after
from services.javascript import NoWorker, ScriptFailed, Scripts
from services.json_text import Json

logger = logging.getLogger(__name__)

MOST_WAITING = 1000
MOST_WAITING_CHARS = 64 << 20


class RouteScripts:
    """Runs the scripts of routes; not for more of them at once than memory holds.

    Args:
        scripts: Their workers.
        most: Waiting or running.
        most_chars: Of what those see.
    """

    def __init__(
        self, scripts: Scripts, most: int = MOST_WAITING, most_chars: int = MOST_WAITING_CHARS
    ) -> None:
        self.scripts = scripts
        self._most = most
        self._most_chars = most_chars
        self._waiting = 0
        self._chars = 0

    async def run(self, field: str, source: str, scope: str, *, exposed: bool) -> Json:
        """What the script of a route's ``field`` gives for ``scope``, JSON text: its ``$``.

        Args:
            exposed: Whether the caller may be told why it failed.

        Raises:
            Problem: 500 naming the field; 503 where no worker has time for it.
        """
        if self._waiting >= self._most or self._chars > self._most_chars:
            raise Problem("overloaded", headers=(retry_after(),))
        self._waiting += 1
        self._chars += len(scope)
        try:
            # Each script waits in its own line: one that takes long holds up no other for long.
            return await self.scripts.evaluate(source, scope, name=field, group=source)
        except NoWorker as error:
            logger.warning("A script of a route was not run: %s", error)
            raise Problem("overloaded", headers=(retry_after(),)) from None
        except ScriptFailed as error:
            raise failed(field, error.detail if exposed else "", error.plain) from None
        finally:
            self._waiting -= 1
            self._chars -= len(scope)


def failed(field: str, detail: str, why: str) -> Problem:
    """A script failed: ``detail`` where the caller may know why, ``why`` without any values."""
    told = detail or f"The {field} of this route failed."
    return Problem("script-failed", told, inside=(("", why),))
