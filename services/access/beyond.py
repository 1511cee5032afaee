"""What one application may and another may not: nobody lets callers act as who may more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from services.access.principals import ACCESS, Application, Grant, is_administered, roles_with
from services.rights import RIGHTS, ROLES

# Tags of a definition, by its kind and name.
TagsOf = Callable[[str, str], Collection[str]]
# A role has the same accesses to all kinds but these.
_APART = ("", "task", "application")


def beyond(lent: Application, own: Application, tags_of: TagsOf) -> Iterator[str]:
    """What ``lent`` has and ``own`` has not by any role, grant or tag, in words.

    Args:
        tags_of: Of what a grant of ``lent`` names: by them a grant of ``own`` may cover it.
    """
    for role in ROLES:
        if role in lent.roles and not _holds(own.roles, role):
            yield f"the role {role}"
    for grant in lent.grants:
        lacking = _lacking(grant, own, tags_of)
        if lacking:
            yield f"{', '.join(lacking)} on {grant.kind} {grant.name!r}"


def _holds(own: frozenset[str], role: str) -> bool:
    """Whether ``own`` may all that ``role`` may: what a VIEWER may, an EDITOR may, too."""
    if role in own:
        return True
    wanted = (roles_with(access, kind) for access in ACCESS for kind in _APART)
    return all(not own.isdisjoint(roles) for roles in wanted if role in roles) and all(
        right.by_role(own) for right in RIGHTS.values() if role in right.roles
    )


def _lacking(grant: Grant, own: Application, tags_of: TagsOf) -> list[str]:
    kind, name = grant.kind, grant.name
    # A grant on all of a kind is on what has no tag, too.
    tags = (name,) if kind == "tag" else () if name == "*" else tags_of(kind, name)
    return [
        access
        for access in ACCESS
        if access in grant.access
        # Such a grant gives nothing.
        and not is_administered(access, kind)
        and not own.allows(access, kind, name, tags)
    ]
