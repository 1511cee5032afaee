"""Who may run a definition that is not put, and what it may name: as if it were put."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.access import Authority, Principal, require, tags_of
from services.errors import PermissionDenied
from services.executor.core.secret_uses import secrets_lent, secrets_named
from services.replica import Replica
from services.workflow_starts import Starts, starts_of, webhooks_of

_WORKFLOW = "workflow"


def may_define(principal: Principal, authority: Authority, name: str) -> bool:
    """Whether ``principal`` may put a workflow of that name, too, and so name secrets in it.

    Raises:
        PermissionDenied: It may not even run what is not put.
    """
    try:
        require(principal, authority, "CREATE", "workflow", name)
    except PermissionDenied:
        # Who may run some workflows only has no say in what one of those names does.
        require(principal, authority, "EXECUTE", "workflow", "")
        return False
    return True


def check_named(principal: Principal, replica: Replica, document: Mapping[str, Any]) -> None:
    """Refuse a definition by which ``principal`` would be told, start or hear what it may not.

    Raises:
        PermissionDenied: It names a secret that the caller may not read, or starts a workflow
            or waits for a webhook that the caller has no access to; one that is not there is told
            in the same words.
    """
    # Whoever says where a secret goes could have it sent to themselves.
    given = dict(document)

    def task(name: str) -> dict[str, Any] | None:
        stored = replica.get("task", name)
        return stored.document if stored else None

    for name in (*secrets_named(given), *secrets_lent(given, task)):
        require(principal, replica, "READ", "secret", name)
    _check_open(principal, replica, _WORKFLOW, starts_of(document))
    _check_open(principal, replica, "webhook", webhooks_of(document))


def _check_open(principal: Principal, replica: Replica, kind: str, used: Starts) -> None:
    own = replica.application(principal.application_id)
    if own is None or own.allows_any(kind, ""):
        return
    for name in used.names:
        stored = replica.get(kind, name)
        if not own.allows_any(kind, name, tags_of(stored.document) if stored else ()):
            raise PermissionDenied(f"There is no {kind} {name!r} that you may use.")
    if used.open:
        raise PermissionDenied(
            f"{used.open[0]!r} may be about any {kind}, as its name is known only when it runs: "
            f"that takes an access to all of them ({kind} *)."
        )
