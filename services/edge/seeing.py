"""What of the gateway a caller may see: that which is of services that it may READ."""

from __future__ import annotations

from services.access import Principal, Sight, current
from services.errors import PermissionDenied
from services.replica import Replica, Sights

_READ = "READ"


class Seeing:
    """The rights of whoever makes the call that is being served.

    Attributes:
        sights: Of the definitions that the gateway serves by.
    """

    def __init__(self, replica: Replica) -> None:
        self.sights = Sights(replica)

    def services(self, service_id: str = "") -> Sight:
        """The services that the caller may read.

        Args:
            service_id: The one that it asks for; empty: it asks for all.

        Raises:
            PermissionDenied: It may not read that one, whether it is there or not; or none at all.
        """
        return self.services_of(current.get(), service_id)

    def services_of(self, principal: Principal, service_id: str = "") -> Sight:
        """As :meth:`services`, of some caller."""
        if service_id:
            self._check(principal, "service", service_id)
        return self.sights.of(principal, _READ, "service")

    def check_auth(self, auth_id: str) -> None:
        """Raises :class:`PermissionDenied` unless the caller may read that auth configuration."""
        self._check(current.get(), "auth", auth_id)

    def check_workflow(self, name: str) -> None:
        """Raises :class:`PermissionDenied` unless the caller may read what that workflow gave.

        Which that is it does not say.
        """
        self._check(current.get(), "workflow", name, "workflow of this answer")

    def _check(self, principal: Principal, kind: str, name: str, what: str = "") -> None:
        if not self.sights.may(principal, _READ, kind, name):
            raise PermissionDenied(
                f"The application {principal.application_id!r} has no READ on the "
                f"{what or f'{kind} {name!r}'}.",
                application=principal.application_id,
                access=_READ,
            )
