"""How definitions use each other: what is missing, who would miss what, and whose routes clash.

Pure: what exists comes in as a lookup, and :func:`over` lays documents that are about to be put
over it, so that all documents of one apply may name each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.errors import Fault
from services.registry.definitions import Definition, Document, Json, Reference, pinned
from services.registry.definitions.paths import documentation, erased, joined, segments
from services.registry.definitions.reading import Place, Reading, shortened
from services.registry.definitions.service import awaited
from services.registry.definitions.tasks.kind import references_within

Lookup = Callable[[str, str, int | None], Mapping[str, Json] | None]
"""``(kind, name, version)`` → the stored document, the latest for None; None if there is none."""


@dataclass(frozen=True, slots=True)
class User:
    """A definition that uses another, and where it says so."""

    kind: str
    name: str
    version: int
    path: str

    def __str__(self) -> str:
        version = f" version {self.version}" if self.kind == "workflow" else ""
        return f"{self.kind} '{shortened(self.name)}'{version} ({self.path})"


@dataclass(frozen=True, slots=True)
class RouteConflict:
    """Two routes that answer the same requests, or a route over a gateway's own page.

    Attributes:
        service: Which of the services that are put is at fault, by its place among them.
        fault: Where in that service, and with what it clashes.
        other: The id of the other service.
    """

    service: int
    fault: Fault
    other: str


def over(lookup: Lookup, batch: Iterable[Definition]) -> Lookup:
    """``lookup`` as it will be once ``batch`` is put."""
    put: dict[tuple[str, str], dict[int, Document]] = {}
    for definition in batch:
        versions = put.setdefault((definition.kind, definition.name), {})
        versions[definition.version] = definition.document

    def find(kind: str, name: str, version: int | None) -> Mapping[str, Json] | None:
        versions = put.get((kind, name), {})
        if version is not None:
            return versions[version] if version in versions else lookup(kind, name, version)
        stored = lookup(kind, name, None)
        if not versions:
            return stored
        latest = max(versions)
        return stored if stored is not None and _version(stored) > latest else versions[latest]

    return find


def _version(document: Mapping[str, Json]) -> int:
    version = document.get("version", 1)
    return version if isinstance(version, int) else 1


def unknown(
    definition: Definition, lookup: Lookup, also: Collection[str] = ()
) -> tuple[Fault, ...]:
    """A fault for every use of something that does not exist, awaited tasks included.

    Args:
        also: Kinds that must exist even where a use can wait until they do.
    """
    faults = [
        fault
        for reference in definition.references
        if (reference.required or reference.kind in also)
        and (fault := _missing(reference, lookup)) is not None
    ]
    if definition.kind == "service":
        faults.extend(_unknown_awaited(definition.document, lookup))
    return tuple(faults)


def _missing(reference: Reference, lookup: Lookup) -> Fault | None:
    kind, name, version = reference.kind, reference.name, reference.version
    if lookup(kind, name, version) is not None:
        return None
    if reference.missing:
        return Fault(reference.path, reference.missing)
    said = f"{kind} '{shortened(name)}'"
    if version is None or lookup(kind, name, None) is None:
        return Fault(reference.path, f"there is no {said}")
    return Fault(_beside(reference), f"there is no version {version} of {said}")


def _beside(reference: Reference) -> str:
    """The path of the version that goes with a name."""
    if reference.path == "failureWorkflow":
        return "failureWorkflowVersion"
    return reference.path.removesuffix("name") + "version"


def _unknown_awaited(service: Document, lookup: Lookup) -> Iterator[Fault]:
    at = Place(Reading())
    for index, route in _routes(service):
        mapped = route.get("mappedWorkflow")
        name = mapped.get("name") if isinstance(mapped, dict) else None
        version = pinned(mapped.get("version")) if isinstance(mapped, dict) else None
        if not isinstance(name, str):
            continue
        workflow = lookup("workflow", name, version)
        if workflow is None:
            continue
        known = frozenset(references_within(workflow.get("tasks")))
        for reference in awaited(route.get("waitUntilTasks")):
            if reference not in known:
                hint = at.guess(reference, known)
                detail = f"workflow '{shortened(name)}' has no task '{shortened(reference)}'{hint}"
                yield Fault(f"routes[{index}].waitUntilTasks", detail)


def users(
    kind: str,
    name: str,
    version: int | None,
    definitions: Iterable[Definition],
    *,
    remains: bool = False,
) -> tuple[User, ...]:
    """Who uses a definition that is about to be deleted.

    Args:
        kind: Of what is deleted.
        name: Of what is deleted.
        version: The one that is deleted; None for all of them.
        definitions: All that are stored; what is deleted itself does not count.
        remains: Whether another version stays, so that those who take the latest lose nothing.
    """
    found: dict[User, None] = {}
    for definition in definitions:
        itself = definition.kind == kind and definition.name == name
        if itself and version in (None, definition.version):
            continue
        for reference in definition.references:
            if _concerns(reference, kind, name, version, remains=remains):
                user = User(definition.kind, definition.name, definition.version, reference.path)
                found[user] = None
    return tuple(found)


def granted(application: Document) -> Iterator[Reference]:
    """What the permissions of an application name one by one; none of it needs to exist."""
    permissions = application.get("permissions")
    for index, each in enumerate(permissions if isinstance(permissions, list) else ()):
        target = each.get("target") if isinstance(each, dict) else None
        kind, name = (
            (target.get("type"), target.get("id")) if isinstance(target, dict) else ("", "")
        )
        if isinstance(kind, str) and isinstance(name, str) and kind != "tag" and name != "*":
            yield Reference(kind, name, None, f"permissions[{index}].target.id", required=False)


def names(reference: Reference, kind: str, name: str, version: int, latest: int) -> bool:
    """Whether ``reference`` is to that definition.

    Args:
        reference: Of somebody.
        kind: Of the definition.
        name: Of the definition.
        version: Of the definition; 0: any of them.
        latest: The version that is meant where none is named.
    """
    if (reference.kind, reference.name) != (kind, name):
        return False
    return not version or (reference.version or latest) == version


def users_first(definitions: Sequence[Definition]) -> list[Definition]:
    """``definitions`` so that each stands before what it uses; in a circle somebody is first.

    What nothing uses stays in its order.
    """
    by_name: dict[tuple[str, str], list[int]] = {}
    for number, definition in enumerate(definitions):
        by_name.setdefault((definition.kind, definition.name), []).append(number)
    used_first: list[int] = []
    # Not by recursion: a chain of workflows may be longer than Python calls deep.
    waiting = [(number, False) for number in range(len(definitions))]
    seen: set[int] = set()
    while waiting:
        number, done = waiting.pop()
        if done:
            used_first.append(number)
        elif number not in seen:
            seen.add(number)
            waiting.append((number, True))
            for reference in definitions[number].references:
                used = by_name.get((reference.kind, reference.name), ())
                waiting.extend((each, False) for each in used if each not in seen)
    return [definitions[number] for number in reversed(used_first)]


def _concerns(
    reference: Reference, kind: str, name: str, version: int | None, *, remains: bool
) -> bool:
    if (reference.kind, reference.name) != (kind, name):
        return False
    if version is None:
        return True
    return not remains if reference.version is None else reference.version == version


def route_conflicts(
    stored: Iterable[Definition], put: Iterable[Definition]
) -> tuple[RouteConflict, ...]:
    """Every two routes of two services with the same method and path, names of parameters erased.

    A route over a page that the gateway answers for another service is told as well. What is
    stored is never at fault; of two that are put, the later one is.
    """
    services = (*((None, each) for each in stored), *enumerate(put))
    return (*_over_pages(services), *_over_routes(services))


# With their places among those that are put; None: it is stored.
_Services = tuple[tuple[int | None, Definition], ...]


def _over_pages(services: _Services) -> Iterator[RouteConflict]:
    pages = {
        parts: (place, owner.name, page)
        for place, owner in services
        if owner.name
        for parts, page in documentation(owner.name).items()
    }
    for place, service in services:
        for index, _, path in _whole_routes(service.document):
            owner, name, page = pages.get(segments(path), (None, service.name, ""))
            if name == service.name:
                continue
            if place is not None:
                detail = f"would hide {page}, which the gateway answers for service '{name}'"
                yield RouteConflict(place, Fault(f"routes[{index}].path", detail), name)
            elif owner is not None:
                detail = (
                    f"would have the page {page}, "
                    f"which routes[{index}] of service '{service.name}' hides"
                )
                yield RouteConflict(owner, Fault("id", detail), service.name)


def _over_routes(services: _Services) -> Iterator[RouteConflict]:
    first: dict[tuple[str, ...], tuple[str, int, str]] = {}
    for place, service in services:
        for index, method, path in _whole_routes(service.document):
            key = (method, *erased(path))
            name, where, its_path = first.setdefault(key, (service.name, index, path))
            # Those of one service are told when it is read.
            if method and name != service.name and place is not None:
                detail = (
                    f"{method} {path} answers the same requests as {method} {its_path}, "
                    f"routes[{where}] of service '{name}'"
                )
                yield RouteConflict(place, Fault(f"routes[{index}]", detail), name)


def _whole_routes(service: Document) -> Iterator[tuple[int, str, str]]:
    """Places, methods (empty if it is none) and whole paths of the routes that have one."""
    base = service.get("path")
    for index, route in _routes(service):
        method, path = route.get("httpMethod"), route.get("path")
        if isinstance(base, str) and isinstance(path, str):
            yield index, method if isinstance(method, str) else "", joined(base, path)


def _routes(service: Document) -> Iterator[tuple[int, Document]]:
    routes = service.get("routes")
    for index, route in enumerate(routes if isinstance(routes, list) else ()):
        if isinstance(route, dict):
            yield index, route
