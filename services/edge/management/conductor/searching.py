"""``/api/workflow/search``, ``/api/tasks/search`` and their kin: what a query finds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from podium.executor.v1 import executor_pb2 as pb
from services.edge.call import Answer, Call
from services.edge.management.conductor import collecting, summaries
from services.edge.management.conductor.asking import Asked, asked, shown, shown_text
from services.edge.management.conductor.bulk import ids_in
from services.edge.management.conductor.collecting import Execution
from services.edge.management.conductor.sought import executions_sought, tasks_sought
from services.edge.management.page import Page

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_SUMMARY, _ALONE, _WHOLE = (
    pb.EXECUTION_DOCUMENTS_SUMMARY, pb.EXECUTION_DOCUMENTS_ALONE, pb.EXECUTION_DOCUMENTS_WHOLE,
)  # fmt: skip


async def search(call: Call, management: Management) -> Answer:
    """GET: 200 with ``{totalHits, results}``, of WorkflowSummary. Raises :class:`Problem`."""
    request = asked(call, management)
    found, total = await collecting.executions(request, executions_sought(request.query), _SUMMARY)
    return await _summaries(found, total)


async def search_v2(call: Call, management: Management) -> Answer:
    """As :func:`search`, of Workflow, without its tasks."""
    request = asked(call, management)
    found, total = await collecting.executions(request, executions_sought(request.query), _ALONE)
    return await _documents(total, (told.document for _, told in found))


async def search_by_tasks(call: Call, management: Management) -> Answer:
    """As :func:`search`, the executions of the tasks that are asked for, each once."""
    found, total = await _by_tasks(asked(call, management), _SUMMARY)
    return await _summaries(found, total)


async def search_by_tasks_v2(call: Call, management: Management) -> Answer:
    """As :func:`search_by_tasks`, of Workflow."""
    found, total = await _by_tasks(asked(call, management), _ALONE)
    return await _documents(total, (told.document for _, told in found))


async def _by_tasks(
    request: Asked, documents: collecting.Wanted
) -> tuple[Sequence[Execution], int]:
    """Those of the tasks of a page: as in Conductor, tasks are what is paged through."""
    sought = tasks_sought(request.query)
    tasks, total = await collecting.tasks(request, sought, documents=False)
    ids = list(dict.fromkeys(task.execution_id for task in tasks))
    found = await collecting.executions_of(
        request, ids, documents, top_level_only=sought.top_level_only
    )
    return list(found.values()), total - len(tasks) + len(found)


async def search_tasks(call: Call, management: Management) -> Answer:
    """GET: 200 with ``{totalHits, results}``, of TaskSummary. Raises :class:`Problem`."""
    request = asked(call, management)
    sought = tasks_sought(request.query)
    found, total = await collecting.tasks(request, sought, documents=True)

    def make() -> object:
        results = [summaries.of_task(each, json.loads(each.document)) for each in found]
        return {"totalHits": total, "results": results}

    return await shown(sum(len(each.document) for each in found), make)


async def search_tasks_v2(call: Call, management: Management) -> Answer:
    """As :func:`search_tasks`, of Task."""
    request = asked(call, management)
    sought = tasks_sought(request.query)
    found, total = await collecting.tasks(request, sought, documents=True)
    return await _documents(total, (each.document for each in found))


async def search_bulk(call: Call, management: Management) -> Answer:
    """POST a list of ids: 200 with a BulkResponse of Workflow; ``includeTasks``: with tasks."""
    request = asked(call, management)
    ids = list(dict.fromkeys(await ids_in(request)))
    wanted = _WHOLE if request.query.flag("includeTasks", default=True) else _ALONE
    found = await collecting.executions_of(request, ids, wanted)
    errors = {id_: f"Workflow with id: {id_} not found." for id_ in ids if id_ not in found}
    documents = [told.document for _, told in found.values()]

    def make() -> str:
        return (
            f'{{"bulkErrorResults":{json.dumps(errors, ensure_ascii=False)},'
            f'"bulkSuccessfulResults":[{",".join(documents)}],'
            '"message":"Bulk Request has been processed."}'
        )

    return await shown_text(sum(map(len, documents)), make)


async def _summaries(found: Sequence[Execution], total: int) -> Answer:
    def make() -> object:
        results = [summaries.of_execution(*each) for each in found]
        return {"totalHits": total, "results": results}

    return await shown(sum(told.ByteSize() for _, told in found), make)


async def _documents(total: int, documents: Iterable[str]) -> Answer:
    """What is JSON already is not read again."""
    results = list(documents)

    def make() -> str:
        return f'{{"totalHits":{total},"results":[{",".join(results)}]}}'

    return await shown_text(sum(map(len, results)), make)


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/api/workflow/search", search),
    ("GET", "/api/workflow/search-v2", search_v2),
    ("GET", "/api/workflow/search-by-tasks", search_by_tasks),
    ("GET", "/api/workflow/search-by-tasks-v2", search_by_tasks_v2),
    ("GET", "/api/tasks/search", search_tasks),
    ("GET", "/api/tasks/search-v2", search_tasks_v2),
    ("POST", "/api/workflow/bulk/search", search_bulk),
)
