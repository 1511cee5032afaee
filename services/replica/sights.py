"""What callers may see and use, by the definitions and grants of this moment."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from services.access import Application, Principal, Sight, could_see, sight_of, tags_of
from services.access.sight import EVERY, Tags
from services.errors import PermissionDenied
from services.replica.copy import Removed, Replica, Stored

_MOST_KNOWN = 4_096


class Sights:
    """The rights of callers over the definitions of one replica.

    The tags of a definition are those of its newest version: whoever takes a tag away takes it from
    what older versions have begun, too.

    Attributes:
        version: Another one whenever a sight may have become another.
    """

    def __init__(self, replica: Replica) -> None:
        self.version = 0
        self._replica = replica
        # By kind, of those kinds that a grant by tag was asked about.
        self._tags: dict[str, dict[str, frozenset[str]]] = {}
        self._known: dict[tuple[str, str, str], Sight] = {}
        self._told: set[Callable[[], None]] = set()
        replica.subscribe(self._changed)

    def of(self, principal: Principal, access: str, kind: str, *roles: str) -> Sight:
        """What of a kind the caller has ``access`` to; all, where it has one of ``roles``.

        A service sees all: which calls it may make is in the table of rights.

        Raises:
            PermissionDenied: There could be nothing.
        """
        application = self._application(principal)
        if application is None or not application.roles.isdisjoint(roles):
            return EVERY
        key = application.id, access, kind
        sight = self._known.get(key)
        if sight is None:
            if not could_see(application, access, kind):
                raise PermissionDenied(
                    f"The application {application.id!r} has no {access} on any {kind}.",
                    application=application.id,
                    access=access,
                )
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            sight = sight_of(application, access, kind, lambda: self._tagged(kind))
            self._known[key] = sight
        return sight

    def may(
        self, principal: Principal, access: str, kind: str, name: str, version: int = 0
    ) -> bool:
        """Whether the caller has ``access`` to that definition, whether it is there or not.

        Args:
            version: Whose tags count; 0: those of the newest.

        Raises:
            PermissionDenied: Its application is gone.
        """
        application = self._application(principal)
        if application is None or application.allows(access, kind, name):
            return True
        tags = _tags(self._replica.get(kind, name, version))
        return application.allows(access, kind, name, tags)

    @contextmanager
    def telling(self, told: Callable[[], None]) -> Generator[None]:
        """Have ``told`` called whenever a sight may have become another, while inside."""
        self._told.add(told)
        try:
            yield
        finally:
            self._told.discard(told)

    def _application(self, principal: Principal) -> Application | None:
        """None: a service calls."""
        if not principal.application_id:
            return None
        application = self._replica.application(principal.application_id)
        if application is None:
            raise PermissionDenied(
                f"There is no application {principal.application_id!r} any more.",
                application=principal.application_id,
            )
        return application

    def _tagged(self, kind: str) -> Tags:
        known = self._tags.get(kind)
        if known is None:
            # Versions come in order: the newest is the last of its name.
            newest = {stored.name: stored for stored in self._replica.all(kind)}
            tags = {name: _tags(stored) for name, stored in newest.items()}
            known = self._tags[kind] = {name: has for name, has in tags.items() if has}
        return known

    def _changed(self, change: Stored | Removed | None) -> None:
        if change is None:
            self._tags.clear()
        elif change.kind != "application" and not self._retagged(change.kind, change.name):
            return
        self._known.clear()
        self.version += 1
        for told in tuple(self._told):
            told()

    def _retagged(self, kind: str, name: str) -> bool:
        """Whether the definition has other tags than it had, of a kind whose tags matter."""
        known = self._tags.get(kind)
        if known is None:
            return False
        has = _tags(self._replica.get(kind, name))
        if has == known.get(name, frozenset()):
            return False
        if has:
            known[name] = has
        else:
            del known[name]
        return True


def _tags(stored: Stored | None) -> frozenset[str]:
    # To look for the word is cheaper than to read a document that has none.
    if stored is None or '"tags"' not in stored.text:
        return frozenset()
    return tags_of(stored.document)
