"""Conductor's own worker, unmodified: `python -m bench.conductor_worker API TYPE THREADS TOLD`.

It says ``ready``; then, for every TOLD tasks, how long after it was scheduled each began, as a list
of milliseconds in JSON, a line each. Its key is in CONDUCTOR_AUTH_KEY and CONDUCTOR_AUTH_SECRET.
"""

from __future__ import annotations

import json
import logging
import sys
import time

from conductor.client.automator.task_runner import TaskRunner
from conductor.client.configuration.configuration import Configuration
from conductor.client.http.models.task import Task
from conductor.client.http.models.task_result import TaskResult
from conductor.client.worker.worker import Worker


class Told:
    """What is told of tasks as they begin."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._late: list[float] = []

    def __call__(self, task: Task) -> TaskResult:
        """As little as a task can be."""
        self._late.append(time.time() * 1000 - task.scheduled_time)
        if len(self._late) >= self._most:
            late, self._late = self._late, []
            sys.stdout.write(json.dumps(late) + "\n")
            sys.stdout.flush()
        result = task.to_task_result("COMPLETED")
        result.output_data = {"n": 1}
        return result


def main(api: str, type_: str, threads: int, told: int) -> None:
    """Work until it is ended."""
    seen = Told(told)

    def done(task: Task) -> TaskResult:
        return seen(task)

    # By its annotations, and no text will do, the client tells whether a function takes the task.
    done.__annotations__ = {"task": Task, "return": TaskResult}
    configuration = Configuration(server_api_url=api)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    worker = Worker(type_, done, thread_count=threads)
    runner = TaskRunner(worker, configuration)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    runner.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
