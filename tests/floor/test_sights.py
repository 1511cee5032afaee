"""What a caller sees of all definitions is what it may of each, whatever changes."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.access import (
    EVERY,
    Application,
    Grant,
    Principal,
    Sight,
    application_principal,
    sight_of,
)
from services.errors import PermissionDenied
from services.replica import Removed, Replica, Sights, Stored
from services.replica.copy import Change, Place, Trust

NAMES = ["a", "b", "c"]
TAGS = ["team:pay", "eu"]
ME = application_principal("me", "key")
_revisions = itertools.count(1)

names = st.sampled_from(NAMES)
tag_sets = st.frozensets(st.sampled_from(TAGS))
grants = st.builds(
    Grant,
    st.frozensets(st.sampled_from(["READ", "EXECUTE", "UPDATE"])),
    st.just("workflow") | st.just("task"),
    names | st.just("*") | st.just("nobody's"),
) | st.builds(
    Grant,
    st.frozensets(st.sampled_from(["READ", "EXECUTE"])),
    st.just("tag"),
    st.sampled_from([*TAGS, "*"]),
)
roles = st.frozensets(st.sampled_from(["WORKER", "VIEWER", "OPERATOR"]), max_size=1)
applications = st.builds(Application, st.just("me"), roles, st.lists(grants, max_size=3).map(tuple))


@given(applications, st.sampled_from(["READ", "EXECUTE"]), st.dictionaries(names, tag_sets))
def test_what_is_seen_is_what_is_allowed(
    application: Application, access: str, tags: dict[str, frozenset[str]]
) -> None:
    sight = sight_of(application, access, "workflow", lambda: tags)

    for name in [*NAMES, "nobody's", "never heard of"]:
        has = tags.get(name, frozenset())
        assert (name in sight) == application.allows(access, "workflow", name, has)


sights = st.builds(Sight, st.none() | st.frozensets(names))


@given(sights, sights, names)
def test_sights_are_sets(one: Sight, other: Sight, name: str) -> None:
    assert (name in one.within(other)) == (name in one and name in other)
    assert (name in one.beside(other)) == (name in one or name in other)
    assert one.whole == (one == EVERY)


def stored(kind: str, name: str, version: int = 0, **document: Any) -> Stored:
    text = json.dumps({"kind": kind, "name": name, **document})
    return Stored(kind, name, version, 1, f"e{next(_revisions)}", text)


def me(*granted: Grant, roles: tuple[str, ...] = ()) -> Stored:
    permissions = [
        {"target": {"type": each.kind, "id": each.name}, "access": sorted(each.access)}
        for each in granted
    ]
    return stored("application", "me", id="me", roles=list(roles), permissions=permissions)


def replica_of(*changes: Change) -> Replica:
    replica = Replica((), Place(), Trust({}, frozenset()))
    replica.apply(changes, Place("e", 1))
    return replica


changes = (
    st.builds(
        lambda name, version, tags: stored("workflow", name, version, tags=sorted(tags)),
        names,
        st.integers(1, 2),
        tag_sets,
    )
    | st.builds(lambda name, version: Removed("workflow", name, version), names, st.integers(0, 2))
    | applications.map(lambda each: me(*each.grants, roles=tuple(each.roles)))
)


@given(st.lists(changes, max_size=8), st.booleans())
def test_what_changes_is_seen_at_once_and_told(some: list[Change], whole: bool) -> None:
    replica = replica_of(me(Grant(frozenset(("READ",)), "tag", "eu")))
    known = Sights(replica)
    told: list[int] = []
    with known.telling(lambda: told.append(known.version)):
        for each in some:
            before = _seen(known)
            if whole:
                replica.replace([*replica.everything(), each], Place("e", 1))
            else:
                replica.apply([each], Place("e", 1))
            version = len(told)
            assert _seen(known) == _seen(Sights(replica))
            # Who follows a sight and was not told has what holds.
            assert _seen(known) == before or version
            told.clear()
            for name in NAMES:
                sight = _seen(known)
                assert known.may(ME, "READ", "workflow", name) == (
                    sight is not None and name in sight
                )


def _seen(known: Sights) -> Sight | None:
    try:
        return known.of(ME, "READ", "workflow")
    except PermissionDenied:
        return None


def test_tags_are_those_of_the_newest_version() -> None:
    replica = replica_of(
        me(Grant(frozenset(("READ",)), "tag", "eu")),
        stored("workflow", "a", 1, tags=["eu"]),
        stored("workflow", "a", 2, tags=[]),
        stored("workflow", "b", 1, tags=[]),
        stored("workflow", "b", 2, tags=["eu"]),
    )
    known = Sights(replica)

    assert known.of(ME, "READ", "workflow") == Sight(frozenset(("b",)))
    assert not known.may(ME, "READ", "workflow", "a")


def test_services_see_all_and_who_is_gone_nothing() -> None:
    known = Sights(replica_of())

    assert known.of(Principal("service:edge"), "READ", "workflow").whole
    assert known.may(Principal("service:edge"), "READ", "workflow", "a")
    with pytest.raises(PermissionDenied, match="any more"):
        known.of(ME, "READ", "workflow")


def test_a_role_that_is_enough_for_a_call_shows_all() -> None:
    known = Sights(replica_of(me(roles=("WORKER",))))

    assert known.of(ME, "EXECUTE", "workflow", "WORKER").whole
    with pytest.raises(PermissionDenied, match="no EXECUTE on any workflow"):
        known.of(ME, "EXECUTE", "workflow")
