"""What is masked in documents, and in sentences beside them."""

from __future__ import annotations

import json

from hypothesis import given, strategies as st

from services.executor.core.masking import MASK, Sentences, masked, named
from services.executor.core.model import Json

KEYS = frozenset(("card", "pin"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(("card", "pin", "a", "b")), inner, max_size=4)
    ),
    max_leaves=20,
)


def test_values_at_the_keys_are_masked_at_any_depth_whatever_they_are() -> None:
    document: Json = {
        "card": {"number": "4111"}, "a": [{"pin": 1234, "b": "pin"}], "pins": 1, "b": None
    }  # fmt: skip

    assert masked(document, KEYS) == {
        "card": MASK, "a": [{"pin": MASK, "b": "pin"}], "pins": 1, "b": None
    }  # fmt: skip


@given(JSON)
def test_nothing_is_left_at_the_keys_and_nothing_else_is_touched(value: Json) -> None:
    def check(before: Json, after: Json) -> None:
        if isinstance(before, dict):
            assert isinstance(after, dict)
            assert list(before) == list(after)
            for key, item in before.items():
                if key in KEYS:
                    assert after[key] == MASK
                else:
                    check(item, after[key])
        elif isinstance(before, list):
            assert isinstance(after, list)
            for each, other in zip(before, after, strict=True):
                check(each, other)
        else:
            assert before == after

    check(value, masked(value, KEYS))
    assert masked(value, frozenset()) is value


def test_a_document_as_deep_as_any_is_masked() -> None:
    document: Json = {"card": 1}
    for _ in range(511):
        document = {"a": document}

    assert json.dumps(masked(document, KEYS)).count(MASK) == 1


def test_a_sentence_has_no_value_that_is_masked_beside_it() -> None:
    document: Json = {"card": {"number": "4111 1111", "of": "41"}, "a": "open", "pin": 123456}
    said = Sentences.beside([document], KEYS)

    assert said.text("41: 4111 1111 of 123456 is open.") == f"41: {MASK} of {MASK} is open."


def test_a_sentence_has_no_value_that_it_quotes_or_breaks_off() -> None:
    token = "eyJ" + "0123456789" * 20
    card = 'a "b"\n'
    document: Json = {"card": card, "pin": token, "a": token[:22]}
    said = Sentences.beside([document], KEYS)

    assert said.text(f"not {json.dumps(card)} {card!r}.") == (f"not \"{MASK}\" '{MASK}'.")
    assert said.text(f"{token} '{token[:97]}...' {token[:20]}x{token}") == (
        f"{MASK} '{MASK}...' {MASK}x{MASK}"
    )
    assert said.text(token[:19]) == token[:19]


def test_as_many_values_as_there_are_in_all_documents_are_looked_for() -> None:
    documents: list[Json] = [{"card": [f"number {each} of {n}" for n in range(400)]}
                             for each in range(9)]  # fmt: skip

    assert len(Sentences.beside(documents, KEYS).hidden) == 1000


def test_what_is_no_list_of_names_masks_nothing() -> None:
    for given_ in (None, "card", {"card": 1}, [], [1, "", None]):
        assert named({"maskedFields": given_}) == frozenset()
    assert named({"maskedFields": ["a", 1]}) == {"a"}
