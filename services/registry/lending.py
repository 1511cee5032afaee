"""Nobody takes or gives away more than they have, by what they put.

A definition acts for whoever put it: as an application, by what it starts, and by its tags, which
grants name. So what it would do, its writer must be able to do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from services import access
from services.access import ACCESS, Application, Authority
from services.errors import PermissionDenied
from services.registry.definitions import Definition, Json
from services.registry.references import Lookup
from services.registry.store import title
from services.rights import ADMIN, EDITOR, OPERATOR

# What is there already is not created.
_GROWING = tuple(each for each in ACCESS if each != "CREATE")


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

    def check_acting(self, definition: Definition) -> None:
        """Refuse an auth definition by which callers would act as one who may do more."""
        acts_as = definition.document.get("applicationId")
        if definition.kind == "auth" and isinstance(acts_as, str) and not self._may_lend(acts_as):
            raise PermissionDenied(
                f"Application {acts_as!r} may do more than you: only an administrator lets "
                "callers act as it.",
                kind="application",
                name=acts_as,
            )

    def _may_lend(self, application_id: str) -> bool:
        lent = self.authority.application(application_id)
        # One that does not exist is told as a fault of the document.
        if lent is None or ADMIN in self.own.roles:
            return True
        return lent.roles <= self.own.roles and set(lent.grants) <= set(self.own.grants)

    def check_starting(self, definition: Definition) -> None:
        """What the executor does by a definition, whoever puts it must be able to do."""
        if not self.own.roles.isdisjoint((ADMIN, OPERATOR)):
            return
        for name in _done_by(definition):
            if name is None:
                raise PermissionDenied(
                    f"The {definition.kind} {definition.name!r} would act on executions for you: "
                    "only an OPERATOR puts it.",
                    kind=definition.kind,
                    name=definition.name,
                )
            self._check_start(definition, name)

    def _check_start(
        self, definition: Definition, name: str, tags: Collection[str] = frozenset()
    ) -> None:
        if not self.own.allows("EXECUTE", "workflow", name, tags):
            raise PermissionDenied(
                f"The {definition.kind} {definition.name!r} would start the workflow {name!r}, "
                "which you may not.",
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
        if auth.get("authenticationType") != "NONE" or self._may_lend(acts_as):
            return
        known = before is not None and before.get("authConfigId") == auth.get("id")
        opened = set(_mapped(before)) if before is not None and known else set()
        for name in sorted(set(_mapped(service.document)) - opened):
            workflow = lookup("workflow", name, None) or {}
            self._check_start(service, name, access.tags_of(workflow))


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
