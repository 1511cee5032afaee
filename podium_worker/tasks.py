"""What a worker is, and the task that its function is given."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from podium.worker.v1 import worker_pb2 as pb

Function = Callable[["Task"], Any]

_MOST_LINE_CHARS = 2_500
# Ten years: the executor waits no longer.
_LONGEST_SECONDS = 315_360_000.0


def sayable(text: str) -> str:
    """``text`` without U+0000 and lone surrogates, as file names have: no message holds them."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


class TaskFailed(Exception):
    """The task failed, and may be tried again by its task definition.

    Args:
        reason: Kept with the task.
        output: Merged into its output.
    """

    status = pb.RESULT_STATUS_FAILED

    def __init__(self, reason: str, output: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.output = output


class TerminalError(TaskFailed):
    """The task failed, and trying it again is of no use."""

    status = pb.RESULT_STATUS_FAILED_WITH_TERMINAL_ERROR


class TaskCanceled(TaskFailed):
    """The task is given up: its execution is terminated, unless the task is optional."""

    status = pb.RESULT_STATUS_CANCELED


class Later(Exception):
    """The task cannot be done yet: it goes back to its queue, for any worker, after so long.

    Raises:
        ValueError: ``seconds`` are negative, or no number.
    """

    def __init__(self, seconds: float, output: Mapping[str, Any] | None = None) -> None:
        if math.isnan(seconds) or seconds < 0:
            raise ValueError(f"seconds must be 0 or more, and are {seconds}")
        seconds = min(seconds, _LONGEST_SECONDS)
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds
        self.output = output


class Task:
    """A task that this worker has.

    Attributes:
        input: What it is to work on.
        output: What it gave before, where it was given back.
        attempt: Counts retries from 0.
        given: Counts from 1 how often this attempt was given to a worker.
        runtime_metadata: By name what the task definition's ``runtimeMetadata`` asks for.
        traceparent: W3C Trace Context of what the function calls, with ``tracestate``; empty: the
            execution belongs to no trace.
        cancelled: Nobody wants its result any more: a function in a thread should look, and
            return.
    """

    def __init__(self, message: pb.Task, say: Callable[[pb.TaskWord], None]) -> None:
        self.id = message.task_id
        self.execution_id = message.execution_id
        self.ref = message.ref
        self.type = message.task_type
        self.name = message.name
        self.domain = message.domain
        self.workflow = message.workflow_name
        self.correlation_id = message.correlation_id
        self.runtime_metadata: Mapping[str, str] = dict(message.runtime_metadata)
        self.traceparent = message.traceparent
        self.tracestate = message.tracestate
        self.attempt = message.attempt
        self.given = message.poll_count
        self.iteration = message.iteration
        self.response_seconds = message.response_timeout.ToTimedelta().total_seconds()
        self.input: dict[str, Any] = json.loads(message.input)
        self.output: dict[str, Any] = json.loads(message.output) if message.output else {}
        self.cancelled = False
        self._say = say

    def log(self, line: str) -> None:
        """Add a line to the task's log, which keeps a thousand, of 10 KB each. In any thread."""
        self._say(self._word(logs=[sayable(line[:_MOST_LINE_CHARS])]))

    def progress(self, number: float, **output: Any) -> None:
        """Say how far it is, in any measure, and what there is so far. In any thread.

        Raises:
            TypeError, ValueError: It is no JSON.
        """
        text = json.dumps({**output, "progress": number}, allow_nan=False)
        self._say(self._word(output=text))

    def extend(self) -> None:
        """Say that it goes on. It is done by itself, before the response time-out."""
        self._say(self._word())

    def _word(self, **fields: Any) -> pb.TaskWord:
        return pb.TaskWord(task_id=self.id, execution_id=self.execution_id, **fields)


@dataclass(frozen=True, slots=True)
class Worker:
    """A function that does the tasks of a type.

    Attributes:
        slots: How many it does at once.
        domain: That of its queue; empty: none.
    """

    type: str
    function: Function
    slots: int
    domain: str

    def __call__(self, task: Task) -> Any:
        """As the function itself, for tests of it."""
        return self.function(task)


def worker(type: str, *, slots: int = 10, domain: str = "") -> Callable[[Function], Worker]:
    """Makes a worker of a function.

    It is given a :class:`Task` and returns the task's output, an object or nothing. A coroutine
    function runs in the loop, any other one in a thread. What it raises fails the task.

    Args:
        type: The task type: the name of SIMPLE tasks, or a type of your own.
        slots: How many it does at once.
        domain: That of its queue.
    """

    def made(function: Function) -> Worker:
        return Worker(type, function, slots, domain)

    return made
