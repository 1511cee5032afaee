"""``python -m services.executor``: the executor as a process."""

from __future__ import annotations

import asyncio
import os
import sys

from services.process import die_with_parent, loading, run, stand_by


async def main(stopping: asyncio.Event) -> None:
    """Serve by the settings of the environment; returns once drained."""
    with loading():
        from services.executor.serving import serve

    await serve(stopping, os.environ)


if __name__ == "__main__":
    # Before its code is loaded: a parent that dies meanwhile would be missed for seconds.
    die_with_parent()
    stand_by("services.executor.serving")
    sys.exit(run(main))
