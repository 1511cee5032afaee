"""Workers in Python: functions that do the tasks of a type, and a loop that has them done.

from podium_worker import Task, run, worker

@worker("charge")
async def charge(task: Task) -> dict[str, object]:
return {"receipt": await pay(task.input["order"])}

if __name__ == "__main__":
run(charge)
"""

from podium_worker.running import run, work
from podium_worker.tasks import Later, Task, TaskCanceled, TaskFailed, TerminalError, Worker, worker

__all__ = [
    "Later",
    "Task",
    "TaskCanceled",
    "TaskFailed",
    "TerminalError",
    "Worker",
    "run",
    "work",
    "worker",
]
