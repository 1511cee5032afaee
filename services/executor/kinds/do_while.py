"""DO_WHILE: its tasks again and again, while a condition holds or for each item of a list."""

from __future__ import annotations

from services.executor.core import loops
from services.executor.core.kind import Finished, Kind, Next, Script, View, Waiting, unusable
from services.executor.core.model import Json, TaskStatus
from services.executor.kinds.called import called
from services.executor.kinds.comparisons import comparison
from services.executor.kinds.scripts import needed, used

MOST_ITERATIONS = 10_000

_NO_LIST = "items must be a list, and it is null: what it names is not there."


class DoWhile(Kind):
    """Runs at least once, unless it is over a list without items.

    After each round the condition is asked: the input, resolved anew, with the outputs of the
    loop and of its tasks by reference. ``true`` and numbers above 0 go on. Over a list it goes on
    while there are items, and, where it has a condition too, while that holds.
    """

    retried = False
    reopened = True
    fails_with_its_tasks = True

    def begin(self, view: View) -> Next:
        if (refusal := _refusal(view)) is not None:
            return unusable(refusal)
        items = _items(view)
        if items is None:
            # A round on no item would do something that nobody meant.
            listed = bool(view.step.document.get("items"))
            return unusable(_NO_LIST) if listed else _round(view, 1, None)
        if not isinstance(items, list):
            return unusable(f"items must be a list, not {called(items)}.")
        return _round(view, 1, items) if items else Finished(output={"iteration": 0})

    def joined(self, view: View) -> Next:
        source, items = _condition(view), _kept_items(view)
        if items is not None and (view.task.round >= len(items) or not source):
            return _go_on(view, view.task.round < len(items))
        if not source:
            return _go_on(view, False)
        scope = _scope(view, source)
        # What only compares is read as data, without a script's way to its process and back.
        compared = comparison(source)
        holds = None if compared is None else compared.holds(scope)
        if holds is not None:
            return _go_on(view, holds)
        return Waiting(compute=Script(f"loopCondition {view.task.round}", source, scope))

    def computed(self, view: View, label: str, value: Json, error: str | None) -> Next:
        if error is not None:
            condition = _condition(view)
            return unusable(
                f"Unable to evaluate condition {condition}, exception {error}", _result(view)
            )
        return _go_on(view, _is_truthy(value))

    def rewound(self, view: View, number: int) -> Json:
        return _output_of_round(number, _kept_items(view))

    def timed_out(self, view: View, reason: str) -> Finished:
        return Finished(TaskStatus.TIMED_OUT, output=_result(view), reason=reason)


def _is_truthy(value: Json) -> bool:
    if isinstance(value, bool):
        return value
    return isinstance(value, int | float) and value > 0


def _go_on(view: View, goes_on: bool) -> Next:
    if not goes_on:
        return Finished(output=_result(view))
    following = view.task.round + 1
    most = _whole(view, "maxIterations", MOST_ITERATIONS)
    if following > most:
        return unusable(f"It would go on after {most} iterations (maxIterations).", _result(view))
    return _round(view, following, _kept_items(view))


def _round(view: View, number: int, items: list[Json] | None) -> Waiting:
    output = _output_of_round(number, items)
    begins = items is not None and number == 1
    memory = {**view.task.memory, "items": items} if begins else None
    kept = _whole(view, "keepLastN", 0)
    forget = number - kept if kept and number > kept else 0
    return Waiting(output=output, memory=memory, enter=("loopOver",), round=number, forget=forget)


def _output_of_round(number: int, items: list[Json] | None) -> dict[str, Json]:
    output: dict[str, Json] = {"iteration": number}
    if items is not None:
        output |= {"loopIndex": number - 1, "loopItem": items[number - 1]}
    return output


def _result(view: View) -> dict[str, Json]:
    return loops.output(view.task, view.step_at, view.latest)


def _scope(view: View, source: str) -> dict[str, Json]:
    """What the condition sees: only what it names is put together."""
    use = used(source)
    values = view.input_now
    for ref in view.step.body:
        if use is None or ref in use:
            task = view.latest(f"{ref}{view.task.suffix}__{view.task.round}")
            values = {**values, ref: (task.output if task is not None else None) or {}}
    own = view.step.ref
    if use is None or own in use:
        small = use is not None and bool(use[own]) and use[own].keys() <= frozenset(loops.OWN)
        values = {**values, own: view.task.output if small else _result(view)}
    return needed(source, values)


def _refusal(view: View) -> str | None:
    for name in ("keepLastN", "maxIterations"):
        value = _setting(view, name)
        if value is not None and (isinstance(value, bool) or not _is_positive(value)):
            return f"{name} must be a whole number above 0, not {value!r}."
    return None


def _is_positive(value: Json) -> bool:
    return isinstance(value, int) and value > 0


def _whole(view: View, name: str, default: int) -> int:
    value = _setting(view, name)
    return value if isinstance(value, int) else default


def _setting(view: View, name: str) -> Json:
    value = view.input.get(name)
    return value if value is not None else view.step.document.get(name)


def _condition(view: View) -> str:
    source = view.step.document.get("loopCondition")
    return source if isinstance(source, str) else ""


def _items(view: View) -> Json:
    """The list that it goes over; None: it goes over none."""
    items = view.step.document.get("items")
    return view.resolve(items) if items else view.input.get("_items")


def _kept_items(view: View) -> list[Json] | None:
    items = view.task.memory.get("items")
    return items if isinstance(items, list) else None
