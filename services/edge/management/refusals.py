"""Refusals as two kinds of clients read them: problems (RFC 9457), with Conductor's fields beside.

Conductor's clients show ``message`` and nothing else, so it is what ``detail`` is.
"""

from __future__ import annotations

import re

from services.edge.call import Call
from services.edge.endpoint import problem_of
from services.edge.problems import KINDS, Problem
from services.errors import Conflict, Fault, ServiceError

_AGAIN = frozenset({"request-timeout", "rate-limited", "unavailable", "overloaded"})
# ``tasks[2].decisionCases['a b'][0].name``, as faults have it.
_STEP = re.compile(r"\['((?:[^'\\]|\\.)*)'\]|\[(\d+)\]|\.?([^.\[]+)")


def for_conductor(call: Call, problem: Problem) -> Problem:
    """``problem`` with what Conductor's clients look for, its own fields left as they are."""
    members = {
        "message": problem.detail or KINDS[problem.kind].detail,
        "instance": call.raw_path.decode("latin-1"),
        "retryable": problem.kind in _AGAIN,
        **problem.members,
    }
    return Problem(problem.kind, problem.detail, problem.errors, problem.headers, members)


def refusal(error: ServiceError) -> Problem:
    """What somebody with a token is told of a service's error: its sentence and every fault."""
    problem = problem_of(error, to_stranger=False)
    if not error.faults:
        return problem
    judged = "judged" in error.metadata
    errors = [_pointed(error, fault, judged=judged) for fault in error.faults]
    each = [{"path": fault.path, "message": fault.detail} for fault in error.faults]
    members = {**problem.members, "validationErrors": each}
    # The error's own sentence says what was judged, and by which schema; or it names the field.
    sentence = error.detail if judged or _says_it(error) else _sentence(error.faults)
    return Problem(problem.kind, sentence, errors, problem.headers, members)


def _pointed(error: ServiceError, fault: Fault, *, judged: bool) -> tuple[str, str]:
    """Where it is in what was sent, and what it is."""
    if judged:
        return fault.path, fault.detail
    # What is in use is told by its title: that is no place in a document.
    return ("", str(fault)) if isinstance(error, Conflict) else (pointer(fault.path), fault.detail)


def _says_it(error: ServiceError) -> bool:
    """Whether its sentence is its one fault, with the path as the subject."""
    (fault, *others) = error.faults
    return not others and error.detail == f"{fault.path} {fault.detail}."


def _sentence(faults: tuple[Fault, ...]) -> str:
    first = str(faults[0])
    said = f"{first}{'' if first.endswith(('.', '?')) else '.'}"
    if len(faults) > 1:
        return f"There are {len(faults)} faults; the first: {said}"
    # Of the whole, what begins like a sentence is one.
    alone = not faults[0].path and first[:1].isupper()
    return said if alone else f"There is a fault: {said}"


def pointer(path: str) -> str:
    """The JSON pointer (RFC 6901) of a fault's path; empty for the whole document."""
    steps = (
        quoted.replace("\\'", "'") or number or name for quoted, number, name in _STEP.findall(path)
    )
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
