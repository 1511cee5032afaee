"""How far an RPC is open to an application, before anything is known of what a call is about."""

from __future__ import annotations

from enum import Enum

from services.access.principals import Application
from services.rights import ADMIN, Right
from services.rights.model import DEFINITION, Wanted


class Reach(Enum):
    """How far; GRANTED: where a grant, or all its rights, cover what a call is about."""

    ALL = "all"
    GRANTED = "granted"
    NONE = "none"


def reach(application: Application, right: Right) -> Reach:
    """How far ``right`` goes for an application."""
    if not application.enabled:
        return Reach.NONE
    if right.by_role(application.roles):
        bound = bool(right.where) and ADMIN not in application.roles
        return Reach.GRANTED if bound else Reach.ALL
    if any(_is_granted(application, each) for each in right.grants):
        return Reach.GRANTED
    return Reach.NONE


def _is_granted(application: Application, wanted: Wanted) -> bool:
    return any(
        wanted.access in grant.access
        and (wanted.kind == DEFINITION or grant.kind in ("tag", wanted.kind))
        for grant in application.grants
    )
