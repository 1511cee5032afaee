"""A worker: `python examples/worker.py` beside a suite that runs, once worker.yaml is applied.

Then `podium run ship --input '{"order": {"id": 7, "items": 3}}' --wait 30` has it ship.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from podium_worker import Later, Task, TerminalError, run, worker


@worker("pack", slots=2)
def pack(task: Task) -> dict[str, Any]:
    """Packs item by item, in a thread, and says how far it is."""
    items = int(task.input["order"]["items"])
    if items < 1:
        raise TerminalError("There is nothing to pack.")
    for number in range(items):
        if task.cancelled:
            break
        time.sleep(0.05)
        task.progress((number + 1) / items)
        task.log(f"item {number + 1} is packed")
    return {"parcels": 1, "packedBy": "packer"}


@worker("fetch_by_carrier", slots=50)
async def fetch(task: Task) -> dict[str, Any]:
    """Waits for a carrier, in the loop; the first time none is there."""
    if task.given == 1:
        raise Later(0.2)
    await asyncio.sleep(0.05)
    return {"tracking": f"P-{task.input['order']}"}


if __name__ == "__main__":
    run(pack, fetch)
