"""Tasks at work: each in the loop or in a thread, its lease kept, its result kept until taken."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import grpc

from podium.worker.v1 import worker_pb2 as pb
from podium_worker.tasks import Later, Task, TaskFailed, Worker, sayable
from podium_worker.threads import Threads

logger = logging.getLogger("podium_worker")

# Of the response time-out, Conductor's clients say at such a part of it that they go on.
LEASE_PART = 0.8
MOST_OUTPUT_CHARS = 20 << 20
_MOST_REASON_CHARS = 4_000
_MOST_LINE_CHARS = 2_500
_MOST_THREADS = 256
_INVALID = grpc.StatusCode.INVALID_ARGUMENT.value[0]


class Jobs:
    """What this process has of tasks.

    Args:
        changed: Called in the loop when there is something to say.
    """

    def __init__(self, workers: Sequence[Worker], changed: Callable[[], None]) -> None:
        self._workers = {(each.domain, each.type): each for each in workers}
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        in_threads = sum(each.slots for each in workers if not _is_async(each))
        self._threads = Threads(min(in_threads, _MOST_THREADS))
        # Done once no thread is waited for any more.
        self._given_up: asyncio.Future[None] = self._loop.create_future()
        self._running: dict[str, tuple[Task, asyncio.Task[pb.TaskResult]]] = {}
        # When each says next that it goes on.
        self._leases: dict[str, float] = {}
        self.results: dict[str, pb.TaskResult] = {}
        # What is still to be said.
        self.to_send: dict[str, pb.TaskResult] = {}
        self.words: list[pb.TaskWord] = []
        self.let_go: list[str] = []

    def __len__(self) -> int:
        """How many run, or have a result that was not taken yet."""
        return len(self._running) + len(self.results)

    @property
    def held(self) -> list[str]:
        return [*self._running, *self.results]

    def at_work(self, worker: Worker) -> list[str]:
        """The tasks that run in slots of ``worker``."""
        return [
            id
            for id, (task, _) in self._running.items()
            if (task.domain, task.type) == (worker.domain, worker.type)
        ]

    def begin(self, message: pb.Task) -> None:
        """A task is ours."""
        known = message.task_id in self._running or message.task_id in self.results
        worker = self._workers.get((message.domain, message.task_type))
        if known or worker is None:
            return
        task = Task(message, self._say)
        running = self._loop.create_task(self._outcome(worker, task))
        # Not in the coroutine: one that is cancelled before it begins never runs.
        running.add_done_callback(partial(self._done, task))
        self._running[task.id] = task, running
        if task.response_seconds:
            self._leases[task.id] = self._loop.time() + LEASE_PART * task.response_seconds

    def end(self, task_id: str) -> None:
        """A task is not ours any more."""
        self.results.pop(task_id, None)
        self.to_send.pop(task_id, None)
        known = self._running.get(task_id)
        if known is None:
            self.let_go.append(task_id)
            self._changed()
            return
        task, running = known
        task.cancelled = True
        running.cancel()

    def answered(self, answer: pb.Answer) -> None:
        """A result was taken, or refused; or a word was refused."""
        known = None if answer.word else self.results.pop(answer.task_id, None)
        if answer.code and (answer.word or known is not None):
            logger.warning("Task %s: %s", answer.task_id, answer.detail)
        if answer.code == _INVALID and known is not None and (known.output or known.logs):
            # The executor goes on waiting for one that it can take.
            refused = _failed(known, f"The executor refused the result: {answer.detail}")
            self.results[known.task_id] = self.to_send[known.task_id] = refused
            self._changed()

    def try_again(self, task_id: str) -> None:
        """A result could not be taken just now."""
        known = self.results.get(task_id)
        if known is not None:
            self.to_send[task_id] = known
            self._changed()

    def come_again(self) -> None:
        """A new stream: what was not taken is said again."""
        self.to_send = dict(self.results)
        self.let_go.clear()

    def keep_leases(self) -> None:
        """Say of those that have been silent for long that they go on."""
        now = self._loop.time()
        for task_id, at in list(self._leases.items()):
            if at <= now and task_id in self._running:
                task = self._running[task_id][0]
                self._leases[task_id] = now + LEASE_PART * task.response_seconds
                task.extend()

    def give_up(self) -> None:
        """Let go of all that still runs, in a thread or not."""
        if not self._given_up.done():
            self._given_up.set_result(None)
        for task, running in list(self._running.values()):
            task.cancelled = True
            running.cancel()

    def close(self) -> None:
        """Wait for no thread."""
        self._threads.close()

    def _say(self, word: pb.TaskWord) -> None:
        # Threads call it, too.
        self._loop.call_soon_threadsafe(self._said, word)

    def _said(self, word: pb.TaskWord) -> None:
        if word.task_id in self._running:
            self.words.append(word)
            self._changed()

    def _done(self, task: Task, running: asyncio.Task[pb.TaskResult]) -> None:
        self._running.pop(task.id, None)
        self._leases.pop(task.id, None)
        if running.cancelled() or task.cancelled:
            self.let_go.append(task.id)
        else:
            self.results[task.id] = self.to_send[task.id] = running.result()
        self._changed()

    async def _outcome(self, worker: Worker, task: Task) -> pb.TaskResult:
        try:
            return await self._result(worker, task)
        except asyncio.CancelledError as error:
            if task.cancelled:
                raise
            # Of something that the function itself has cancelled.
            return _broken(task, error)
        except (Exception, SystemExit) as error:  # noqa: BLE001
            # The outermost loop of a task: whatever its function does, the others go on.
            return _broken(task, error)

    async def _result(self, worker: Worker, task: Task) -> pb.TaskResult:
        try:
            if _is_async(worker):
                output = await worker.function(task)
            else:
                output = await self._in_thread(worker, task)
            return _result(task, pb.RESULT_STATUS_COMPLETED, output)
        except TaskFailed as failed:
            return _result(task, failed.status, failed.output, str(failed.reason))
        except Later as later:
            result = _result(task, pb.RESULT_STATUS_IN_PROGRESS, later.output)
            result.callback_after.FromMilliseconds(int(later.seconds * 1000))
            return result

    async def _in_thread(self, worker: Worker, task: Task) -> Any:
        future = self._threads.call(worker.function, task)
        try:
            output, error = await asyncio.shield(future)
        except asyncio.CancelledError:
            # A thread is not stopped from outside: its room is free when it has returned.
            waited = (future, self._given_up)
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            raise
        if error is not None:
            raise error
        return output


def _is_async(worker: Worker) -> bool:
    return inspect.iscoroutinefunction(worker.function)


def _broken(task: Task, error: BaseException) -> pb.TaskResult:
    logger.error("Task %s of %s broke.", task.id, task.type, exc_info=error)
    reason = type(error).__name__
    # What it says of itself may be broken, too.
    with suppress(Exception):
        reason = f"{reason}: {error}"
    result = _result(task, pb.RESULT_STATUS_FAILED, None, reason)
    lines = "".join(traceback.format_exception(error))
    result.logs.append(sayable(lines[-_MOST_LINE_CHARS:]))
    return result


def _failed(known: pb.TaskResult, reason: str) -> pb.TaskResult:
    """In place of a result that cannot be taken."""
    return pb.TaskResult(
        task_id=known.task_id,
        execution_id=known.execution_id,
        status=pb.RESULT_STATUS_FAILED_WITH_TERMINAL_ERROR,
        reason=sayable(reason[:_MOST_REASON_CHARS]),
    )


def _result(
    task: Task, status: Any, output: Mapping[str, Any] | None, reason: str = ""
) -> pb.TaskResult:
    result = pb.TaskResult(
        task_id=task.id,
        execution_id=task.execution_id,
        status=status,
        reason=sayable(reason[:_MOST_REASON_CHARS]),
    )
    try:
        text = "" if output is None else json.dumps(output, allow_nan=False)
        fault = "" if output is None or isinstance(output, dict) else "is no object"
    except (TypeError, ValueError, RecursionError) as error:
        text, fault = "", f"is no JSON: {error}"
    if len(text) > MOST_OUTPUT_CHARS:
        fault = f"has {len(text) >> 20} MiB, and {MOST_OUTPUT_CHARS >> 20} are allowed"
    if fault:
        return _failed(result, f"{reason} What the worker returned {fault}.".lstrip())
    result.output = text
    return result
