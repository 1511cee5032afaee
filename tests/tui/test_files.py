"""Names and contents of exported files."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given, strategies as st

from services.yaml_documents import read_documents
from tests.tui.test_yaml_text import texts, values
from tui.views.files import path, paths, text

kinds = st.sampled_from(["workflow", "service", "auth"])
names = texts | st.text(st.characters(exclude_categories=["Cs"]), max_size=255)
keys = st.tuples(kinds, names.filter(bool), st.integers(0, 3))


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        (("service", "orders", 0), "service/orders.yaml"),
        (("workflow", "checkout", 2), "workflow/checkout.v2.yaml"),
        (("workflow", "a/b c", 1), "workflow/a%2Fb%20c.v1.yaml"),
        (("workflow", "..", 1), "workflow/%2E..v1.yaml"),
        (("workflow", ".hidden", 1), "workflow/%2Ehidden.v1.yaml"),
        (("workflow", "größe", 1), "workflow/gr%C3%B6%C3%9Fe.v1.yaml"),
    ],
)
def test_a_name_is_a_file_name_where_it_can_be(key: tuple[str, str, int], wanted: str) -> None:
    assert path(*key) == wanted


@given(st.sets(keys, max_size=8))
def test_no_two_definitions_have_one_file_in_any_case_and_none_is_out_of_its_folder(
    wanted: set[tuple[str, str, int]],
) -> None:
    found = paths(wanted)

    assert len({each.casefold() for each in found.values()}) == len(wanted)
    for (kind, _, _), each in found.items():
        folder, name = PurePosixPath(each).parts
        assert folder == kind
        assert name.isascii()
        assert not name.startswith(".")
        assert len(name) <= 220


@given(st.dictionaries(st.sampled_from("abcdef"), values, min_size=1))
def test_what_is_exported_reads_back_as_itself(document: dict[str, object]) -> None:
    (read,) = read_documents(text(document))  # type: ignore[arg-type]

    assert read.document == document


def test_what_is_known_of_keys_is_not_exported() -> None:
    assert text({"kind": "auth", "id": "a", "knownKeys": [{"name": "b"}]}) == "kind: auth\nid: a\n"
