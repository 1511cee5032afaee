"""``/api/workflow/{name}/correlated`` and such: executions by their callers' own ids."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from podium.executor.v1 import executor_pb2 as pb
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import Asked, asked
from services.edge.management.conductor.executions import OPEN, pages_of
from services.edge.management.conductor.fields import Fields, refused
from services.edge.management.conductor.told import passed
from services.edge.management.page import Page
from services.errors import InvalidRequest, TooLarge

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_MOST_EXECUTIONS = 1000
_MOST_PAIRS = 1000
_MOST_CHARS = 32 << 20


class _Found:
    """What is told so far, within bounds."""

    def __init__(self, request: Asked) -> None:
        self._request = request
        with_tasks = request.query.flag("includeTasks")
        self._documents = (
            pb.EXECUTION_DOCUMENTS_WHOLE if with_tasks else pb.EXECUTION_DOCUMENTS_ALONE
        )
        self._statuses = () if request.query.flag("includeClosed") else OPEN
        self._left, self._chars = _MOST_EXECUTIONS, _MOST_CHARS

    async def of(self, name: str, correlation_id: str) -> list[str]:
        """The Workflows as JSON text, the newest first.

        Raises:
            TooLarge: With those of before they are too many, or too large.
        """
        wanted = pb.ListExecutionsRequest(
            workflow_name=name,
            correlation_id=correlation_id,
            statuses=self._statuses,
            documents=self._documents,
        )
        found: list[str] = []
        async for page in pages_of(self._request, wanted):
            texts = [each.document for each in page.documents]
            self._left -= len(texts)
            self._chars -= sum(map(len, texts))
            self._check()
            found += texts
        return found

    def _check(self) -> None:
        if self._left < 0:
            raise TooLarge(f"Those are more than {_MOST_EXECUTIONS:,}: search them by pages.")
        if self._chars < 0:
            raise TooLarge(
                f"Those are more than {_MOST_CHARS >> 20} MiB: leave their tasks out, or search "
                "them by pages."
            )


async def of_one(call: Call, management: Management, name: str, correlation_id: str) -> Answer:
    """GET ``?includeClosed&includeTasks``: 200 with a list of Workflows.

    Raises:
        Problem: 401, 403; 413 for more than 1,000 of them, or more than 32 MiB.
    """
    request = asked(call, management)
    found = await _Found(request).of(name, correlation_id)
    return await passed(("[", ",".join(found), "]"))


async def of_many(call: Call, management: Management, name: str) -> Answer:
    """POST a list of correlation ids: 200 with a list of Workflows for each. Raises as above."""
    request = asked(call, management)
    return await _answered(request, [name], await request.items("correlation ids"), "")


async def in_batch(call: Call, management: Management) -> Answer:
    """POST ``{workflowNames, correlationIds}``: 200 with a list of Workflows for each id."""
    request = asked(call, management)
    body = Fields(await request.document("a CorrelationIdsSearchRequest"))
    names = _written(_given(body, "workflowNames"), "workflowNames")
    return await _answered(request, names, _given(body, "correlationIds"), "correlationIds")


def _given(body: Fields, name: str) -> Sequence[object]:
    """A list that must be there, and may be empty. Raises :class:`InvalidRequest`."""
    if body.document.get(name) is None:
        raise body.wrong(name, "must be given")
    return body.list(name)


async def _answered(
    request: Asked, names: Sequence[str], given: Sequence[object], path: str
) -> Answer:
    ids = _written(given, path)
    if len(names) * len(ids) > _MOST_PAIRS:
        raise _wrong(path, f"must be {_MOST_PAIRS:,} at most, times the workflows' names")
    found, texts = _Found(request), []
    for each in ids:
        ones = [text for name in names for text in await found.of(name, each)]
        texts.append(f"{json.dumps(each, ensure_ascii=False)}:[{','.join(ones)}]")
    return await passed(("{", ",".join(texts), "}"))


def _wrong(path: str, said: str) -> InvalidRequest:
    return refused(path, said if path else f"The body {said}")


def _written(given: Sequence[object], path: str) -> list[str]:
    """Each once. Raises :class:`InvalidRequest` for one that is no text."""
    if not all(isinstance(each, str) and each for each in given):
        raise _wrong(path, "must be a list of texts that are not empty")
    return list(dict.fromkeys(map(str, given)))


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/api/workflow/{name}/correlated/{correlationId}", of_one),
    ("POST", "/api/workflow/{name}/correlated", of_many),
    ("POST", "/api/workflow/correlated/batch", in_batch),
)
