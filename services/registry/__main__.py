"""`python -m services.registry`: serve the registry until told to stop."""

from __future__ import annotations

import asyncio
import os
import sys

from services.process import die_with_parent, loading, report_ready, run


async def main(stopping: asyncio.Event) -> None:
    """Serve by the settings of the environment; returns once drained."""
    with loading():
        from services import logs, settings
        from services.registry.serving import serving
        from services.registry.settings import RegistrySettings

    told = settings.read(RegistrySettings, os.environ)
    ring = logs.configure(told.log_level, "registry")
    async with serving(told, ring) as address:
        report_ready({"registry": address})
        await stopping.wait()


if __name__ == "__main__":
    die_with_parent()
    sys.exit(run(main))
