"""The rows of a timeline: its tree laid out, and what each row says at a moment."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from podium.executor.v1 import executor_pb2 as pb
from tui.views.attempts import Attempt, PollMark
from tui.views.durations import compact
from tui.views.gantt import Span
from tui.views.hands import by_worker, told_of_hand
from tui.views.statuses import Look, look_of_task
from tui.views.timetree import Node
from tui.views.visible import in_one_line

_POLL_LOOKS = {
    "COMPLETED": look_of_task("COMPLETED"),
    "AGAIN": Look("○", "AGAIN", "muted", "o"),
    "TOLERATED": Look("!", "TOLERATED", "warning", "!"),
    "PUT_OFF": Look("!", "PUT OFF", "warning", "!"),
    "FAILED": look_of_task("FAILED"),
}
_NOT_REACHED = Look(" ", "", "muted", " ")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a node, the guides before its label, and whether what is below it is folded.

    Attributes:
        above: The key of the row that it hangs from; empty at the top.
        hidden: How many rows are folded away below it.
    """

    node: Node
    guide: str
    above: str
    folded: bool = False
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What a row says at one moment.

    Attributes:
        at: When it began, epoch milliseconds.
        queued: Milliseconds that it waited; None: it did not, or that is not known.
        ran: Milliseconds that it ran; None: it did not.
        note: Why, or what comes next; one line.
        moving: Whether the row is another one a second later.
    """

    look: Look
    spans: tuple[Span, ...]
    at: int | None
    queued: int | None
    ran: int | None
    note: str
    moving: bool


def rows_of(tree: Sequence[Node], folded: Collection[str]) -> list[Row]:
    """The rows of ``tree``, without those below a node whose key is in ``folded``."""
    rows: list[Row] = []
    for node in tree:
        _lay(rows, node, "", "", "", folded)
    return rows


def _lay(
    rows: list[Row], node: Node, guide: str, below: str, above: str, folded: Collection[str]
) -> None:
    if node.runs and node.key in folded:
        rows.append(Row(node, guide, above, folded=True, hidden=_count(node)))
        return
    rows.append(Row(node, guide, above))
    last = len(node.runs) - 1
    for index, run in enumerate(node.runs):
        for each, (here, further) in zip(run, _guides(len(run), index == last), strict=True):
            _lay(rows, each, below + here, below + further, node.key, folded)


def _guides(length: int, final: bool) -> Iterator[tuple[str, str]]:
    """For each node of a run, the guide at its own row and that of what is below it."""
    if length == 1:
        yield ("└ ", "  ") if final else ("├ ", "│ ")
        return
    side = " " if final else "│"
    yield ("└┬ " if final else "├┬ "), side + "│ "
    for _ in range(length - 2):
        yield side + "├ ", side + "│ "
    yield side + "└ ", side + "  "


def _count(node: Node) -> int:
    return sum(1 + _count(below) for run in node.runs for below in run)


def facts_of(
    row: Row,
    attempts: Mapping[str, Attempt],
    polls: Mapping[str, Sequence[PollMark]],
    now: int,
) -> Facts:
    """What ``row`` says at ``now``, epoch milliseconds; an attempt that is gone says nothing."""
    node = row.node
    shown = [attempts[each] for each in node.attempts if each in attempts]
    if not shown:
        return Facts(_NOT_REACHED, (), None, None, None, "", moving=False)
    if node.sort == "poll":
        return _of_poll(node, shown[-1], polls, now)
    if node.sort == "iteration":
        return _of_iteration(shown, now)
    return _of_task(shown, now)


def _of_task(shown: list[Attempt], now: int) -> Facts:
    last = shown[-1]
    spans = tuple(span for each in shown if (span := _span(each, now)))
    queued, ran = _lengths(spans)
    look, note = look_of_task(last.status), _note(last, now)
    return Facts(look, spans, last.scheduled, queued, ran, note, moving=not last.final)


def _of_iteration(shown: list[Attempt], now: int) -> Facts:
    spans = [span for each in shown if (span := _span(each, now))]
    start = min((span.started for span in spans if span.started is not None), default=None)
    queued = min((span.queued for span in spans if span.queued is not None), default=None)
    end = max((span.ended for span in spans), default=0)
    whole = (Span(queued, start, end),) if spans else ()
    waited, ran = _lengths(whole)
    look = look_of_task(_together(shown))
    return Facts(look, whole, queued, waited, ran, "", any(not each.final for each in shown))


def _together(shown: list[Attempt]) -> int:
    """One status for several: what is open counts first, then what failed."""
    latest = {each.ref: each for each in shown}.values()
    for status in (
        pb.TASK_STATUS_IN_PROGRESS,
        pb.TASK_STATUS_SCHEDULED,
        pb.TASK_STATUS_FAILED_WITH_TERMINAL_ERROR,
        pb.TASK_STATUS_FAILED,
        pb.TASK_STATUS_TIMED_OUT,
        pb.TASK_STATUS_CANCELED,
    ):
        if any(each.status == status for each in latest):
            return status
    return shown[-1].status


def _of_poll(
    node: Node, attempt: Attempt, polls: Mapping[str, Sequence[PollMark]], now: int
) -> Facts:
    known = polls.get(attempt.id, ())
    poll = next((each for each in known if each.number == node.poll), None)
    if poll is None:
        return Facts(_NOT_REACHED, (), None, None, None, "", moving=False)
    look = _POLL_LOOKS.get(poll.verdict) or Look("?", poll.verdict or "UNKNOWN", "muted", "?")
    waits = poll is known[-1] and not attempt.final and poll.next_at is not None
    parts = [f"progress {poll.progress:g}"] if poll.progress is not None else []
    parts += [in_one_line(poll.reason)] if poll.reason else []
    parts += [_due(poll.next_at, now)] if waits and poll.next_at is not None else []
    span = Span(None, poll.at, poll.at + poll.took)
    return Facts(look, (span,), poll.at, None, poll.took, " · ".join(parts), waits)


def _span(attempt: Attempt, now: int) -> Span | None:
    begin = attempt.scheduled if attempt.scheduled is not None else attempt.started
    if begin is None:
        return None
    ended = attempt.ended
    if ended is None:
        ended = max(now, attempt.started or begin)
    return Span(attempt.scheduled, attempt.started, max(ended, begin))


def _lengths(spans: Sequence[Span]) -> tuple[int | None, int | None]:
    """Milliseconds queued and run, all together."""
    queued = [
        (span.ended if span.started is None else span.started) - span.queued
        for span in spans
        if span.queued is not None
    ]
    ran = [span.ended - span.started for span in spans if span.started is not None]
    return (max(0, sum(queued)) if queued else None, max(0, sum(ran)) if ran else None)


def _note(attempt: Attempt, now: int) -> str:
    parts = _of_hand(attempt, now)
    if attempt.progress is not None:
        parts.append(f"progress {attempt.progress:g}")
    if attempt.polls and not by_worker(attempt.kind):
        parts.append("1 poll" if attempt.polls == 1 else f"{attempt.polls} polls")
    if attempt.reason:
        parts.append(in_one_line(attempt.reason))
    if attempt.next_at is not None and not attempt.final:
        parts.append(_due(attempt.next_at, now))
    return " · ".join(parts)


def _of_hand(attempt: Attempt, now: int) -> list[str]:
    """Who has it and until when; what has ended without a worker never had one."""
    waits = attempt.status == pb.TASK_STATUS_SCHEDULED
    if (attempt.final and not attempt.worker) or (waits and attempt.next_at is not None):
        return []
    worker = "" if waits else attempt.worker
    parts = told_of_hand(attempt.kind, worker, attempt.polls, attempt.hand)
    until = attempt.hand.lease_until
    if until is not None and attempt.status == pb.TASK_STATUS_IN_PROGRESS:
        parts.append(f"lease ends in {compact(until - now)}" if until > now else "lease is over")
    return parts


def _due(moment: int, now: int) -> str:
    return f"next in {compact(moment - now)}" if moment > now else "due now"
