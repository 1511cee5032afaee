"""Who may do what to definitions.

A role or a grant allows what it says (:mod:`services.access`). Beyond that nobody gives away more
than they have (:mod:`services.registry.lending`), and applications and access keys are an
administrator's alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services import access
from services.access import Application
from services.errors import PermissionDenied, Unauthenticated
from services.registry import documents, writeonly
from services.registry.definitions import Definition, Json
from services.registry.lending import Lender
from services.registry.references import Lookup
from services.registry.store import Stored, title
from services.registry.trust import RegistryAuthority
from services.rights import ADMIN, EDGE, EDITOR, EXECUTOR, OPERATOR

_VERBS = {"READ": "read", "CREATE": "create", "UPDATE": "change", "DELETE": "delete"}
# What does something for whoever puts it, or lets others do it.
_ACTING = frozenset(("auth", "event", "schedule", "service"))


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
        return self.application.allows(wanted, kind, name, tags)

    def may_read(self, state: Stored) -> bool:
        """Whether the caller may read that definition."""
        # Tags are looked for in the document only where nothing else is enough.
        return self.may("READ", state.kind, state.name) or self.may(
            "READ", state.kind, state.name, _tags(state)
        )

    def check_state(self, state: Stored) -> None:
        """Refuse a caller who may not read that state of a definition, which may be an earlier one.

        Raises:
            PermissionDenied: The caller may not.
        """
        if not self.may_read(state):
            raise PermissionDenied(
                f"You may not read {title(state.kind, state.name)} as it was at revision "
                f"{state.revision}.",
                kind=state.kind,
                name=state.name,
            )

    def may_read_document(self, kind: str, name: str, document: Mapping[str, Json]) -> bool:
        """As :meth:`may_read`, of what may not be stored yet."""
        return self.may("READ", kind, name, access.tags_of(document))

    def may_name(self, kind: str, name: str, document: Mapping[str, Json]) -> bool:
        """Whether the caller may put what uses that definition: by any access to it."""
        own = self.application
        if own is None or (kind, name) == ("application", own.id):
            return True
        return own.allows_any(kind, name, access.tags_of(document))

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
        lender = self.lender
        if lender is not None:
            lender.check_tags(definition, _tags(before) if before else None)

    @property
    def lender(self) -> Lender | None:
        """What the caller may give away by what it puts; None: it is a service."""
        return Lender(self.application, self.authority) if self.application else None

    def check_together(self, definition: Definition, before: Stored | None, lookup: Lookup) -> None:
        """As :meth:`check_put`, by all that is there once everything of a request is put."""
        lender = self.lender
        if lender is None or definition.kind not in _ACTING:
            return
        stored = documents.stored(before.document) if before else None
        if definition.kind == "service":
            lender.check_opening(definition, stored, lookup)
        lender.check_acting(definition, lookup)
        lender.check_starting(definition, stored, lookup)

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
            PermissionDenied: Its application is paused.
        """
        self.check_still_there()
        if self.application is None:
            return self
        now = self.authority.application(self.application.id)
        if now is not None and not now.enabled:
            raise PermissionDenied(f"The application {now.id!r} is paused.", application=now.id)
        return replace(self, application=now)

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

    def check_writes_schemas(self) -> None:
        """Raise :class:`PermissionDenied` unless the caller may put any schema, or operates."""
        own = self.application
        if own is None or not own.roles.isdisjoint((ADMIN, EDITOR, OPERATOR)):
            return
        if not any(
            grant.kind in ("schema", "tag") and not grant.access.isdisjoint(("CREATE", "UPDATE"))
            for grant in own.grants
        ):
            raise PermissionDenied(
                f"The application {own.id!r} writes no schemas, and so checks no samples.",
                application=own.id,
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
            raise PermissionDenied(
                f"There is no application {principal.application_id!r}.",
                unknown_application=principal.application_id,
            )
    return Caller(principal.name, principal.access_key_id, application, authority)


def _tags(state: Stored) -> frozenset[str]:
    # To look for the word is cheaper than to read a document that has none.
    if '"tags"' not in state.document:
        return frozenset()
    return access.tags_of(documents.stored(state.document))
