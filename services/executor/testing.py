"""`TestWorkflow`: what a test is given, as it is written, and what it came to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from podium.executor.v1 import executor_pb2 as pb
from services.errors import Fault, InvalidRequest, Overloaded, TooLarge
from services.executor.core.conductor import execution_json
from services.executor.core.jsonpath import TooCostly
from services.executor.core.model import Json, TaskStatus
from services.executor.core.sizes import checked
from services.executor.documents import text_of
from services.executor.kinds.mocked import Mock
from services.executor.rehearsing import Rehearsal, Rehearsed, Run, Script
from services.executor.requested import object_of
from services.executor.runtime import Runtime
from services.executor.starting import Starting
from services.executor.timers import now

_AT_ONCE = 2
_MOST_WAITING = 20
_MOST_CHARS = 4 << 20
_DEEPEST = 20
_MOST_UNUSED = 100
_STATUSES = frozenset(
    ("COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED", "FAILED_WITH_TERMINAL_ERROR", "TIMED_OUT",
     "CANCELED", "SKIPPED", "IN_PROGRESS")
)  # fmt: skip
_FIELDS = ("status", "output", "executionTime", "queueWaitTime")
_LONGEST_MS = 366 * 24 * 3_600_000


class Testing:
    """Runs tests, two at a time: each takes a thread's time."""

    def __init__(self, runtime: Runtime, starting: Starting) -> None:
        self._runtime = runtime
        self._starting = starting
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def test(self, request: pb.TestWorkflowRequest) -> pb.TestWorkflowResponse:
        """What came of it.

        Raises:
            InvalidRequest, TooLarge: It is not to be read, or cannot be run.
            NotFound: There is no such workflow.
            Overloaded: Too many tests wait.
        """
        if len(request.mocks) + len(request.sub_workflow_tests) > _MOST_CHARS:
            raise TooLarge(f"The mocks are longer than {_MOST_CHARS} characters.")
        script = script_of(
            await object_of(request.mocks, "mocks") or {},
            await object_of(request.sub_workflow_tests, "sub_workflow_tests") or {},
        )
        given = await object_of(request.input, "input") or {}
        snapshot = await self._starting.tested(request)
        if self._waiting >= _MOST_WAITING:
            raise Overloaded("Too many tests of workflows wait; try again in a moment.")
        self._waiting += 1
        try:
            async with self._room:
                runtime = self._runtime
                rehearsal = Rehearsal(runtime.snapshots, runtime.scripts, runtime.judges, now())
                rehearsed = await rehearsal.run(snapshot, given, script)
                return await asyncio.to_thread(_response, rehearsed)
        finally:
            self._waiting -= 1


def _response(rehearsed: Rehearsed) -> pb.TestWorkflowResponse:
    root = rehearsed.runs[0]
    documents: list[Json] = [_document(run) for run in rehearsed.runs]
    try:
        checked(documents)
    except TooCostly as error:
        raise TooLarge(f"What came of the test is too large: {error}.") from error
    texts = [text_of(document) for document in documents]
    return pb.TestWorkflowResponse(
        document=texts[0],
        sub_workflows=texts[1:],
        waiting_refs=root.waiting if not root.execution.status.final else (),
        stopped=rehearsed.stopped,
        unmocked_refs=sorted(root.mocks.missing),
        unused_refs=root.mocks.unused[:_MOST_UNUSED],
    )


def _document(run: Run) -> Json:
    return execution_json(run.execution, run.in_order)


def script_of(
    mocks: Mapping[str, Json], within: Mapping[str, Json], at: str = "", depth: int = 0
) -> Script:
    """What Conductor's ``WorkflowTestRequest`` says: by reference, how attempts end.

    Args:
        at: Where both are in what was sent, for refusals.

    Raises:
        InvalidRequest: It makes no sense; says where.
    """
    if depth > _DEEPEST:
        raise _wrong(at + WITHIN, f"mocks sub-workflows more than {_DEEPEST} levels deep")
    return Script(
        {ref: tuple(_mocks(f"{at}{MOCKS}.{ref}", value)) for ref, value in mocks.items()},
        {ref: _within(f"{at}{WITHIN}.{ref}", value, depth) for ref, value in within.items()},
    )


def _within(at: str, value: Json, depth: int) -> Script:
    if not isinstance(value, dict):
        raise _wrong(at, "must be an object")
    asked = dict[str, dict[str, Json]]()
    for name in (MOCKS, WITHIN):
        given = value.get(name) or {}
        if not isinstance(given, dict):
            raise _wrong(f"{at}.{name}", "must be an object")
        asked[name] = given
    return script_of(asked[MOCKS], asked[WITHIN], f"{at}.", depth + 1)


MOCKS, WITHIN = "taskRefToMockOutput", "subWorkflowTestRequest"


def _wrong(path: str, said: str) -> InvalidRequest:
    fault = Fault(path, said)
    return InvalidRequest(f"{fault}.", (fault,))


def _mocks(at: str, value: Json) -> list[Mock]:
    if not isinstance(value, list):
        raise _wrong(at, "must be a list: a mock for each attempt")
    return [_mock(f"{at}[{index}]", each) for index, each in enumerate(value)]


def _mock(at: str, value: Json) -> Mock:
    if not isinstance(value, dict):
        raise _wrong(at, "must be an object")
    unknown = next((name for name in value if name not in _FIELDS), None)
    if unknown is not None:
        raise _wrong(at, f"has no {unknown[:100]!r}; there are {', '.join(_FIELDS)}")
    status, output = value.get("status", "COMPLETED"), value.get("output")
    if not isinstance(status, str) or status not in _STATUSES:
        raise _wrong(f"{at}.status", f"must be one of {', '.join(sorted(_STATUSES))}")
    if output is not None and not isinstance(output, dict):
        raise _wrong(f"{at}.output", "must be an object")
    took = sum(_milliseconds(at, value, name) for name in ("executionTime", "queueWaitTime"))
    return Mock(TaskStatus(status), output or {}, timedelta(milliseconds=took))


def _milliseconds(at: str, value: Mapping[str, Json], name: str) -> float:
    given = value.get(name)
    if given is None:
        return 0
    if isinstance(given, bool) or not isinstance(given, int | float) or not _is_sane(given):
        raise _wrong(f"{at}.{name}", "must be milliseconds, up to a year")
    return given


def _is_sane(milliseconds: float) -> bool:
    return 0 <= milliseconds <= _LONGEST_MS
