"""The first copy of the definitions: what a service on a new home waits for before it is ready."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from services.replica.copy import Replica

# A registry that starts beside the service has told it all by then; another may be away for long.
FIRST_COPY = timedelta(seconds=5)


async def first_copy(replica: Replica, stopping: asyncio.Event) -> None:
    """Until there is one, or none comes, or nobody wants it any more.

    Whoever hears that a new suite is ready expects its definitions to be served, and its tokens
    to be known: without a copy, no key is here to verify them by.
    """
    if replica.revision:
        return
    async with asyncio.TaskGroup() as tasks:
        waits = (
            tasks.create_task(replica.reached(1, FIRST_COPY)),
            tasks.create_task(stopping.wait()),
        )
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
