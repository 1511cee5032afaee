"""Drafts of definitions: their parts, their faults, what is sent; and two changes of one."""

from __future__ import annotations

from typing import Any

from hypothesis import given, strategies as st

from services.json_text import Json
from tui.views.changes import same
from tui.views.drafts import (
    NEW,
    Draft,
    command,
    faults_within,
    not_yet_given,
    secrets_of,
    without_secrets,
)
from tui.views.forms.fields import form_of
from tui.views.merging import merged

ONE: dict[str, Json] = {"httpMethod": "GET", "path": "/one"}
TWO: dict[str, Json] = {"httpMethod": "GET", "path": "/two"}
SERVICE: dict[str, Json] = {"kind": "service", "id": "orders", "routes": [ONE, TWO]}
SECRET = form_of(
    {"type": "object", "properties": {"name": {"type": "string"}, "value": {"writeOnly": True}}}
)


def draft(index: int = 1) -> Draft:
    return Draft("service", SERVICE, "e1", "orders", within=("routes", index))


def test_a_part_is_written_within_its_whole() -> None:
    changed: Json = {**TWO, "description": "second"}

    assert draft().part() == TWO
    assert draft().whole(changed) == {**SERVICE, "routes": [ONE, changed]}
    assert SERVICE["routes"] == [ONE, TWO]


def test_what_is_behind_the_last_is_new() -> None:
    assert not draft(2).is_stored
    assert draft(2).part() is None
    assert draft(2).whole({"path": "/three"})["routes"] == [ONE, TWO, {"path": "/three"}]


def test_a_route_is_found_again_where_others_went_or_came() -> None:
    now: dict[str, Json] = {**SERVICE, "routes": [TWO]}

    assert draft().read_again(now, "e2").within == ("routes", 0)
    assert draft(0).read_again(now, "e2").within == ("routes", 1)
    assert not draft(0).read_again(now, "e2").is_stored
    assert draft().read_again({}, NEW).within == ("routes", 0)


def test_another_version_replaces_none() -> None:
    base = Draft("schema", {"name": "order", "version": 2}, "e1", "order", 2)

    assert base.etag_for({"name": "order", "version": 2, "data": {}}) == "e1"
    assert base.etag_for({"name": "order", "version": 3}) == NEW
    assert base.etag_for({"name": "other", "version": 2}) == NEW
    assert Draft("schema", {"name": "order"}, "e1", "order").etag_for({"name": "order"}) == "e1"


def test_faults_are_told_where_the_part_has_them() -> None:
    told = [("routes[1].path", "no"), ("routes[1].mappedWorkflow.name", "none"), ("id", "bad")]

    assert faults_within(draft(), told) == [
        ("/path", "no"), ("/mappedWorkflow/name", "none"), ("", "id: bad"),
    ]  # fmt: skip


def test_what_is_missing_so_far_is_no_mistake_yet() -> None:
    wrong, missing = not_yet_given([("path", "no"), ("id", "is required"), ("", "x")], {"path": 1})

    assert wrong == [("path", "no"), ("", "x")]
    assert missing == [("id", "is required")]


def test_secrets_are_shown_to_nobody() -> None:
    document: Json = {"kind": "secret", "name": "TOKEN", "value": "it's"}

    assert without_secrets(SECRET, document) == {"kind": "secret", "name": "TOKEN"}
    assert secrets_of(SECRET, document) == {"value": "it's"}
    line = command({"name": "it's", "value": "v"}, ["value"])
    assert line == """podium apply - <<< '{"name": "it'\\''s", "value": "…"}'"""


def test_changes_that_do_not_meet_are_put_together() -> None:
    base: Json = {"a": 1, "b": {"c": 2, "d": 3}, "gone": True}
    theirs: Json = {"a": 1, "b": {"c": 9, "d": 3}, "gone": True, "new": []}
    mine: Json = {"a": 5, "b": {"c": 2, "d": 3}}

    assert merged(base, theirs, mine) == ({"a": 5, "b": {"c": 9, "d": 3}, "new": []}, [])


def test_changes_that_meet_are_named_and_mine_stands() -> None:
    both, meeting = merged({"a": {"b": 1}}, {"a": {"b": 2}}, {"a": {"b": 3}})

    assert (both, meeting) == ({"a": {"b": 3}}, ["a.b"])


def test_items_are_put_together_where_each_is_changed_by_one_side() -> None:
    mine: Json = [ONE, {**TWO, "x": 1}, {"path": "/mine"}]
    theirs: Json = [{**ONE, "y": 1}, TWO, {"path": "/theirs"}]

    both, meeting = merged([ONE, TWO], theirs, mine)

    assert meeting == []
    assert both == [{**ONE, "y": 1}, {**TWO, "x": 1}, {"path": "/mine"}, {"path": "/theirs"}]
    assert merged([ONE, TWO], [TWO], [ONE, {**TWO, "x": 1}])[1] == ["the whole"]
    assert merged([ONE], [{**ONE, "y": 1}], [{**ONE, "x": 1}])[1] == ["[0]"]


values: Any = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)
documents: Any = st.dictionaries(st.sampled_from("abcd"), values)


@given(documents, documents)
def test_who_changed_nothing_is_in_nobodys_way(base: Json, other: Json) -> None:
    assert same(merged(base, other, base)[0], other)
    assert same(merged(base, base, other)[0], other)
    assert merged(base, other, base)[1] == merged(base, base, other)[1] == []


@given(documents, documents)
def test_the_same_change_twice_is_that_change(base: Json, other: Json) -> None:
    found, meeting = merged(base, other, other)

    assert same(found, other)
    assert meeting == []


@given(documents, documents, documents)
def test_a_change_that_meets_no_other_is_there(base: Json, theirs: Json, mine: Json) -> None:
    found, meeting = merged(base, theirs, mine)
    turned, meeting_too = merged(base, mine, theirs)

    assert bool(meeting) == bool(meeting_too)
    if not meeting:
        assert isinstance(found, dict)
        assert isinstance(turned, dict)
        assert found.keys() == turned.keys()


def test_a_long_document_is_no_command_line() -> None:
    assert command({"name": "long", "description": "x" * 100_000}) == "podium apply FILE"
