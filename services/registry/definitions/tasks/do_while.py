"""DO_WHILE: tasks that run again and again."""

from __future__ import annotations

from services.registry.definitions.model import Document
from services.registry.definitions.reading import Place
from services.registry.definitions.records import Field, Record, Unknown
from services.registry.definitions.tasks.kind import TASKS, TaskKind
from services.registry.definitions.values import Anything, Code, ListOf, OrExpression, whole

MOST_ITERATIONS = 10_000

_KEPT = Field("keepLastN", whole(1), "Only so many rounds are kept; absent: all.")
_MOST = Field(
    "maxIterations",
    whole(1, 1_000_000),
    "It fails when it would go on after so many rounds.",
    default=MOST_ITERATIONS,
)
_FIELDS = (_KEPT, _MOST)


def _check(task: Document, at: Place) -> None:
    condition, inputs = task.get("loopCondition"), task.get("inputParameters")
    listed = bool(task.get("items")) or (isinstance(inputs, dict) and "_items" in inputs)
    if isinstance(condition, str) and condition:
        (at / "loopCondition").script(condition)
    elif not listed:
        (at / "loopCondition").fault("is required, unless there are items to go over")


KIND = TaskKind(
    name="DO_WHILE",
    doc=(
        "Runs `loopOver`, and again as long as `loopCondition` is true or above 0. The condition "
        "sees the input, resolved anew, and by reference the outputs of the loop and of its tasks "
        "(`$.loop.iteration < 3`). With `items` (or the input `_items`) it goes over a list: "
        "`${loop.output.loopItem}` and `${loop.output.loopIndex}`, from 0, are the item's; an "
        "empty list runs nothing; with a condition as well, both must hold. The tasks of a round "
        'are named `ref__1`, `ref__2` and so on. The output is `{iteration, "1": {ref: '
        "output}, …}`. A task of it that fails for good fails the loop, and with it the workflow, "
        "unless the loop is optional or permissive."
    ),
    inputs=Record(
        "the input",
        (*_FIELDS, Field("_items", OrExpression(ListOf(Anything())), "The list to go over.")),
        unknown=Unknown.GUESS,
        templated=True,
    ),
    fields=(
        Field("loopCondition", Code(), "JavaScript; `$` is what the condition sees."),
        Field("loopOver", TASKS, "What runs in each round.", required=True),
        Field("items", OrExpression(ListOf(Anything())), "The list to go over, `${…}`."),
        *_FIELDS,
    ),
    check=_check,
)
