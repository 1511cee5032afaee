"""Which ``${…}`` a workflow that is being written may name at the cursor."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from tui.views.json_source import Container, Spot, containers
from tui.views.task_words import CALLING, OF_A_TASK, OF_THE_EXECUTION, OUTPUTS

_NAMED = re.compile(r"\$\{workflow\.(input|variables|secrets)\.([A-Za-z_][\w-]*)(?=[}.\[])")
_PLAIN = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)


def expressions(
    text: str, spot: Spot, *, secrets: Sequence[str] = (), inputs: Sequence[str] = ()
) -> dict[str, str]:
    """By what stands between the braces: what it is.

    Tasks are those that begin before the cursor, in the workflow's output all of them; secrets are
    named in what asks for the outside only.
    """
    at_end = spot.path[:1] == ("outputParameters",)
    known = containers(text) if at_end else spot.containers
    own = _task_around(spot.holder)
    found: dict[str, str] = {}
    for name in dict.fromkeys((*inputs, *_inputs(known), *_named(text, "input"))):
        found[f"workflow.input.{name}"] = "input of the workflow"
    for ref, kind in _tasks(known, own):
        members = (*OUTPUTS.get(kind, ()), *OF_A_TASK)
        found |= {f"{ref}.{member}": f"of the {kind or 'task'} {ref}" for member in members}
    for name in dict.fromkeys((*_variables(known), *_named(text, "variables"))):
        found[f"workflow.variables.{name}"] = "variable"
    kind = own.scalars.get("type", "") if own else ""
    if kind in CALLING:
        for name in dict.fromkeys((*secrets, *_named(text, "secrets"))):
            found[f"workflow.secrets.{name}"] = "secret"
    if kind == "HTTP":
        found["task.callbackUrl"] = "where whoever is asked may end the task"
    return found | {f"workflow.{each}": "of the execution" for each in OF_THE_EXECUTION}


def _task_around(holder: Container | None) -> Container | None:
    """The task that the cursor is in."""
    while holder is not None:
        if "taskReferenceName" in holder.scalars or "type" in holder.scalars:
            return holder
        holder = holder.outer
    return None


def _tasks(known: Sequence[Container], own: Container | None) -> Iterator[tuple[str, str]]:
    """Reference and type of each task but the cursor's, the nearest first."""
    for each in reversed(known):
        ref = each.scalars.get("taskReferenceName")
        if ref and each is not own:
            yield ref, each.scalars.get("type", "")


def _inputs(known: Sequence[Container]) -> Iterator[str]:
    """Names of the workflow's input, as it lists or fills them."""
    for each in known:
        if each.path() == ("inputParameters",) and not each.is_object:
            yield from _plainly(each.scalars.values())
        elif each.path() == ("inputTemplate",):
            yield from _plainly(each.keys)


def _variables(known: Sequence[Container]) -> Iterator[str]:
    """Variables that the workflow begins with or a task sets."""
    for each in known:
        outer = each.outer
        sets = outer is not None and outer.scalars.get("type") == "SET_VARIABLE"
        if each.path() == ("variables",) or (each.step == "inputParameters" and sets):
            yield from _plainly(each.keys)


def _named(text: str, root: str) -> Iterator[str]:
    """Names that the text itself uses elsewhere."""
    return (found[2] for found in _NAMED.finditer(text) if found[1] == root)


def _plainly(names: Iterable[str]) -> Iterator[str]:
    """Of ``names`` those that an expression can name with a dot."""
    return (name for name in names if _PLAIN.fullmatch(name))
