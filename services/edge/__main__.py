"""`python -m services.edge`: serve the edge until told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import TYPE_CHECKING

from services.process import die_with_parent, loading, report_ready, run, stand_by

if TYPE_CHECKING:
    from services.replica import Replica

logger = logging.getLogger("services.edge")


async def main(stopping: asyncio.Event) -> None:
    """Serve by the settings of the environment; returns once drained."""
    with loading():
        from services import logs, settings
        from services.edge.serving import serving
        from services.edge.settings import Settings
        from services.replica import first_copy

    told = settings.read(Settings, os.environ)
    ring = logs.configure(told.log_level, "edge")
    async with serving(told, ring) as edge:
        await first_copy(edge.replica, stopping)
        if not stopping.is_set():
            _warn(told.anonymous_application, edge.replica)
            report_ready(edge.addresses)
        await stopping.wait()


def _warn(anonymous: str, replica: Replica) -> None:
    if anonymous and replica.application(anonymous) is None:
        logger.warning(
            "There is no application %r yet, whose rights requests without a token are to have "
            "(PODIUM_ANONYMOUS_APPLICATION): they are refused until `podium apply` has put it.",
            anonymous,
        )


if __name__ == "__main__":
    die_with_parent()
    stand_by("services.edge.serving", "services.edge.settings")
    sys.exit(run(main))
