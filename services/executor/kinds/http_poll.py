"""HTTP_POLL: the same request again and again, until a condition holds."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.executor.core.http import HttpAnswer, HttpFailure, HttpOutcome
from services.executor.core.kind import Finished, Kind, Next, Script, View, Waiting, unusable
from services.executor.core.model import Json, TaskStatus
from services.executor.kinds import calls
from services.executor.kinds.comparisons import comparison
from services.executor.kinds.polling import (
    Polling,
    Verdict,
    constant,
    poll_of,
    recorded,
    verdict_of,
)
from services.executor.kinds.scripts import picked, used

_DURATION = "duration"
_TOLERATED_STATUSES = frozenset((408, 425, 429))
_SAID_SO = "The termination condition said -1."


class HttpPoll(Kind):
    """Polls at once, then after every wait; a wait is a timer, so it outlives the process.

    Its memory: ``polls``, the last of them (:func:`polling.recorded`), and ``errors``, how many
    in a row failed and were tolerated.
    """

    def begin(self, view: View) -> Next:
        try:
            duration = Polling.of(view.input).duration
            timers = ((_DURATION, view.now + duration),) if duration else ()
            return _poll(view, timers)
        except calls.Unusable as error:
            return unusable(str(error))

    def interrupted(self, view: View) -> Next:
        return calls.interrupted(view) or _poll(view)

    def fired(self, view: View, timer: str) -> Next:
        if timer != _DURATION:
            return _poll(view)
        limit = Polling.of(view.input).duration or timedelta()
        return Finished(
            TaskStatus.TIMED_OUT,
            reason=(
                f"Still not done after {limit.total_seconds():g} seconds (maxDuration) and "
                f"{_polls(view)}."
            ),
            unknown=view.in_first_call,
        )

    def performed(self, view: View, outcome: object) -> Next:
        if isinstance(outcome, HttpFailure):
            if outcome.put_off is not None:
                return _put_off(view, outcome, outcome.put_off)
            return _erred(view, outcome, outcome.reason, tolerable=outcome.transient)
        if not isinstance(outcome, HttpAnswer):
            raise TypeError(f"an HTTP call ends with {HttpOutcome}, not {type(outcome)}")
        if _is_judged(view, outcome.status):
            return _judging(view, outcome)
        reason = f"The server answered {outcome.status} {outcome.reason_phrase}".rstrip() + "."
        tolerable = outcome.status in _TOLERATED_STATUSES or outcome.status >= 500
        return _erred(view, outcome, reason, tolerable=tolerable)

    def computed(self, view: View, label: str, value: Json, error: str | None) -> Next:
        poll = view.task.memory.get("poll")
        poll = poll if isinstance(poll, dict) else {}
        if error is not None:
            return _failed(view, poll, f"The termination condition failed: {error}")
        verdict = verdict_of(value)
        if verdict is None:
            reason = (
                f"The termination condition returned {calls.shown(value)}; it must be true, false, "
                "1, 0 or -1."
            )
            return _failed(view, poll, reason)
        return _judged(view, Polling.of(view.input), poll, verdict, view.task.output)


def _poll(view: View, timers: tuple[tuple[str, datetime], ...] = ()) -> Waiting:
    asked = calls.request(view, method="GET", poll=view.task.poll_count + 1)
    return calls.calling(view, asked, timers)


def _is_judged(view: View, status: int) -> bool:
    """Whether an answer goes to the condition: a 2xx, or what ``acceptedStatusCodes`` names."""
    codes = calls.named_codes(view)
    return 200 <= status < 300 or (codes is not None and calls.is_named(codes, status))


def _judging(view: View, answer: HttpAnswer) -> Next:
    polling = Polling.of(view.input)
    condition = polling.condition
    output, poll = calls.output(answer), poll_of(view, answer)
    verdict = constant(condition)
    if verdict is not None:
        return _judged(view, polling, poll, verdict, output)
    scope = _condition_scope(view, condition, output)
    compared = comparison(condition)
    holds = None if compared is None else compared.holds(scope)
    if holds is not None:
        verdict = Verdict.COMPLETED if holds else Verdict.AGAIN
        return _judged(view, polling, poll, verdict, output)
    script = Script(f"condition {poll['number']}", condition, scope)
    return Waiting(output=output, memory={**view.task.memory, "poll": poll}, compute=script)


def _condition_scope(view: View, condition: str, output: Json) -> dict[str, Json]:
    """``$`` of the condition: what it uses, or else everything."""
    use = used(condition)
    own: dict[str, Json] = {"output": output, "input": view.task.input}
    if use is None:
        everything = view.scope.everything()
        return {**everything, **own} if isinstance(everything, dict) else own
    return picked({**view.scope.chosen(use.keys() - own.keys()), **own}, use)


def _judged(
    view: View, polling: Polling, poll: dict[str, Json], verdict: Verdict, output: Json
) -> Next:
    if verdict is Verdict.FAILED:
        return _failed(view, poll, _SAID_SO, output)
    if verdict is Verdict.AGAIN:
        return _again(view, polling, poll, verdict, output, errors=0)
    memory = _memory(view, poll, verdict)
    return Finished(output=output, memory=memory, poll_count=view.task.poll_count + 1)


def _erred(view: View, outcome: HttpAnswer | HttpFailure, reason: str, *, tolerable: bool) -> Next:
    """A poll without a judgeable answer: tolerated, or the end of the attempt."""
    poll = poll_of(view, outcome)
    output: Json
    kept: Json
    if isinstance(outcome, HttpAnswer):
        output = kept = calls.output(outcome)
    else:
        output, kept = calls.failure_output(outcome), view.task.output
    before = view.task.memory.get("errors")
    errors = (before if isinstance(before, int) else 0) + 1
    polling = Polling.of(view.input)
    most = polling.tolerated
    if tolerable and errors <= most:
        return _again(view, polling, poll, Verdict.TOLERATED, kept, errors=errors, reason=reason)
    if tolerable and most:
        reason = f"{reason} It was the poll number {errors} in a row that failed."
    unknown = isinstance(outcome, HttpFailure) and outcome.unknown and view.task.poll_count == 0
    return _failed(view, poll, reason, output, unknown=unknown)


def _put_off(view: View, outcome: HttpFailure, wait: timedelta) -> Next:
    """A poll that was not sent, since the circuit breaker of its host is open.

    It is no poll: it counts neither against ``maxPollCount`` nor as an error, and comes later under
    its own number and key; until then the record has it.
    """
    due = view.now + max(wait, Polling.of(view.input).wait(max(view.task.poll_count, 1)))
    poll = poll_of(view, outcome)
    memory = {key: value for key, value in view.task.memory.items() if key != "poll"}
    memory["polls"] = recorded(view, poll, Verdict.PUT_OFF, due, outcome.reason)
    timers = ((f"poll {poll['number']}", due),)
    return Waiting(memory=memory, timers=timers, next_at=due)


def _failed(
    view: View, poll: dict[str, Json], reason: str, output: Json = None, *, unknown: bool = False
) -> Finished:
    return Finished(
        TaskStatus.FAILED,
        output=view.task.output if output is None else output,
        reason=reason,
        memory=_memory(view, poll, Verdict.FAILED, reason=reason),
        poll_count=view.task.poll_count + 1,
        unknown=unknown,
    )


def _again(
    view: View,
    polling: Polling,
    poll: dict[str, Json],
    verdict: Verdict,
    output: Json,
    *,
    errors: int,
    reason: str = "",
) -> Next:
    polls = view.task.poll_count + 1
    if polls >= polling.most_polls:
        memory = _memory(view, poll, verdict, reason=reason, errors=errors)
        ended = f"Still not done after {polls} polls (maxPollCount)."
        return Finished(TaskStatus.TIMED_OUT, output, ended, memory, polls)
    due = polling.next_at(poll, polls, view.now)
    memory = _memory(view, poll, verdict, next_at=due, reason=reason, errors=errors)
    # Named by its number: a timer that fires twice is one poll.
    timers = ((f"poll {polls + 1}", due),)
    return Waiting(output, memory, polls, timers=timers, next_at=due)


def _memory(
    view: View,
    poll: dict[str, Json],
    verdict: Verdict,
    *,
    next_at: datetime | None = None,
    reason: str = "",
    errors: int = 0,
) -> dict[str, Json]:
    memory = {key: value for key, value in view.task.memory.items() if key != "poll"}
    memory["polls"] = recorded(view, poll, verdict, next_at, reason)
    memory["errors"] = errors
    return memory


def _polls(view: View) -> str:
    count = view.task.poll_count
    return "1 poll" if count == 1 else f"{count} polls"
