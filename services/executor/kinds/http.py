"""HTTP: one request; with ``asyncComplete`` the task stays open until somebody ends it."""

from __future__ import annotations

from datetime import timedelta

from services.executor.core.events import TaskUpdated
from services.executor.core.http import HttpAnswer, HttpFailure, HttpOutcome
from services.executor.core.kind import Finished, Kind, Next, View, Waiting, unusable
from services.executor.core.model import Json, TaskStatus
from services.executor.core.policy import TimeoutPolicy, bounded
from services.executor.core.sizes import checked
from services.executor.kinds import calls

CALLBACK_TIMEOUT_SECONDS = 86_400
_CALLBACK = "callback"
_ASKS_TO_WAIT = (429, 503)


class Http(Kind):
    """Ends by its answer, or, after a good one, by a word from outside."""

    def begin(self, view: View) -> Next:
        try:
            return calls.calling(view, calls.request(view))
        except calls.Unusable as error:
            return unusable(str(error))

    def performed(self, view: View, outcome: object) -> Next:
        match outcome:
            case HttpAnswer() if calls.is_accepted(view, outcome.status):
                return self._accepted(view, outcome)
            case HttpAnswer():
                return _refused(view, outcome)
            case HttpFailure():
                return _failed(view, outcome)
        raise TypeError(f"an HTTP call ends with {HttpOutcome}, not {type(outcome)}")

    def _accepted(self, view: View, answer: HttpAnswer) -> Next:
        output = calls.output(answer)
        if not calls.is_async(view):
            return Finished(output=output)
        # What came before the answer goes over it.
        early = view.task.output
        if isinstance(early, dict):
            output = {**output, **early}
            checked(output)
        if (ended := _early_end(view, output)) is not None:
            return ended
        policy = view.step.policy
        if policy.timeout and policy.timeout_policy is not TimeoutPolicy.ALERT_ONLY:
            return Waiting(output=output)
        due = view.now + _callback_timeout(view)
        return Waiting(output=output, timers=((_CALLBACK, due),))

    def interrupted(self, view: View) -> Next:
        return _early_end(view, view.task.output) or calls.interrupted(view) or self.begin(view)

    def timed_out(self, view: View, reason: str) -> Finished:
        return _early_end(view, view.task.output) or super().timed_out(view, reason)

    def updated(self, view: View, update: TaskUpdated) -> Next:
        if view.task.pending and calls.is_async(view):
            # Before the answer: the task's memory has it until then.
            return Waiting(goes_on=True)
        return Finished(update.status, reason=update.reason)

    def fired(self, view: View, timer: str) -> Next:
        seconds = int(_callback_timeout(view).total_seconds())
        return Finished(
            TaskStatus.TIMED_OUT,
            reason=f"Nobody completed the task within {seconds} seconds (callbackTimeoutSeconds).",
        )


def _early_end(view: View, output: Json) -> Finished | None:
    """The end that somebody called for before the answer was here."""
    word = view.task.memory.get("word")
    if not isinstance(word, dict):
        return None
    return Finished(TaskStatus(str(word["status"])), output=output, reason=str(word["reason"]))


def _refused(view: View, answer: HttpAnswer) -> Finished:
    phrase = f" {answer.reason_phrase}" if answer.reason_phrase else ""
    waits = answer.status in _ASKS_TO_WAIT
    return Finished(
        TaskStatus.FAILED,
        output=calls.output(answer),
        reason=f"The server answered {answer.status}{phrase}.",
        memory=_without_word(view),
        retry_after=calls.retry_after(answer, view.now) if waits else None,
    )


def _failed(view: View, failure: HttpFailure) -> Finished:
    # Whoever called back was reached, whatever became of the answer.
    if failure.unknown and (ended := _early_end(view, view.task.output)) is not None:
        return ended
    return Finished(
        TaskStatus.FAILED,
        output=calls.failure_output(failure),
        reason=failure.reason,
        memory=_without_word(view),
        unknown=failure.unknown,
        retry_after=failure.put_off,
    )


def _without_word(view: View) -> dict[str, Json]:
    """The memory without a word that came too early: the call that it was about has failed."""
    return {name: value for name, value in view.task.memory.items() if name != "word"}


def _callback_timeout(view: View) -> timedelta:
    value = calls.setting(view, "callbackTimeoutSeconds")
    try:
        seconds = calls.number({"callbackTimeoutSeconds": value}, "callbackTimeoutSeconds")
    except calls.Unusable:
        seconds = None
    return bounded(seconds or CALLBACK_TIMEOUT_SECONDS)
