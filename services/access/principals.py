"""Who calls, and what applications may do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.errors import PermissionDenied
from services.rights import ADMIN, EDITOR, OPERATOR, VIEWER, WORKER

APPLICATION_PREFIX = "application:"
SERVICE_PREFIX = "service:"
ACCESS = ("READ", "CREATE", "UPDATE", "DELETE", "EXECUTE")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls.

    Attributes:
        name: ``application:ID`` or ``service:NAME``.
        application_id: Empty for a service.
        access_key_id: The key that the token was issued for; empty where there was none.
        signing_key_id: The registry's key that signed the token; empty where it was none of those.
            Whoever calls is the same by any.
        via: The service that speaks for the application; empty: it speaks itself.
    """

    name: str
    application_id: str = ""
    access_key_id: str = ""
    signing_key_id: str = field(default="", compare=False)
    via: str = ""


# Who makes the call that is being served; set by AccessInterceptor.
current: ContextVar[Principal] = ContextVar("podium_principal")


def application_principal(
    application_id: str, access_key_id: str = "", signing_key_id: str = ""
) -> Principal:
    """The principal of an application."""
    name = f"{APPLICATION_PREFIX}{application_id}"
    return Principal(name, application_id, access_key_id, signing_key_id)


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to do something with one definition, with all of a kind, or with all of a tag.

    Attributes:
        access: Of READ, CREATE, UPDATE, DELETE, EXECUTE.
        kind: ``workflow``, ``task`` …, or ``tag``.
        name: Its name or id; ``*`` for all of the kind; for a tag ``key:value``.
    """

    access: frozenset[str]
    kind: str
    name: str

    def covers(self, access: str, kind: str, name: str, tags: Collection[str]) -> bool:
        """Whether ``access`` to that definition is in this grant."""
        if access not in self.access:
            return False
        if self.kind == "tag":
            return self.name in tags or (self.name == "*" and bool(tags))
        return self.kind == kind and self.name in (name, "*")


@dataclass(frozen=True, slots=True)
class Application:
    """A service account and what it may do.

    Attributes:
        enabled: Paused, it may do nothing, whatever its roles and grants are.
    """

    id: str
    roles: frozenset[str] = frozenset()
    grants: tuple[Grant, ...] = ()
    enabled: bool = True

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Application:
        """The application that a definition of that kind describes, as the registry stores it."""
        return cls(
            document["id"],
            frozenset(document.get("roles") or ()),
            tuple(
                Grant(frozenset(each["access"]), each["target"]["type"], each["target"]["id"])
                for each in document.get("permissions") or ()
            ),
            document.get("enabled") is not False,
        )

    def allows(self, access: str, kind: str, name: str, tags: Collection[str] = ()) -> bool:
        """Whether it has ``access`` (READ, CREATE …) to the definition, by a role or a grant."""
        if not self.enabled:
            return False
        if not self.roles.isdisjoint(roles_with(access, kind)):
            return True
        return not is_administered(access, kind) and any(
            grant.covers(access, kind, name, tags) for grant in self.grants
        )

    def allows_any(self, kind: str, name: str, tags: Collection[str] = ()) -> bool:
        """Whether it has any access to the definition: enough to name it in what it puts."""
        return any(self.allows(each, kind, name, tags) for each in ACCESS)

    def grounds(
        self, access: str, kind: str, name: str, tags: Collection[str] = ()
    ) -> tuple[str | Grant, ...]:
        """The roles and grants by which it has ``access``; empty: it has not."""
        if not self.enabled:
            return ()
        roles = sorted(self.roles & roles_with(access, kind))
        if is_administered(access, kind):
            return tuple(roles)
        return (*roles, *(each for each in self.grants if each.covers(access, kind, name, tags)))


_READERS = frozenset((ADMIN, EDITOR, OPERATOR, VIEWER))
_ADMINISTRATORS = frozenset((ADMIN,))
_ROLES = {
    "READ": _READERS,
    "EXECUTE": frozenset((ADMIN, OPERATOR)),
    **dict.fromkeys(("CREATE", "UPDATE", "DELETE"), frozenset((ADMIN, EDITOR))),
}
_DOERS = frozenset((ADMIN, OPERATOR, WORKER))


def roles_with(access: str, kind: str) -> frozenset[str]:
    """The roles that have ``access`` to every definition of ``kind``."""
    if is_administered(access, kind):
        return _ADMINISTRATORS
    if access == "EXECUTE" and kind == "task":
        return _DOERS
    return _ROLES.get(access, _ADMINISTRATORS)


def is_administered(access: str, kind: str) -> bool:
    """Whether that access is an administrator's alone, whatever grants say."""
    # Whoever writes applications could make itself an administrator.
    return kind == "application" and access in ("CREATE", "UPDATE", "DELETE")


def tags_of(document: Mapping[str, Any]) -> frozenset[str]:
    """The tags of a definition, as grants name them: ``key:value``, or the tag's own text."""
    tags = document.get("tags")
    found = set[str]()
    for tag in tags if isinstance(tags, list) else ():
        if isinstance(tag, str):
            found.add(tag)
        elif isinstance(tag, dict):
            found.add(f"{tag.get('key')}:{tag.get('value')}")
    return frozenset(found)


class Authority(Protocol):
    """What is known of applications and keys; kept locally, so it answers at once."""

    def application(self, application_id: str, /) -> Application | None:
        """The application, if there is one."""

    def public_key(self, key_id: str, /) -> str | None:
        """The PEM of the Ed25519 key by which tokens with that ``kid`` are verified."""

    def revoked(self, access_key_id: str, /) -> bool:
        """Whether tokens of that access key are void: it was revoked, or has expired."""

    def revoked_signer(self, key_id: str, /) -> bool:
        """Whether what tokens signed with that key have opened must end: it was revoked.

        One that was only replaced is not: its last tokens end by themselves.
        """


def require(
    principal: Principal,
    authority: Authority,
    access: str,
    kind: str,
    name: str,
    tags: Collection[str] = (),
) -> None:
    """Refuse ``principal`` unless it has ``access`` to the definition.

    A service may: which calls it may make at all is in the table of rights.

    Raises:
        PermissionDenied: It has not.
    """
    if principal.name.startswith(SERVICE_PREFIX):
        return
    application = authority.application(principal.application_id)
    if application is None or not application.allows(access, kind, name, tags):
        raise PermissionDenied(
            f"The application {principal.application_id!r} has no {access} on the {kind} {name!r}.",
            application=principal.application_id,
            access=access,
        )
