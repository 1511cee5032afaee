"""`python -m services.edge`: serve the edge until told to stop."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from services.process import die_with_parent, report_ready, run, stand_by

if TYPE_CHECKING:
    from services.replica import Replica

# A registry that starts beside this edge has told it all by then; another may be away for long.
FIRST_COPY = timedelta(seconds=2)


async def main(stopping: asyncio.Event) -> None:
    """Serve by the settings of the environment; returns once drained."""
    from services import logs, settings
    from services.edge.serving import serving
    from services.edge.settings import Settings

    told = settings.read(Settings, os.environ)
    logs.configure(told.log_level, "edge")
    async with serving(told) as edge:
        if not edge.replica.revision:
            # Whoever hears that a new suite is ready expects its definitions to be served.
            await _first_copy(edge.replica, stopping)
        if not stopping.is_set():
            report_ready(edge.addresses)
        await stopping.wait()


async def _first_copy(replica: Replica, stopping: asyncio.Event) -> None:
    """Until it is there, or does not come, or nobody wants it any more."""
    async with asyncio.TaskGroup() as tasks:
        waits = (
            tasks.create_task(replica.reached(1, FIRST_COPY)),
            tasks.create_task(stopping.wait()),
        )
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()


if __name__ == "__main__":
    die_with_parent()
    stand_by("services.edge.serving", "services.edge.settings")
    sys.exit(run(main))
