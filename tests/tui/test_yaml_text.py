from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from ruamel.yaml import YAML

from services.yaml_documents import read_documents
from tui.views.yaml_text import yaml_text

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
lines = st.text(st.sampled_from("ab \t\n\r#-:|>'\"\\\x85\u2028\ufeff"), max_size=20)
texts |= lines
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abcdef"), values, min_size=1))
def test_a_document_printed_as_yaml_reads_back_as_itself(document: dict[str, object]) -> None:
    (read,) = read_documents(yaml_text(document))

    assert read.document == document


def test_words_that_look_like_something_else_stay_words() -> None:
    document = {"country": "NO", "code": "0123", "when": "2026-01-01", "yes": "true"}

    assert read_documents(yaml_text(document))[0].document == document


def test_a_script_is_written_line_by_line() -> None:
    script = "(function () {\n  return $.total * 2;\n})()"

    assert yaml_text({"postResponseScript": script}) == (
        "postResponseScript: |-\n  (function () {\n    return $.total * 2;\n  })()\n"
    )


@pytest.mark.parametrize("value", [[], {}, 7, "a", "", None, True, "two\nlines", "ends\n"])
def test_what_is_no_object_has_no_words_of_yaml_before_it(value: object) -> None:
    text = yaml_text(value)

    assert not text.startswith(("%", "---"))
    assert YAML(typ="safe", pure=True).load(text) == value
