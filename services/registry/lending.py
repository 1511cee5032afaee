"""Nobody takes or gives away more than they have, by what they put.

A definition acts for whoever put it: as an application, by what it starts, and by its tags, which
grants name. So what it would do, its writer must be able to do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from services import access
from services.access import ACCESS, Application, Authority
from services.access.beyond import beyond
from services.errors import PermissionDenied
from services.registry import documents
from services.registry.definitions import Definition, Json
from services.registry.references import Lookup
from services.registry.store import title
from services.rights import ADMIN, EDITOR, OPERATOR

# What is there already is not created.
_GROWING = tuple(each for each in ACCESS if each != "CREATE")
# Of schedules and event handlers: whether they do something, and what is for people.
_NOT_DOING = frozenset(("paused", "pausedReason", "active", "description", "metadata", "tags"))
_MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class Lender:
    """An application that puts definitions. Each check raises :class:`PermissionDenied`."""

    own: Application
    authority: Authority

    def check_tags(self, definition: Definition, before: Collection[str] | None) -> None:
        """Refuse tags by which others or the caller itself would get more, or lose what they have.

        Args:
            before: The tags so far; None: the definition is new.
        """
        if not self.own.roles.isdisjoint((ADMIN, EDITOR)):
            return
        kind, name, after = definition.kind, definition.name, access.tags_of(definition.document)
        wanted, so_far = ("CREATE", frozenset[str]()) if before is None else ("UPDATE", before)
        changed = after.symmetric_difference(so_far)
        if not changed:
            return
        held = {tag for tag in changed if self.own.allows(wanted, "", "", (tag,))}
        if not self.own.allows(wanted, kind, "") and changed - held:
            tag = min(changed - held)
            raise PermissionDenied(
                f"You may not tag {title(kind, name)} with {tag!r}, nor take that tag from it: "
                f"that takes {wanted} on the tag.",
                kind=kind,
                name=name,
            )
        self._check_growth(definition, held if before is None else so_far, after)

    def _check_growth(
        self, definition: Definition, base: Collection[str], after: Collection[str]
    ) -> None:
        kind, name = definition.kind, definition.name
        could = {each for each in _GROWING if self.own.allows(each, kind, name, base)}
        can = {each for each in _GROWING if self.own.allows(each, kind, name, after)}
        # What it could not have put where it ends, it does not move there.
        moved = [("get", each) for each in _GROWING if each in can - could]
        moved += [("lose", "UPDATE")] if "UPDATE" in could - can else []
        for verb, each in moved:
            raise PermissionDenied(
                f"You would {verb} {each} on {title(kind, name)} by its tags.", kind=kind, name=name
            )

    def check_acting(self, definition: Definition, lookup: Lookup) -> None:
        """Refuse an auth definition by which callers would act as one who may do more."""
        acts_as = definition.document.get("applicationId")
        if definition.kind != "auth" or not isinstance(acts_as, str):
            return
        more = self._beyond(acts_as, lookup)
        if more:
            raise PermissionDenied(
                f"Application {acts_as!r} may do more than you: {self._told(acts_as, more)}only an "
                "administrator, or who has all that it has, lets callers act as it.",
                kind="application",
                name=acts_as,
            )

    def _told(self, application_id: str, more: list[str]) -> str:
        # What it may is for those who may read it.
        if not self.own.allows("READ", "application", application_id):
            return ""
        others = len(more) - _MOST_TOLD
        said = "; ".join(more[:_MOST_TOLD]) + (f"; and {others} more" if others > 0 else "")
        return f"it has {said}, which you have not; "

    def _beyond(self, application_id: str, lookup: Lookup) -> list[str]:
        """What that application has and the caller has not, in words."""
        lent = self.authority.application(application_id)
        # One that does not exist is told as a fault of the document.
        if lent is None or ADMIN in self.own.roles:
            return []
        return [*beyond(lent, self.own, lambda kind, name: _tags(lookup, kind, name))]

    def check_starting(
        self, definition: Definition, before: Mapping[str, Json] | None, lookup: Lookup
    ) -> None:
        """What the executor does by a definition, whoever puts it must be able to do.

        Args:
            before: As it is stored: to stop it, or to change nothing that it does, takes no more
                than to change it.
        """
        if not self.own.roles.isdisjoint((ADMIN, OPERATOR)):
            return
        if before is not None and _does_no_more(definition, before):
            return
        for name in _done_by(definition):
            if name is None:
                raise PermissionDenied(
                    f"The {definition.kind} {definition.name!r} would act on executions for you: "
                    "only an OPERATOR puts it.",
                    kind=definition.kind,
                    name=definition.name,
                )
            self._check_start(definition, name, _tags(lookup, "workflow", name))

    def _check_start(self, definition: Definition, name: str, tags: Collection[str]) -> None:
        if not self.own.allows("EXECUTE", "workflow", name, tags):
            raise PermissionDenied(
                f"The {definition.kind} {definition.name!r} would start the workflow {name!r}: "
                "that takes EXECUTE on it, which you have not.",
                kind="workflow",
                name=name,
            )

    def check_opening(
        self, service: Definition, before: Mapping[str, Json] | None, lookup: Lookup
    ) -> None:
        """Refuse routes that anybody could call, by which more is started than the caller may.

        Args:
            before: The service as it is stored; what it opens already it may go on to open.
            lookup: All that is there once it is put.
        """
        if not self.own.roles.isdisjoint((ADMIN, OPERATOR)):
            return
        auth = lookup("auth", f"{service.document.get('authConfigId')}", None) or {}
        acts_as = f"{auth.get('applicationId')}"
        if auth.get("authenticationType") != "NONE" or not self._beyond(acts_as, lookup):
            return
        known = before is not None and before.get("authConfigId") == auth.get("id")
        opened = set(_mapped(before)) if before is not None and known else set()
        for name in sorted(set(_mapped(service.document)) - opened):
            self._check_start(service, name, _tags(lookup, "workflow", name))


def _tags(lookup: Lookup, kind: str, name: str) -> frozenset[str]:
    return access.tags_of(lookup(kind, name, None) or {})


def _does_no_more(definition: Definition, before: Mapping[str, Json]) -> bool:
    """Whether it differs from ``before`` by words for people, tags, and that it stops, at most."""
    after = definition.document
    if definition.kind == "schedule":
        on, off = after.get("paused") is not True, before.get("paused") is True
    else:
        on, off = after.get("active") is True, before.get("active") is not True
    return not (on and off) and documents.same(_doing(after), _doing(before))


def _doing(document: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in document.items() if name not in _NOT_DOING}


def _mapped(service: Mapping[str, Json]) -> Iterator[str]:
    routes = service.get("routes")
    for route in routes if isinstance(routes, list) else ():
        mapped = route.get("mappedWorkflow") if isinstance(route, dict) else None
        name = mapped.get("name") if isinstance(mapped, dict) else None
        if isinstance(name, str):
            yield name


def _done_by(definition: Definition) -> Iterator[str | None]:
    """The workflows that are started by a definition; None: something else is done by it."""
    document = definition.document
    if definition.kind == "schedule":
        yield _named(document.get("startWorkflowRequest"))
    actions = document.get("actions")
    for action in actions if definition.kind == "event" and isinstance(actions, list) else ():
        yield _named(action.get("start_workflow")) if isinstance(action, dict) else None


def _named(request: Json) -> str | None:
    name = request.get("name") if isinstance(request, dict) else None
    return name if isinstance(name, str) and "${" not in name else None
