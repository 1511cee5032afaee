"""What pages of definitions share: documents put together, and refusals in Conductor's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from services.edge.management.conductor.asking import Asked
from services.edge.management.configuration.documents import Document
from services.edge.management.refusals import refusal
from services.edge.problems import Problem
from services.errors import InvalidDefinition, NotFound

# Requests of their own change them, and clients leave them out of what they put.
STAYING = ("tags",)
_FAILED = "Validation failed, check below errors for detail."


@contextmanager
def validated() -> Iterator[None]:
    """Tells of faults as Conductor does. Raises :class:`Problem` (400)."""
    try:
        yield
    except InvalidDefinition as error:
        raise _invalid(error) from error


def _invalid(error: InvalidDefinition) -> Problem:
    # In a list, a fault's path begins with the place there: ``puts[1]: tasks``.
    faults = [
        replace(each, path=each.path.removeprefix("puts").replace("]: ", "].", 1))
        if each.path.startswith("puts[")
        else each
        for each in error.faults
    ]
    told = refusal(InvalidDefinition(error.detail, faults))
    # Clients show this sentence and nothing else: it says the first fault, too.
    return Problem(told.kind, f"{_FAILED} {told.detail}", told.errors, told.headers, told.members)


@contextmanager
def known(sentence: str) -> Iterator[None]:
    """Says ``sentence`` where something is not there. Raises :class:`NotFound`."""
    try:
        yield
    except NotFound as error:
        raise NotFound(sentence) from error


async def put_together(
    request: Asked, documents: Sequence[Document], etag: str = "", *, dry_run: bool = False
) -> None:
    """Put them all, or none. Raises :class:`Problem` for faults, and what the registry says."""
    with validated():
        await request.registry.put_all(documents, etag, staying=STAYING, dry_run=dry_run)
