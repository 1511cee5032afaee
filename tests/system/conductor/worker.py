"""A process of Conductor's Python workers, as its users write them: `python conductor_worker.py`.

Each of them runs in a process of its own, which polls; where the server is, and the key, are in the
environment.
"""

import asyncio
import time

from conductor.client.automator.task_handler import TaskHandler
from conductor.client.configuration.configuration import Configuration
from conductor.client.context import TaskInProgress, get_task_context
from conductor.client.worker.exception import NonRetryableException
from conductor.client.worker.worker_task import worker_task


@worker_task(task_definition_name="py_greet", thread_count=10)
def greet(name: str) -> str:
    """Done in one of ten threads."""
    return f"Hello {name}"


@worker_task(task_definition_name="py_greet", domain="here")
def greet_here(name: str) -> str:
    """For those who ask for this domain."""
    return f"Here is {name}"


@worker_task(task_definition_name="py_fetch", thread_count=20, register_task_def=True)
async def fetch(seconds: float, name: str = "") -> dict[str, object]:
    """Done beside others in one loop."""
    await asyncio.sleep(seconds)
    return {"fetched": name}


@worker_task(task_definition_name="py_fussy", thread_count=4, lease_extend_enabled=True)
def fussy(how: str) -> object:
    """What does not end at once, or not well."""
    context = get_task_context()
    if how == "slow":  # longer than its response timeout
        time.sleep(7)
    elif how == "later" and context.get_poll_count() == 1:
        context.add_log("not yet")
        return TaskInProgress(callback_after_seconds=1, output={"so far": 1})
    elif how == "fails" and context.get_retry_count() == 0:
        raise RuntimeError("Not this time.")
    elif how == "never":
        raise NonRetryableException("Not ever.")
    return {"how": how, "polls": context.get_poll_count()}


def main() -> None:
    """Until this process is killed, and those of the workers with it."""
    with TaskHandler(configuration=Configuration()) as handler:
        handler.start_processes()
        handler.join_processes()


if __name__ == "__main__":
    main()
