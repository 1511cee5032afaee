"""Whether a failed attempt is followed by another one, when, and as what to the remote."""

from __future__ import annotations

from datetime import timedelta

from services.executor.core.copies import changed
from services.executor.core.deciding import Deciding
from services.executor.core.identity import attempt_id, fraction
from services.executor.core.inputs import GIVEN
from services.executor.core.model import Json, Task, TaskStatus
from services.executor.core.spawning import BECOME
from services.executor.core.workflow import Step


def allowed(deciding: Deciding, task: Task, step: Step) -> bool:
    """Whether the policy lets another attempt follow ``task``, which has failed."""
    kind = deciding.kinds.get(task.kind)
    return (
        task.status.retriable
        and task.attempt < step.policy.retries
        and kind is not None
        and kind.retried
        and not task.memory.get("exhausted")
    )


def delays(task: Task, step: Step) -> tuple[timedelta, timedelta]:
    """How long the next attempt waits, and the part of it that is shown, without jitter."""
    policy = step.policy
    shown = policy.delay_after(task.attempt)
    delay = shown + policy.jitter * fraction(task.id, "jitter")
    asked = task.memory.get("retryAfterSeconds")
    if isinstance(asked, int | float):
        delay = max(delay, timedelta(seconds=asked))
    return delay, shown


def following(deciding: Deciding, task: Task, *, same_call: bool) -> Task:
    """The attempt after ``task``.

    Args:
        same_call: What it sends is, to the remote, a repetition of what ``task`` sent.
    """
    attempt = task.attempt + 1
    execution = deciding.execution
    return changed(
        task,
        id=attempt_id(execution.id, execution.restarts, task.ref, attempt),
        attempt=attempt,
        generation=task.generation + (not same_call),
        sequence=deciding.next_sequence,
        status=TaskStatus.SCHEDULED,
        scheduled_at=deciding.now,
        updated_at=deciding.now,
        started_at=None,
        ended_at=None,
        output=None,
        reason="",
        poll_count=0,
        pending=0,
        performs=0,
        computing="",
        memory=_words(task),
        open=0,
        round=0,
        retried_id=task.id,
        worker_id="",
        timers=(),
        held=False,
        queue="",
    )


def _words(task: Task) -> dict[str, Json]:
    """What somebody outside said that ended earlier attempts: a repeat of it is no news.

    Only what tells a repeat: each attempt holds those of all before it.
    """
    earlier = task.memory.get("earlier")
    words: dict[str, Json] = dict(earlier) if isinstance(earlier, dict) else {}
    word = task.memory.get("word")
    if isinstance(word, dict):
        words[task.id] = {name: word[name] for name in ("status", "digest")}
    kept = {name: task.memory[name] for name in (BECOME, GIVEN) if name in task.memory}
    return {**kept, "earlier": words} if words else kept
