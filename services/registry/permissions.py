"""Who may do what to definitions.

A role or a grant allows what it says (:mod:`services.access`). Beyond that nobody gives away more
than they have: applications and access keys are an administrator's alone, and who lets callers act
as an application must be able to do all that it can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from services import access
from services.access import Application
from services.errors import PermissionDenied, Unauthenticated
from services.registry import documents, writeonly
from services.registry.definitions import Definition, Json
from services.registry.store import Stored, title
from services.registry.trust import RegistryAuthority
from services.rights import ADMIN, EDGE, EXECUTOR, OPERATOR

_VERBS = {"READ": "read", "CREATE": "create", "UPDATE": "change", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call.

    Attributes:
        name: ``application:ID`` or ``service:NAME``.
        application: None for a service.
    """

    name: str
    access_key_id: str
    application: Application | None
    authority: RegistryAuthority

    def may(self, wanted: str, kind: str, name: str, tags: frozenset[str] = frozenset()) -> bool:
        """Whether the caller has the access ``wanted``: READ, CREATE, UPDATE or DELETE."""
        if self.application is None:
            return wanted == "READ"
        if kind == "application" and wanted != "READ":
            # Whoever writes applications could make itself an administrator.
            return ADMIN in self.application.roles
        return self.application.allows(wanted, kind, name, tags)

    def may_read(self, state: Stored) -> bool:
        """Whether the caller may read that definition."""
        # Tags are looked for in the document only where nothing else is enough.
        return self.may("READ", state.kind, state.name) or self.may(
            "READ", state.kind, state.name, _tags(state)
        )

    def may_read_document(self, kind: str, name: str, document: Mapping[str, Json]) -> bool:
        """As :meth:`may_read`, of what may not be stored yet."""
        return self.may("READ", kind, name, access.tags_of(document))

    def check(self, wanted: str, kind: str, name: str, state: Stored | None = None) -> None:
        """Refuse a caller without the access; a grant by tag counts by the tags of ``state``.

        Raises:
            PermissionDenied: The caller has it not.
        """
        if not self.may(wanted, kind, name, _tags(state) if state else frozenset()):
            raise PermissionDenied(
                f"You may not {_VERBS[wanted]} {title(kind, name)}.", kind=kind, name=name
            )

    def check_put(self, definition: Definition, before: Stored | None) -> None:
        """Refuse a caller who may not put ``definition`` over ``before``.

        Raises:
            PermissionDenied: The caller may not.
        """
        kind, name = definition.kind, definition.name
        if before is not None:
            self.check("UPDATE", kind, name, before)
        elif not self.may("CREATE", kind, name, access.tags_of(definition.document)):
            raise PermissionDenied(f"You may not create {title(kind, name)}.", kind=kind, name=name)
        acts_as = definition.document.get("applicationId")
        if kind == "auth" and isinstance(acts_as, str):
            self._check_lending(acts_as)
        self._check_starting(definition)

    def _check_starting(self, definition: Definition) -> None:
        """What the executor does by a definition, whoever puts it must be able to do."""
        if self.application is None or not self.application.roles.isdisjoint((ADMIN, OPERATOR)):
            return
        for name in _done_by(definition):
            if name is None:
                raise PermissionDenied(
                    f"The {definition.kind} {definition.name!r} would act on executions for you: "
                    "only an OPERATOR puts it.",
                    kind=definition.kind,
                    name=definition.name,
                )
            if not self.may("EXECUTE", "workflow", name):
                raise PermissionDenied(
                    f"The {definition.kind} {definition.name!r} would start the workflow {name!r}, "
                    "which you may not.",
                    kind="workflow",
                    name=name,
                )

    def _check_lending(self, application_id: str) -> None:
        lent, own = self.authority.application(application_id), self.application
        # One that does not exist is told as a fault of the document.
        if own is None or lent is None or ADMIN in own.roles:
            return
        if not (lent.roles <= own.roles and set(lent.grants) <= set(own.grants)):
            raise PermissionDenied(
                f"Application {application_id!r} may do more than you: only an administrator lets "
                "callers act as it.",
                kind="application",
                name=application_id,
            )

    def check_still_there(self) -> None:
        """Raise :class:`Unauthenticated` once the caller's key is revoked or application gone."""
        if self.application is None:
            return
        gone = self.authority.application(self.application.id) is None
        if gone or self.authority.revoked(self.access_key_id):
            raise Unauthenticated("The access key was revoked.")

    def as_of_now(self) -> Caller:
        """The same caller with the rights that it has now.

        Raises:
            Unauthenticated: Its key is revoked or its application gone.
        """
        self.check_still_there()
        if self.application is None:
            return self
        return replace(self, application=self.authority.application(self.application.id))

    def check_reads(self) -> None:
        """Raise :class:`PermissionDenied` if there is no definition that the caller could read."""
        application = self.application
        if application is None or self.may("READ", "", ""):
            return
        if not any("READ" in grant.access for grant in application.grants):
            raise PermissionDenied(
                f"The application {application.id!r} has no READ on any definition.",
                application=application.id,
                access="READ",
            )

    def check_role(self, *roles: str) -> None:
        """Raise :class:`PermissionDenied` unless the caller has one of ``roles``, or is ADMIN."""
        if self.application and self.application.roles.isdisjoint((ADMIN, *roles)):
            raise PermissionDenied(
                f"The application {self.application.id!r} may not call this any more.",
                application=self.application.id,
            )

    def sees(self, state: Stored) -> str | None:
        """The document of ``state`` as the caller may watch it; None if not at all.

        Services see it in full; sealed values of secrets go to the executor only.
        """
        if self.name == EXECUTOR or (self.name == EDGE and state.kind != "secret"):
            return state.document
        return writeonly.readable_text(state) if self.may_read(state) else None


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


def calling(authority: RegistryAuthority) -> Caller:
    """Who makes the call that is being served.

    Raises:
        PermissionDenied: The application was deleted meanwhile.
    """
    principal = access.current.get()
    application = None
    if principal.application_id:
        application = authority.application(principal.application_id)
        if application is None:
            raise PermissionDenied(f"There is no {principal.name} any more.")
    return Caller(principal.name, principal.access_key_id, application, authority)


def _tags(state: Stored) -> frozenset[str]:
    # To look for the word is cheaper than to read a document that has none.
    if '"tags"' not in state.document:
        return frozenset()
    return access.tags_of(documents.stored(state.document))
