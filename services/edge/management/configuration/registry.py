"""The registry, asked in the name of one caller, whose rights it checks and whom it writes down."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.edge.bodies import aside
from services.edge.management.configuration.documents import Document, Kept
from services.errors import (
    AlreadyExists,
    InvalidDefinition,
    Overloaded,
    ServiceError,
    Stale,
    TooLarge,
)

if TYPE_CHECKING:
    from podium.registry.v1.registry_pb2_grpc import RegistryServiceAsyncStub
    from services.edge.management.written import Written

# A large document with many scripts takes a while to judge.
_SECONDS = 20.0
_TRIES = 5
_MOST_LISTED_BYTES = 16 * 1024 * 1024


class Turns:
    """Whose turn it is to change a definition by way of this edge: none of them redoes its work."""

    def __init__(self, most_seconds: float = _SECONDS) -> None:
        self._most_seconds = most_seconds
        # Each is there as long as somebody has it or waits for it.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, name: str) -> AsyncGenerator[None]:
        """The turn to change that definition. Raises :class:`Overloaded` when it does not come."""
        lock = self._locks.setdefault(name, asyncio.Lock())
        try:
            async with asyncio.timeout(self._most_seconds):
                await lock.acquire()
        except TimeoutError:
            raise Overloaded("Many are changing this just now; try again.") from None
        try:
            yield
        finally:
            lock.release()


@dataclass(frozen=True, slots=True)
class Registry:
    """What one caller may do at the registry. Every call raises the registry's own errors."""

    stub: RegistryServiceAsyncStub
    application_id: str
    turns: Turns
    written: Written

    async def get(self, kind: str, name: str, version: int = 0) -> Kept:
        """One definition as it may be read back; version 0: the latest."""
        request = pb.GetDefinitionRequest(kind=kind, name=name, version=version)
        with rpc.raising_ours():
            answer = await self.stub.GetDefinition(
                request, metadata=rpc.on_behalf_of(self.application_id), timeout=_SECONDS
            )
        return await aside(len(answer.definition.document), _read, answer.definition)

    async def all(self, kind: str, *, name: str = "", latest_only: bool = False) -> list[Kept]:
        """Every definition of a kind that the caller may read, by name.

        Args:
            name: Of which alone, in all versions; empty: of whichever name.
            latest_only: Leaves out all but the latest version of a name.

        Raises:
            TooLarge: They are more than one answer holds.
        """
        request = pb.ListDefinitionsRequest(kind=kind, name=name, latest_only=latest_only)
        found, left = list[Kept](), _MOST_LISTED_BYTES
        async for page in self._pages(request):
            size = sum(len(each.document) for each in page)
            left -= size
            if left < 0:
                raise TooLarge(f"These are more than {_MOST_LISTED_BYTES >> 20} MiB: ask for one.")
            found += await aside(size, _read_all, page)
        return found

    async def named(
        self, kind: str, *, name: str = "", latest_only: bool = False
    ) -> list[pb.Definition]:
        """As :meth:`all`, without their documents."""
        request = pb.ListDefinitionsRequest(
            kind=kind, name=name, latest_only=latest_only, without_documents=True
        )
        return [each async for page in self._pages(request) for each in page]

    async def _pages(
        self, request: pb.ListDefinitionsRequest
    ) -> AsyncGenerator[Sequence[pb.Definition]]:
        request.page.page_size = 1000
        more = True
        while more:
            with rpc.raising_ours():
                page = await self.stub.ListDefinitions(
                    request, metadata=rpc.on_behalf_of(self.application_id), timeout=_SECONDS
                )
            yield page.definitions
            request.page.page_token = page.next_page_token
            more = bool(page.next_page_token)

    async def create(self, document: Document) -> Kept:
        """Put a definition that is not there yet.

        Raises:
            AlreadyExists: It is; told before what is wrong with the document.
        """
        try:
            return await self.put(document, "*")
        except InvalidDefinition as error:
            await self._refuse_known(document)
            raise error from None
        except Stale as error:
            raise AlreadyExists(error.detail) from None

    async def _refuse_known(self, document: Document) -> None:
        kind, name = document["kind"], document.get("id")
        if not isinstance(name, str) or not name:
            return
        try:
            await self.get(kind, name)
        except ServiceError:
            return
        raise AlreadyExists(f"{kind.capitalize()} '{name}' is there already.")

    async def put(self, document: Document, etag: str) -> Kept:
        """Put a definition over the one with that ``etag``; it comes as it is read back."""
        (result,) = await self.put_all([document], etag)
        kept = await self._read_back(result.definition, document)
        generated = {each.name: each.key for each in result.generated_keys}
        return replace(kept, generated=generated, warnings=tuple(result.warnings))

    async def put_all(
        self,
        documents: Sequence[Document],
        etag: str = "",
        *,
        staying: Sequence[str] = (),
        dry_run: bool = False,
    ) -> Sequence[pb.PutResult]:
        """Put definitions together, or none of them.

        Args:
            etag: Of each; empty: whatever is there; ``*``: nothing may be.
            staying: Fields that stay as they are where a document leaves them out.
            dry_run: Say what is wrong with them, and put nothing.
        """
        texts = await asyncio.to_thread(_written, documents)
        request = pb.PutDefinitionsRequest(
            puts=[pb.DocumentPut(document=text, etag=etag) for text in texts],
            staying=staying,
            dry_run=dry_run,
        )
        with rpc.raising_ours():
            answer = await self.stub.PutDefinitions(
                request, metadata=rpc.on_behalf_of(self.application_id), timeout=_SECONDS
            )
        if not dry_run:
            self.written.note(answer.revision)
        return answer.results

    async def _read_back(self, put: pb.Definition, document: Document) -> Kept:
        try:
            return await self.get(put.kind, put.name)
        except ServiceError:
            # It is written, whether its writer may read it or not.
            return _stamped(put, document, 0)

    async def change(self, kind: str, name: str, change: Callable[[Document], Document]) -> Kept:
        """Put what ``change`` makes of a definition; read anew where somebody else was quicker.

        Raises:
            Stale: Others were quicker each time.
            Overloaded: Those who change it here stand in a long line.
        """
        async with self.turns.of(f"{kind} {name}"):
            for _ in range(_TRIES):
                kept = await self.get(kind, name)
                try:
                    return await self.put(change(kept.document), kept.etag)
                except Stale as error:
                    stale = error
        raise stale

    async def delete(self, kind: str, name: str, version: int = 0) -> None:
        """Remove a definition that nothing uses; version 0: every version."""
        request = pb.DeleteDefinitionRequest(kind=kind, name=name, version=version)
        with rpc.raising_ours():
            answer = await self.stub.DeleteDefinition(
                request, metadata=rpc.on_behalf_of(self.application_id), timeout=_SECONDS
            )
        self.written.note(answer.revision)


def _written(documents: Iterable[Document]) -> list[str]:
    return [json.dumps(each, ensure_ascii=False) for each in documents]


def _read_all(definitions: Iterable[pb.Definition]) -> list[Kept]:
    return [_read(each) for each in definitions]


def _read(definition: pb.Definition) -> Kept:
    text = definition.document
    return _stamped(definition, json.loads(text), len(text))


def _stamped(definition: pb.Definition, document: Document, size: int) -> Kept:
    return Kept(
        document,
        definition.etag,
        size,
        definition.created_at.ToMilliseconds(),
        definition.updated_at.ToMilliseconds(),
        definition.updated_by,
    )
