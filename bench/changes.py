"""What happens to executions, at a pace: `python -m bench.changes HOME A_SECOND SECONDS COUNT`.

Executions that wait are paused and resumed in turn, so that each of them changes as rows of a list
do, at little cost to the executor. It says ``waiting`` once they wait, begins when it is told to by
a line, and says at its end how many changes it made.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from podium.executor.v1 import executor_pb2 as pb
from tui.clients import Clients, connected
from tui.suite import find

SIDE_BY_SIDE = 50
TIMES_A_SECOND = 20
WORKFLOW = {
    "name": "waiting",
    "version": 1,
    "tasks": [
        {
            "name": "hold",
            "taskReferenceName": "hold",
            "type": "WAIT",
            "inputParameters": {"duration": "1 hour"},
        }
    ],
}


async def waiting(clients: Clients, count: int) -> list[str]:
    """Start executions that wait; their ids."""
    request = pb.StartExecutionRequest(start=pb.Start(workflow_name=str(WORKFLOW["name"])))
    ids: list[str] = []
    while len(ids) < count:
        answers = await asyncio.gather(
            *(
                clients.executor.StartExecution(request, timeout=10)
                for _ in range(min(SIDE_BY_SIDE, count - len(ids)))
            )
        )
        ids.extend(answer.execution_id for answer in answers)
    return ids


async def change(clients: Clients, ids: list[str], a_second: int, seconds: float) -> int:
    """Pause and resume ``ids``, round and round, ``a_second`` of them; how many it were."""
    loop = asyncio.get_running_loop()
    part = max(1, a_second // TIMES_A_SECOND)
    begin, done = loop.time(), 0
    while (now := loop.time()) < begin + seconds:
        at = done % len(ids)
        pausing = done // len(ids) % 2 == 0
        chosen = ids[at : at + part]
        await _operate(clients, pb.OPERATION_PAUSE if pausing else pb.OPERATION_RESUME, chosen)
        done += len(chosen)
        await asyncio.sleep(max(0.0, begin + done / a_second - now))
    return done


async def _operate(clients: Clients, operation: pb.Operation.ValueType, ids: list[str]) -> None:
    request = pb.OperateExecutionsRequest(operation=operation, execution_ids=ids)
    async for response in clients.executor.OperateExecutions(request, timeout=30):
        for result in response.results:
            if result.outcome != pb.OPERATION_OUTCOME_DONE:
                raise RuntimeError(f"not done: {result.detail}")


async def main(home: Path, a_second: int, seconds: float, count: int) -> None:
    """Change; tells on standard output."""
    async with connected(find(home, {})) as clients:
        ids = await waiting(clients, count)
        sys.stdout.write("waiting\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        sys.stdout.write(f"{await change(clients, ids, a_second, seconds)}\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
