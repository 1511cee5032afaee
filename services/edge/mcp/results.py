"""A route's answer as the result of a tool. No IO."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from services.edge.call import Answer
from services.edge.mcp.tools import Tool


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
    """The result that tells ``answer``; one of 4xx and 5xx is a tool's error."""
    header = dict(answer.headers)
    text = answer.body.decode("utf-8", "replace")
    if answer.status >= 400:
        return Result(_told(text) if _is_problem(header) else text, is_error=True)
    location = header.get(b"location", b"").decode()
    if answer.status == 202 and location:
        return _pending(json.loads(text) | {"location": location}, tool)
    return Result(text, _structured(text, tool) if answer.status < 300 else None)


def _pending(document: dict[str, Any], tool: Tool) -> Result:
    text = (
        f"It is not done yet: execution {document['executionId']} is {document['status']}. Its "
        f"answer will be at: {document['location']}"
    )
    return Result(text, document if tool.output_schema else None)


def _structured(text: str, tool: Tool) -> dict[str, Any] | None:
    if tool.output_schema is None:
        return None
    value = json.loads(text)
    return value if isinstance(value, dict) else None


def _is_problem(header: dict[bytes, bytes]) -> bool:
    return header.get(b"content-type", b"").startswith(b"application/problem+json")


def _told(text: str) -> str:
    """A problem, in lines: a model reads them, and mends its arguments."""
    problem = json.loads(text)
    lines = [f"{problem['title']} ({problem['status']}): {problem['detail']}"]
    lines += [f"{each['pointer']}: {each['detail']}" for each in problem.get("errors", ())]
    if execution_id := problem.get("executionId"):
        lines.append(f"Execution: {execution_id}")
    return "\n".join(lines)
