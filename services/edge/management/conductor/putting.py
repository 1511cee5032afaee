"""What pages of definitions share: documents put together, and refusals in Conductor's words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

from services.edge.call import Answer
from services.edge.management.conductor.asking import Asked, as_json, nothing
from services.edge.management.configuration.documents import Document
from services.edge.management.refusals import refusal
from services.edge.problems import Problem
from services.errors import Fault, InvalidDefinition, NotFound

# Requests of their own change them, and clients leave them out of what they put.
STAYING = ("tags",)
_FAILED = "Validation failed, check below errors for detail."


@contextmanager
def validated(sent: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    """Tells of faults as Conductor does. Raises :class:`Problem` (400).

    Args:
        sent: How paths begin in the document that is put, as regular expressions, with what it was
            in the request that it is put for; empty: it was the body.
    """
    try:
        yield
    except InvalidDefinition as error:
        raise _invalid(error, sent) from error


def _invalid(error: InvalidDefinition, sent: Mapping[str, str]) -> Problem:
    faults = [_as_sent(each, sent) for each in error.faults]
    told = refusal(InvalidDefinition(error.detail, faults))
    # Clients show this sentence and nothing else: it says the first fault, too.
    return Problem(told.kind, f"{_FAILED} {told.detail}", told.errors, told.headers, told.members)


def _as_sent(fault: Fault, sent: Mapping[str, str]) -> Fault:
    path = _path_sent(fault.path, sent)
    is_body = fault.path and not path
    return Fault(path, f"The body {fault.detail}" if is_body else fault.detail)


def _path_sent(path: str, sent: Mapping[str, str]) -> str:
    if path.startswith("puts["):
        # In a list, a fault's path begins with the place there: ``puts[1]: tasks``.
        return path.removeprefix("puts").replace("]: ", "].", 1)
    for ours, theirs in sent.items():
        path = re.sub(rf"\A{ours}", theirs, path)
    return path


@contextmanager
def known(sentence: str) -> Iterator[None]:
    """Says ``sentence`` where something is not there. Raises :class:`NotFound`."""
    try:
        yield
    except NotFound as error:
        raise NotFound(sentence) from error


async def put_together(
    request: Asked, documents: Sequence[Document], etag: str = "", *, dry_run: bool = False
) -> list[str]:
    """Put them all, or none: what is taken and has another effect than it seems, in sentences.

    Raises:
        Problem: There are faults.
        ServiceError: What else the registry says.
    """
    with validated():
        results = await request.registry.put_all(documents, etag, staying=STAYING, dry_run=dry_run)
    if len(results) == 1:
        return list(results[0].warnings)
    return [f"[{at}].{said}" for at, each in enumerate(results) for said in each.warnings]


def told(warnings: Sequence[str]) -> Answer:
    """200: without a body, as Conductor has it, where there is nothing to warn of."""
    return as_json({"warnings": warnings}) if warnings else nothing()
