"""What may be done to a record, by what its service has told of the caller's rights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from services.access.principals import Application, Grant
from services.rights import RIGHTS, Right, rpc
from services.rights.model import DEFINITION
from tui.views.access import GRANTED, NONE, Verdict, verdicts
from tui.views.needs import Needs

if TYPE_CHECKING:
    from podium.registry.v1 import access_pb2 as pb


class Own(NamedTuple):
    """Who the console is, and what it may.

    Attributes:
        verdicts: By ``/package.Service/Method``.
    """

    id: str
    application: Application
    verdicts: dict[str, Verdict]


class Subject(NamedTuple):
    """What something is done to.

    Attributes:
        tags: None: they are not known here.
    """

    kind: str
    name: str
    tags: frozenset[str] | None


def own_of(access: pb.Access) -> Own:
    """As the registry tells it."""
    _, _, id_ = access.principal.partition(":")
    grants = tuple(Grant(frozenset(each.access), each.kind, each.name) for each in access.grants)
    return Own("me", Application(id_, frozenset(access.roles), grants), verdicts(access))


def refusal(own: Own | None, needs: Needs | None, subject: Subject | None) -> str:
    """Why something cannot be done, in a sentence; empty: it may be, or that is not known here.

    The service looks again, whatever this says.

    Args:
        own: None: it has not been told.
        needs: What is called; None: nothing.
    """
    if own is None or needs is None:
        return ""
    if _is_administrators(own.application, needs, subject):
        return f"It takes ADMIN; you have {_had(own.application, None)}."
    for name in needs.takes:
        told = own.verdicts.get(rpc(name))
        if told is None:
            continue
        if told.may == NONE or (
            told.may == GRANTED
            and subject is not None
            and not _covered(own.application, RIGHTS[rpc(name)], needs.access, subject)
        ):
            return f"It takes {told.takes}; you have {_had(own.application, subject)}."
    return ""


def _is_administrators(application: Application, needs: Needs, subject: Subject | None) -> bool:
    """Whether it writes an application, which no role but one may, nor any grant."""
    return (
        subject is not None
        and subject.kind == "application"
        and bool(needs.access)
        and not application.allows(needs.access, subject.kind, subject.name)
    )


def _covered(application: Application, right: Right, access: str, subject: Subject) -> bool:
    """Whether a grant covers ``subject``; where that cannot be told, too."""
    wanted = [each for each in right.grants if not access or each.access == access]
    asked = {each.access for each in wanted if each.kind in (subject.kind, DEFINITION)}
    if not asked:
        # It is about something else than the record: about its workflow, say.
        return bool(wanted)
    return any(_allows(application, each, subject) for each in asked)


def _allows(application: Application, access: str, subject: Subject) -> bool:
    tags: Iterable[str] = subject.tags or ()
    if application.allows(access, subject.kind, subject.name, tuple(tags)):
        return True
    return subject.tags is None and any(
        grant.kind == "tag" and access in grant.access for grant in application.grants
    )


def _had(application: Application, subject: Subject | None) -> str:
    roles = " and ".join(sorted(application.roles)) or "no role"
    if subject is None or not application.grants:
        return roles
    return f"{roles} and no such grant on {subject.kind} {subject.name}"
