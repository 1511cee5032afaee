"""Values of executions judged by schemas: at once where that is quick, else by children."""

from __future__ import annotations

from services.errors import Fault, InvalidRequest
from services.executor.core import schemas
from services.executor.core.commands import Judge
from services.executor.core.jsonpath import TooCostly
from services.executor.core.schemas import Faults
from services.executor.core.sizes import json_bytes
from services.judging import Judges, Unjudged, quick_faults


def at_once(judge: Judge) -> Faults | None:
    """What is wrong with the value; None: to find that out may take too long here."""
    try:
        return quick_faults(judge.schema, lambda: judge.value, json_bytes(judge.value))
    except (TooCostly, RecursionError) as error:
        return (("", f"this value cannot be judged: {error}"),)
    except UnicodeEncodeError:
        return (("", "this value cannot be judged: a text in it has half a surrogate pair"),)


async def judged(judge: Judge, judges: Judges, text: str) -> Faults:
    """The same, by a child.

    Args:
        text: The value as JSON.

    Raises:
        Overloaded: Too much waits to be judged.
    """
    try:
        return await judges.asked(judge.schema, text.encode("utf-8", "surrogatepass"))
    except Unjudged as error:
        return (("", f"this value {error.why}: it, or the schema, is too involved"),)


def refusal(workflow: str, faults: Faults) -> InvalidRequest:
    """What is said to a start whose input breaks the schema of its workflow."""
    detail = schemas.broken(f"The input of the workflow {workflow!r}", schemas.INPUT, faults)
    told = [Fault(pointer, detail) for pointer, detail in faults]
    return InvalidRequest(detail, told, judged=schemas.INPUT)
