"""Grants as a matrix, and as permissions of an application."""

from __future__ import annotations

from typing import Any

from hypothesis import given, strategies as st

from services.json_text import Json
from tui.views.grants import (
    ACCESS,
    TARGETS,
    Grant,
    added,
    changed_rows,
    grants_of,
    removed,
    toggled,
    with_grants,
)

ONE = Grant("workflow", "one", frozenset({"READ"}))
APPLICATION: dict[str, Json] = {"kind": "application", "id": "app"}


def test_entries_of_one_target_are_one_row() -> None:
    target: Json = {"type": "workflow", "id": "one"}
    document: dict[str, Json] = {
        "permissions": [
            {"target": target, "access": ["READ"]},
            {"target": {"type": "secret", "id": "T"}, "access": ["READ"]},
            {"target": target, "access": ["EXECUTE"]},
            "no entry",
        ]
    }

    assert grants_of(document) == (
        Grant("workflow", "one", frozenset({"READ", "EXECUTE"})),
        Grant("secret", "T", frozenset({"READ"})),
    )


def test_a_cell_is_switched_and_switched_back() -> None:
    once = toggled((ONE,), 0, "DELETE")

    assert once[0].access == {"READ", "DELETE"}
    assert changed_rows((ONE,), once) == {0}
    assert toggled(once, 0, "DELETE") == (ONE,)
    assert changed_rows((ONE,), (ONE,)) == frozenset()


def test_a_target_is_added_once() -> None:
    grants, row = added((ONE,), "tag", "team:billing")

    assert (grants[1], row) == (Grant("tag", "team:billing", frozenset()), 1)
    assert added(grants, "workflow", "one") == (grants, 0)
    assert removed(grants, 1) == (ONE,)


def test_what_grants_nothing_is_left_out() -> None:
    nothing = Grant("task", "t", frozenset())

    assert with_grants({**APPLICATION, "permissions": [1]}, (nothing,)) == APPLICATION
    permissions: Json = [{"target": {"type": "workflow", "id": "one"}, "access": ["READ"]}]
    assert with_grants(APPLICATION, (ONE, nothing)) == {**APPLICATION, "permissions": permissions}


access: Any = st.frozensets(st.sampled_from(ACCESS), min_size=1)
rows: Any = st.dictionaries(
    st.tuples(st.sampled_from(TARGETS), st.text(min_size=1, max_size=5)), access, max_size=6
)


@given(rows)
def test_what_is_stored_reads_back(found: dict[tuple[str, str], frozenset[str]]) -> None:
    grants = tuple(Grant(kind, name, words) for (kind, name), words in found.items())

    assert grants_of(with_grants(APPLICATION, grants)) == grants
