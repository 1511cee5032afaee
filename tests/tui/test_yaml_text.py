from __future__ import annotations

from hypothesis import given, strategies as st

from services.yaml_documents import read_documents
from tui.views.yaml_text import yaml_text

texts = st.text(st.characters(blacklist_categories=["Cs", "Cc"], max_codepoint=0xFFFF), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
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
