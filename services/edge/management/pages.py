"""The management API's pages and their stages."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from services import origins, tracing
from services.edge.bodies import BodyLimits
from services.edge.call import JSON, Answer, Call
from services.edge.dispatch import found_or_answer, looked_up
from services.edge.executor import Executor
from services.edge.identity import identify_with, origin_of
from services.edge.management import exposition, tasks, tokens
from services.edge.management.conductor.missing import below
from services.edge.management.conductor.stubs import Stubs
from services.edge.management.conductor.table import pages as conductor
from services.edge.management.conductor.waiting import Waits
from services.edge.management.conductor.wording import in_their_words
from services.edge.management.configuration.registry import Turns
from services.edge.management.configuration.table import pages as configuration
from services.edge.management.exposition import Exposition
from services.edge.management.nowhere import nothing_at
from services.edge.management.page import Page, telling
from services.edge.trie import Found, Trie

if TYPE_CHECKING:
    from podium.registry.v1.registry_pb2_grpc import RegistryServiceAsyncStub
    from services.access import Verifier
    from services.edge.definitions import Definitions
    from services.edge.management.written import Written
    from services.edge.metrics.reporting import Reporting
    from services.edge.relay import Relay


LARGER_BODIES = (
    "PODIUM_MAX_BODY_BYTES says how many; what is large belongs into a store of its own, and its "
    "URL into the body."
)
"""What is said of bodies that are too large to those who are known here."""


@dataclass(frozen=True, slots=True)
class Management:
    """The management API's means.

    Attributes:
        anonymous_application: Whose rights a request without a token has; empty: none are let in.
        public_url: Where the gateway is reached from outside, without a slash at its end.
        stubs: The services, for what is put into their RPCs.
        relay: What workers ask and say, which is too much for a call each.
        written: What starts here have to run.
        turns: Of those who change the gateway's configuration.
        waits: Of those who wait for executions.
        exposition: What ``/metrics`` shows.
        reporting: What was counted of routes.
    """

    verifier: Verifier
    registry: RegistryServiceAsyncStub
    executor: Executor
    body_limits: BodyLimits
    anonymous_application: str
    definitions: Definitions
    public_url: str
    exposition: Exposition
    reporting: Reporting
    new_id: Callable[[], str]
    stubs: Stubs
    relay: Relay
    written: Written
    turns: Turns = field(default_factory=Turns)
    waits: Waits = field(default_factory=Waits)


async def identify(call: Call, management: Management) -> None:
    """As the gateway does."""
    identify_with(call, management.new_id)
    origins.current.set(origin_of(call))
    # What is asked of the others for it belongs to it, too.
    tracing.current.set(call.trace)


async def health(call: Call, management: Management) -> Answer:
    """200 as long as this process serves; Conductor's clients ask for ``healthy``."""
    document = {"status": "ok", "healthy": True}
    return Answer(200, json.dumps(document).encode(), (JSON, (b"cache-control", b"no-store")))


# Method, path and page of each; what they need is in services/rights/pages.py.
PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/health", health),
    ("GET", "/api/health", health),
    ("GET", "/metrics", exposition.metrics),
    ("POST", "/api/token", tokens.issue),
    (
        "POST",
        "/api/tasks/{workflowId}/{taskRefName}/{status}",
        telling(tasks.update, in_their_words),
    ),
    *conductor(),
    *configuration(),
)


def _found_by_path() -> Trie[tuple[str, Page]]:
    """Each page with its path."""
    pages: Trie[tuple[str, Page]] = Trie()
    for method, path, its_page in PAGES:
        pages.add(method, path, (path, its_page))
    return pages


_PAGES = _found_by_path()


def _is_page(segments: tuple[str, ...]) -> bool:
    return _PAGES.find("GET", segments) is not None or below(segments) is not None


async def page(call: Call, management: Management) -> Answer:
    """The page at the path; 404 for every other."""
    at_path = _PAGES.find(looked_up(call.method), call.segments)
    if at_path is None and (unserved := below(call.segments)):
        at_path = Found(unserved)
    if at_path is None:
        raise nothing_at(call.segments, _is_page)
    found = found_or_answer(call.method, at_path)
    if isinstance(found, Answer):
        return found
    template, answer = found.value
    # By its template: what stands in its place may be a key that somebody mistook for an id.
    call.place = ("", looked_up(call.method), template)
    return await answer(call, management, *found.parameters)


STAGES = (identify, page)
