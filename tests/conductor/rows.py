"""Rows of the record of Conductor's API: what is sent, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Row:
    """One exchange.

    Attributes:
        endpoint: As it is listed: ``GET /api/workflow/{workflowId}``.
        case: What is special about it.
        path: What is asked, with its query; ``<name>`` stands for what the tests' world has.
        status: Of the answer.
        body: What is sent as JSON; text is sent as it is.
        answer: What the answer must be: of an object these members at least, of a list each item;
            a type stands for any value of it, ``...`` for anything; text is compared as text.
    """

    endpoint: str
    case: str
    path: str
    status: int
    body: Any = None
    answer: Any = ...

    @property
    def id(self) -> str:
        """For a test's name."""
        return f"{self.endpoint} {self.case}"


async def exchanged(client: httpx.AsyncClient, row: Row, world: Mapping[str, str]) -> None:
    """Send it; it fails where the answer is another."""
    method = row.endpoint.partition(" ")[0]
    path, body = named(row.path, world), named(row.body, world)
    headers = {"content-type": "application/json"}
    content = body if isinstance(body, str) or body is None else json.dumps(body)
    answer = await client.request(method, path, content=content, headers=headers)
    assert answer.status_code == row.status, f"{answer.status_code} {answer.text}"
    if row.answer is ...:
        return
    expected = named(row.answer, world)
    told = answer.text if isinstance(expected, str) or expected is str else answer.json()
    assert difference(expected, told) == "", answer.text


async def exchanged_in_order(
    client: httpx.AsyncClient, rows: Iterable[Row], world: Mapping[str, str]
) -> None:
    """Send one after another, for what one has put the next reads; it fails with the row's name."""
    for row in rows:
        try:
            await exchanged(client, row, world)
        except AssertionError as error:
            raise AssertionError(f"{row.id}: {error}") from error


def named(value: Any, world: Mapping[str, str]) -> Any:
    """``value`` with what the world has for each ``<name>``."""
    if isinstance(value, str):
        for name, known in world.items():
            value = value.replace(f"<{name}>", known)
        return value
    if isinstance(value, dict):
        return {named(key, world): named(each, world) for key, each in value.items()}
    if isinstance(value, list):
        return [named(each, world) for each in value]
    return value


def difference(expected: Any, told: Any, at: str = "") -> str:
    """Where ``told`` is not as expected, and how; empty: nowhere."""
    if expected is ...:
        return ""
    if isinstance(expected, type):
        right = type(told) is expected
        return "" if right else f"{at}: {told!r} is no {expected.__name__}"
    if isinstance(expected, dict) and isinstance(told, dict):
        each = (
            difference(value, told[key], f"{at}.{key}") if key in told else f"{at}.{key} is missing"
            for key, value in expected.items()
        )
        return next(filter(None, each), "")
    if isinstance(expected, list) and isinstance(told, list) and len(expected) == len(told):
        each = (
            difference(value, other, f"{at}[{number}]")
            for number, (value, other) in enumerate(zip(expected, told, strict=True))
        )
        return next(filter(None, each), "")
    return "" if expected == told and type(expected) is type(told) else f"{at}: {told!r}"
