"""A route's answer as the result of a tool. No IO."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from services.edge.call import Answer
from services.edge.mcp.tools import Tool
from services.edge.problems import CONTENT_TYPE


@dataclass(frozen=True, slots=True)
class Result:
    """What a client is told.

    Attributes:
        structured: The same as a value, where the tool says what it is.
    """

    text: str
    structured: dict[str, Any] | None = None
    is_error: bool = False


def result_of(answer: Answer, tool: Tool) -> Result:
    """The result that tells ``answer``; one of 4xx and 5xx is a tool's error, and so is a 3xx.

    An answer may be a script's, which has any headers and any body.
    """
    header = dict(answer.headers)
    text = answer.body.decode("utf-8", "replace")
    location = header.get(b"location", b"").decode("latin-1")
    if answer.status >= 400:
        problem = header.get(b"content-type", b"").startswith(CONTENT_TYPE)
        return Result((_told(text, tool) if problem else None) or text, is_error=True)
    if answer.status >= 300:
        # Nobody follows it, so the tool has not given what it says that it gives.
        return Result(f"It is elsewhere ({answer.status}): {location or text}", is_error=True)
    value = _value(text)
    if answer.status == 202 and location and _is_pending(value):
        return _pending(value | {"location": location}, tool)
    return Result(text, value if tool.output_schema else None)


def _value(text: str) -> dict[str, Any]:
    """The object that ``text`` is; an empty one for anything else: there is nothing to tell."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _is_pending(document: dict[str, Any]) -> bool:
    return all(isinstance(document.get(name), str) for name in ("executionId", "status"))


def _pending(document: dict[str, Any], tool: Tool) -> Result:
    text = (
        f"It is not done yet: execution {document['executionId']} is {document['status']}. Its "
        f"answer will be at: {document['location']}"
    )
    return Result(text, document if tool.output_schema else None)


def _told(text: str, tool: Tool) -> str | None:
    """A problem, in lines: a model reads them, and mends its arguments; None: it is another's."""
    problem = _value(text)
    try:
        lines = [f"{problem['title']} ({problem['status']}): {problem['detail']}"]
        lines += [_fault(each, tool) for each in problem.get("errors", ())]
    except (KeyError, TypeError):
        return None
    if execution_id := problem.get("executionId"):
        lines.append(f"Execution: {execution_id}")
    return "\n".join(lines)


def _fault(fault: dict[str, str], tool: Tool) -> str:
    """One fault, by the argument that it is of, where it is of one."""
    at, detail = fault["pointer"], fault["detail"]
    # A field of the body may have the same pointer.
    name = at.removeprefix("/query/").replace("~1", "/").replace("~0", "~")
    if at.startswith("/query/") and name in tool.query and "query" not in tool.fields:
        at = name
    at = at or tool.whole_body
    return f"{at}: {detail}" if at else detail
