"""What becomes of a form by what is done in it."""

from __future__ import annotations

from typing import Any

from hypothesis import given, strategies as some

from services.json_text import Json
from tests.tui.forms.schemas import form_for, object_of
from tui.views.forms import editing
from tui.views.forms.checks import checked, placed
from tui.views.forms.documents import Path, value_at
from tui.views.forms.fields import Hints, form_of
from tui.views.forms.rows import OPTION, FormRow, FormState, rows_of

SERVICE = form_for("service")


def begun(document: Json | None = None, **more: Any) -> FormState:
    return editing.begun(SERVICE, document, **more)


def row(state: FormState, *path: str | int, part: str = "") -> FormRow:
    return next(each for each in rows_of(state) if each.path == path and part in ("", each.part))


def lines(state: FormState) -> list[str]:
    return [f"{each.label}: {each.value}".strip(": ") for each in rows_of(state)]


def test_a_new_document_has_its_constants_only() -> None:
    assert begun().document == {"kind": "service"}


def test_only_what_was_written_is_in_the_document() -> None:
    state = begun()
    state = editing.typed(state, row(state, "id"), "billing")
    state = editing.folded(state, ("corsConfig",))
    state = editing.typed(state, row(state, "corsConfig", "accessControlMaxAge"), "60")

    assert state.document == {
        "kind": "service", "id": "billing", "corsConfig": {"accessControlMaxAge": 60},
    }  # fmt: skip
    state = editing.cleared(state, row(state, "corsConfig", "accessControlMaxAge"))
    assert state.document == {"kind": "service", "id": "billing"}


def test_what_is_not_of_the_form_stays() -> None:
    state = begun({"kind": "service", "id": "a", "x-own": {"b": 1}})
    state = editing.typed(state, row(state, "name"), "A")

    assert state.document == {"kind": "service", "id": "a", "x-own": {"b": 1}, "name": "A"}


def test_a_text_that_is_no_value_stays_as_it_was_typed() -> None:
    state = begun()
    state = editing.typed(state, row(state, "id"), "Not an id")

    assert row(state, "id").value == "Not an id"
    assert state.document == {"kind": "service"}
    assert "must match" in rows_of(state)[1].value
    assert editing.sent(state).faults[("id",)][0].startswith("must match")
    state = editing.typed(state, row(state, "id"), "an-id")
    assert not state.faults
    assert not state.texts


def test_a_truth_begins_with_the_other_of_its_default() -> None:
    state = editing.toggled(begun(), row(begun(), "enabled"))
    assert value_at(state.document, ("enabled",)) is False
    state = editing.toggled(state, row(state, "enabled"))
    assert value_at(state.document, ("enabled",)) is True


def test_immutable_fields_are_fixed_once_they_are_stored() -> None:
    assert not row(begun({"id": "a"}), "id").fixed
    state = begun({"id": "a"}, existing=True)
    assert row(state, "id").fixed
    assert editing.cleared(state, row(state, "id")) == state


def with_routes(*paths: str) -> FormState:
    routes: list[Json] = [{"path": path} for path in paths]
    return editing.folded(begun({"routes": routes}), ("routes",))


def paths(state: FormState) -> list[Json]:
    routes = value_at(state.document, ("routes",))
    assert isinstance(routes, list)
    return [each.get("path") for each in routes if isinstance(each, dict)]


def test_an_item_is_added_opened_with_what_it_must_have() -> None:
    state, path = editing.added(begun(), ("routes",))

    assert path == ("routes", 0)
    assert value_at(state.document, path) == {}
    assert {("routes",), path, (*path, "mappedWorkflow")} <= set(state.open)
    assert "name" in [each.label for each in rows_of(state)][4:]


def test_items_are_doubled_moved_and_removed() -> None:
    state, path = editing.duplicated(with_routes("/a", "/b"), ("routes", 0))
    assert (path, paths(state)) == (("routes", 1), ["/a", "/a", "/b"])
    state, path = editing.shifted(state, ("routes", 2), -2)
    assert (path, paths(state)) == (("routes", 0), ["/b", "/a", "/a"])
    state = editing.removed(editing.removed(state, ("routes", 0)), ("routes", 0))
    assert paths(state) == ["/a"]
    assert "routes" not in str(editing.removed(state, ("routes", 0)).document)


def test_what_is_open_wrong_or_half_written_goes_with_its_item() -> None:
    state = editing.folded(with_routes("/a", "/b", "/c"), ("routes", 1))
    state = editing.typed(state, row(state, "routes", 1, "path"), "nope")
    state, _ = editing.shifted(state, ("routes", 1), 1)
    assert state.texts == {("routes", 2, "path"): "nope"}
    state = editing.removed(state, ("routes", 0))
    assert set(state.faults) == {("routes", 1, "path")}
    assert ("routes", 1) in state.open
    assert not editing.removed(state, ("routes", 1)).texts


@given(some.lists(some.tuples(some.sampled_from(["add", "double", "remove", "up", "down"]),
                              some.integers(0, 4)), max_size=12))  # fmt: skip
def test_notes_about_items_stay_with_them(steps: list[tuple[str, int]]) -> None:
    """Every item has its own path as a half-written text: wherever it goes, the text goes too."""
    state = with_routes("0", "1", "2")
    state = FormState(
        state.form, state.document, state.open,
        texts={("routes", n, "path"): str(n) for n in range(3)},
    )  # fmt: skip
    for step, index in steps:
        routes = value_at(state.document, ("routes",))
        count = len(routes) if isinstance(routes, list) else 0
        path: Path = ("routes", min(index, count - 1))
        if step == "add":
            state, _ = editing.added(state, ("routes",))
        elif count and step == "double":
            state, _ = editing.duplicated(state, path)
        elif count and step == "remove":
            state = editing.removed(state, path)
        elif count:
            state, _ = editing.shifted(state, path, 1 if step == "down" else -1)

    for path, text in state.texts.items():
        assert value_at(state.document, path) == text
    assert all(value_at(state.document, path) is not None for path in state.texts)


def test_a_union_is_as_its_value_or_as_it_was_chosen() -> None:
    form = form_for("auth")
    state, path = editing.added(editing.begun(form), ("apiKeys",))
    assert row(state, *path, OPTION).value == "string"
    state = editing.typed(state, row(state, *path, OPTION), "object")
    assert value_at(state.document, path) == {}
    state = editing.typed(state, row(state, *path, "name"), "first")

    assert state.document == {"kind": "auth", "apiKeys": [{"name": "first"}]}
    known = editing.folded(editing.folded(editing.begun(form, {"apiKeys": [{"key": "k"}]}),
                                          ("apiKeys",)), ("apiKeys", 0))  # fmt: skip
    assert row(known, "apiKeys", 0, OPTION).value == "object"


PARTS = [object_of(a={"type": "string"}), object_of(b={"type": "string"}), {"type": "integer"}]


def test_options_of_one_name_are_told_apart_and_each_can_be_chosen() -> None:
    form = form_of(object_of(u={"oneOf": PARTS}))
    state = editing.folded(editing.begun(form), ("u",))
    choice = row(state, "u", OPTION)
    assert choice.field.choices == ("object 1", "object 2", "integer")

    state = editing.typed(state, choice, "object 2")

    assert row(state, "u", OPTION).value == "object 2"
    assert [each.label for each in rows_of(state)][2] == "b"


def test_an_empty_item_is_of_the_option_that_was_chosen_for_it() -> None:
    form = form_of(object_of(l={"type": "array", "items": {"oneOf": PARTS}}))
    state, path = editing.added(editing.begun(form), ("l",))

    state = editing.typed(state, row(state, *path, OPTION), "object 2")

    assert value_at(state.document, path) == {}
    assert row(state, *path, OPTION).value == "object 2"
    state = editing.typed(state, row(state, *path, "b"), "x")
    assert state.document == {"l": [{"b": "x"}]}


def test_a_secret_is_in_no_row() -> None:
    document: Json = {"apiKeys": ["sesame-1234", {"name": "n", "key": "sesame-5678"}]}
    state = editing.begun(form_for("auth"), document)
    for path in (("apiKeys",), ("apiKeys", 0), ("apiKeys", 1)):
        assert "sesame" not in str(lines(state))
        state = editing.folded(state, path)
    assert "sesame" not in str(lines(state))


def test_all_that_is_missing_is_told_where_it_is_to_be_written() -> None:
    state = editing.sent(begun({"kind": "service", "id": "a", "routes": [{"path": "/x"}]}))

    assert set(state.faults) == {
        ("path",),
        ("authConfigId",),
        ("routes", 0, "httpMethod"),
        ("routes", 0, "mappedWorkflow", "name"),
    }
    assert ("routes", 0, "mappedWorkflow") in state.open


def test_what_a_service_says_is_told_at_the_innermost_field() -> None:
    document: Json = {"kind": "service", "routes": [{"path": "x", "tags": [1]}]}
    faults = placed(
        SERVICE,
        document,
        [
            ("routes[0].path", "must begin with /"),
            ("/routes/0/tags/0/deep", "is odd"),
            ("routes[7]", "is not there"),
            ("kind", "must be service"),
            ("what[ever", "is unknown"),
            ("", "is too large"),
        ],
    )

    assert faults == {
        ("routes", 0, "path"): ("must begin with /",),
        ("routes", 0, "tags"): ("is odd",),
        ("routes", 7): ("is not there",),
        (): ("must be service", "is unknown", "is too large"),
    }
    told = [each for each in rows_of(editing.refused(begun(document), faults))
            if each.part == "fault"]  # fmt: skip
    assert {each.value for each in told} >= {"must begin with /", "is odd", "is too large"}


def test_what_is_wrong_in_a_folded_group_is_told_at_the_group() -> None:
    state = FormState(SERVICE, {}, faults={("corsConfig", "accessControlMaxAge"): ("is odd",)})

    assert "accessControlMaxAge: is odd" in lines(state)


def test_an_optional_group_lacks_nothing_until_something_is_in_it() -> None:
    form = form_of(object_of(g=object_of("a", "b", a={"type": "string"}, b={"type": "string"})))

    assert not checked(form, {})
    assert set(checked(form, {"g": {"a": "x"}})) == {("g", "b")}


def test_a_form_without_fields_is_one_of_json() -> None:
    state = editing.begun(form_of({"type": "object"}))
    state = editing.typed(state, rows_of(state)[0], '{"a": 1}')

    assert state.document == {"a": 1}
    assert editing.typed(state, rows_of(state)[0], "").document == {}


def test_values_of_another_type_are_faults_and_not_the_end() -> None:
    document: Json = {"id": [1], "enabled": "maybe", "routes": {"a": 1}, "corsConfig": 3}
    state = editing.sent(begun(document))

    assert {("id",), ("enabled",), ("routes",), ("corsConfig",)} <= set(state.faults)
    assert len(rows_of(state)) > 10


def test_hints_reach_into_lists() -> None:
    form = form_of(
        object_of(a={"type": "array", "items": object_of(b={"type": "string"})}),
        Hints(refers={"a[].b": "workflow"}),
    )
    state, path = editing.added(editing.begun(form), ("a",))

    assert row(state, *path, "b").field.refers_to == "workflow"
