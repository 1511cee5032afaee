"""FORK_JOIN_DYNAMIC: branches that are made of the task's input."""

from __future__ import annotations

from services.registry.definitions.model import Document
from services.registry.definitions.reading import Place, shown
from services.registry.definitions.records import Field, Record, Unknown
from services.registry.definitions.tasks.kind import TaskKind
from services.registry.definitions.values import Anything, ListOf, Name, Text

_FORMS = ("dynamicForkTasksParam", "dynamicForkTasksInputParamName")
_OLD_FORM = "dynamicForkJoinTasksParam"


def _check(task: Document, at: Place) -> None:
    inputs = task.get("inputParameters")
    given = inputs if isinstance(inputs, dict) else {}
    if "forkTaskInputs" in given:
        if not (given.get("forkTaskName") or given.get("forkTaskWorkflow") or _has_type(given)):
            (at / "inputParameters").fault("must have forkTaskName or forkTaskWorkflow")
        return
    names = (_OLD_FORM,) if task.get(_OLD_FORM) else _FORMS
    for name in names:
        key = task.get(name)
        if not isinstance(key, str) or not key:
            (at / name).fault("is required, unless the input has forkTaskInputs")
        elif key not in given:
            hint = at.guess(key, given)
            (at / name).fault(f"{shown(key)} is not in inputParameters{hint}")


def _has_type(given: Document) -> bool:
    return given.get("forkTaskType") not in (None, "", "SIMPLE")


KIND = TaskKind(
    name="FORK_JOIN_DYNAMIC",
    doc=(
        "Begins a branch for each item of a list; the task behind it is a JOIN, which waits for "
        "all of them. The input has the list in one of three forms. `forkTaskInputs` with "
        "`forkTaskName` (and `forkTaskType`) or `forkTaskWorkflow`: the same for each item; what "
        "is no object is given as `{input}`, with its place as `__index`; the tasks are named "
        "`_name_0`, `_name_1` and so on. `dynamicForkTasksParam` names the key of a list of tasks, "
        "as in a definition, and `dynamicForkTasksInputParamName` that of a map of their inputs, "
        "by reference. `dynamicForkJoinTasksParam` names the key of both in one, `{dynamicTasks: "
        "[{taskName, referenceName, type, workflowName, input}]}`. At most 100,000 branches, "
        "unless PODIUM_EXECUTOR_BRANCHES says otherwise. What a branch is given is data: nothing "
        "in it is resolved, and its tasks, what they become (DYNAMIC) and the workflows that stand "
        "in them name no secrets and no environment."
    ),
    inputs=Record(
        "the input",
        (
            Field("forkTaskInputs", ListOf(Anything()), "The input of each branch."),
            Field("forkTaskName", Name(), "The task that runs in each."),
            Field("forkTaskType", Text(), "Its type.", default="SIMPLE"),
            Field("forkTaskWorkflow", Name(), "The workflow that runs in each."),
            Field("forkTaskWorkflowVersion", Text(), "Its version; absent: the latest."),
        ),
        unknown=Unknown.GUESS,
        templated=True,
    ),
    fields=(
        Field("dynamicForkTasksParam", Text(), "The key of the input that has the tasks."),
        Field("dynamicForkTasksInputParamName", Text(), "The key that has their inputs."),
        Field(_OLD_FORM, Text(), "The key that has both."),
    ),
    check=_check,
)
