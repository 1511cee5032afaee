"""Users' scripts at the gateway: run in the script workers, their failures told to callers."""

from __future__ import annotations

import logging

from services.edge.problems import Problem, retry_after
from services.javascript import NoWorker, ScriptFailed, Scripts
from services.json_text import Json

logger = logging.getLogger(__name__)


async def run_script(
    scripts: Scripts, field: str, source: str, scope: str, *, exposed: bool
) -> Json:
    """What the script of a route's ``field`` gives for ``scope``, JSON text that it sees as ``$``.

    Args:
        exposed: Whether the caller may be told why it failed.

    Raises:
        Problem: 500 naming the field; 503 where no worker has time for it.
    """
    try:
        # Each script waits in its own line: one that takes long holds up no other for long.
        return await scripts.evaluate(source, scope, name=field, group=source)
    except NoWorker as error:
        logger.warning("A script of a route was not run: %s", error)
        raise Problem("overloaded", headers=(retry_after(),)) from None
    except ScriptFailed as error:
        logger.info("A script of a route failed: %s", error.detail)
        told = error.detail if exposed else f"The {field} of this route failed."
        raise Problem("script-failed", told) from None
