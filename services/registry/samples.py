"""Samples judged by schemas, each in a child process that ends with its judgement.

A schema can ask for more time or memory than there is, and nothing ends it from within.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services.errors import Fault, InvalidDefinition, InvalidRequest, Overloaded, TooLarge
from services.process import child_environment
from services.registry import documents, store
from services.registry.permissions import Caller
from services.registry.store import Stored
from services.storage import Storage

LARGEST_BYTES = 1 << 20
JUDGED_SECONDS = 2.0
_LOADED_SECONDS = 20.0
_AT_ONCE = 2
_MOST_WAITING = 16


class SampleCalls:
    """Answers from one store."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._asked = 0

    async def check(self, caller: Caller, request: pb.CheckSampleRequest) -> pb.CheckSampleResponse:
        """What is wrong with a sample.

        Raises:
            InvalidDefinition: The schema is none.
            InvalidRequest: There is none to judge by, or judging took too long or too much memory.
            NotFound: There is no such schema.
            PermissionDenied: The caller neither writes schemas nor has a role that checks samples.
            TooLarge: The schema or the sample is.
            Overloaded: As many wait as may.
        """
        caller.check_writes_schemas()
        schema = await self._schema(caller, request)
        for name, text in (("schema", schema), ("sample", request.sample)):
            if len(text.encode()) > LARGEST_BYTES:
                raise TooLarge(f"The {name} is larger than {LARGEST_BYTES >> 20} MiB.")
        if self._asked >= _AT_ONCE + _MOST_WAITING:
            raise Overloaded("Many samples are judged just now; try again in a moment.")
        self._asked += 1
        try:
            async with self._turns:
                answer = await _judged(schema, request.sample)
        finally:
            self._asked -= 1
        if faults := answer.get("schema"):
            told = [Fault(path, detail) for path, detail in faults]
            raise InvalidDefinition(f"The schema has a fault: {told[0]}.", told)
        return pb.CheckSampleResponse(
            faults=[
                pb.SampleFault(pointer=pointer, detail=detail)
                for pointer, detail in answer["sample"]
            ]
        )

    async def _schema(self, caller: Caller, request: pb.CheckSampleRequest) -> str:
        if request.WhichOneof("schema") == "schema_text":
            return request.schema_text
        if not request.schema_name:
            raise InvalidRequest("Which schema judges the sample is not said.")
        key = "schema", request.schema_name, request.schema_version

        def work(db: Database) -> Stored:
            caller.check("READ", *key[:2], store.find(db, *key))
            return store.get(db, *key)

        state = await self._storage.transact(work)
        return json.dumps(documents.stored(state.document).get("data"), ensure_ascii=False)


async def _judged(schema: str, sample: str) -> dict[str, list[tuple[str, str]]]:
    """As the child says it.

    Raises:
        InvalidRequest: It broke a limit.
        Overloaded: It did not even begin.
    """
    asked = json.dumps({"schema": schema, "sample": sample}).encode()
    async with _child() as child:
        try:
            async with asyncio.timeout(_LOADED_SECONDS):
                ready = await child.stdout.readline()
        except TimeoutError:
            ready = b""
        if not ready:
            raise _not_judged()
        try:
            async with asyncio.timeout(JUDGED_SECONDS):
                answer, _ = await child.communicate(asked)
        except TimeoutError:
            raise InvalidRequest(
                f"To judge the sample takes more than {JUDGED_SECONDS:g} s: make the schema or "
                "the sample simpler."
            ) from None
    if child.returncode == -signal.SIGKILL:
        # None of its limits ends it so within the time: somebody else did.
        raise _not_judged()
    if child.returncode:
        raise InvalidRequest("To judge the sample takes more memory than it may.")
    told: dict[str, list[tuple[str, str]]] = json.loads(answer)
    return told


def _not_judged() -> Overloaded:
    return Overloaded("The sample was not judged; try again in a moment.")


@asynccontextmanager
async def _child() -> AsyncGenerator[Any]:
    """A worker, gone when the block ends."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "services.registry.sample_worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=child_environment() | {"PODIUM_PARENT_PID": str(os.getpid())},
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()
