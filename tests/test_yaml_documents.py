"""Text into documents, strictly."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings, strategies as st

from services.json_text import UNWRITABLE, DocumentError, Json, SyntaxFault, parse_json
from services.yaml_documents import read_documents

ESCAPES = (
    "\\ud83d", "\\uDE00", "\\ude00", "\\u0000", "\\u0041", "\\uE000", "\\n", "\\\\", '\\"',
    "ud83d", "ude00", "u0000", "é",
)  # fmt: skip


def read(text: str) -> list[tuple[int, Json]]:
    return [(found.line, found.document) for found in read_documents(text)]


def fault(text: str) -> str:
    with pytest.raises(DocumentError) as caught:
        read_documents(text)
    return str(caught.value)


def test_scalars_are_those_of_yaml_1_2() -> None:
    text = """\
no: NO
yes: yes
time: 12:30
day: 2027-01-31
odd: 0123
octal: 0o17
hex: 0x1F
long: 1_000
exact: 123456789012345678901234567890
decimal: -1.5e3
nothing: ~
empty:
true: true
200: text
quoted: "5"
tagged: !!str 5
"""
    assert read(text) == [
        (1, {
            "no": "NO", "yes": "yes", "time": "12:30", "day": "2027-01-31", "odd": 123,
            "octal": 15, "hex": 31, "long": "1_000", "exact": 123456789012345678901234567890,
            "decimal": -1500.0, "nothing": None, "empty": None, "true": True, "200": "text",
            "quoted": "5", "tagged": "5",
        })
    ]  # fmt: skip


def test_a_yaml_text_holds_several_documents_each_with_its_line() -> None:
    assert read("# first\n---\na: 1\n---\n---\n\nb: 2\n...\n---\n- c: 3\n- d: 4\n") == [
        (3, {"a": 1}),
        (7, {"b": 2}),
        (10, {"c": 3}),
        (11, {"d": 4}),
    ]
    assert read("") == []
    assert read("# nothing\n") == []


def test_a_json_text_holds_several_documents_each_with_its_line() -> None:
    assert read('\ufeff[{"a": 1},\n\n {"b": 2}]\n{"c": 3}') == [
        (1, {"a": 1}),
        (3, {"b": 2}),
        (4, {"c": 3}),
    ]
    assert read("[]") == []
    assert read('{"a": 1}\n---\n{"b": 2}') == [(1, {"a": 1}), (3, {"b": 2})]


def test_anchors_and_merges_work() -> None:
    text = "base: &base {a: 1, b: 2}\nother:\n  <<: *base\n  b: 3\nlist: [*base, '<<']\n"

    assert read(text) == [
        (1, {"base": {"a": 1, "b": 2}, "other": {"a": 1, "b": 3}, "list": [{"a": 1, "b": 2}, "<<"]})
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: the key 'a' is given twice"),
        ("a:\n  b: 1\n  'b': 2\n", "line 3: the key 'b' is given twice"),
        ('{"a": {"b": 1},\n "c": [{"b": 1,\n "b": 2}]}', "line 3: the key 'b' is given twice"),
        ('{"\\u0061": 1,\n"a": 2}', "line 2: the key 'a' is given twice"),
        ("a: .nan", "line 1: .nan is no JSON"),
        ("a: -.INF", "line 1: -.INF is no JSON"),
        ('{"a":\nNaN}', "line 2: NaN is no JSON"),
        ('{"a": -Infinity}', "line 1: -Infinity is no JSON"),
        ('{"a": 1e999}', "line 1: 1e999 is too large a number"),
        ("a: 1e999", "line 1: 1e999 is too large a number"),
        ('{"a": ' + "1" * 5000 + "}", "line 1: a number has more than 4300 digits"),
        ("a: " + "1" * 5000, "line 1: a number has more than 4300 digits"),
        ('a: "\\0"', "line 1: text must not hold U+0000 or a lone surrogate"),
        ('\n\na: "\\ud800"', "line 3: text must not hold U+0000 or a lone surrogate"),
        ('{"a":\n"\\u0000"}', "line 2: text must not hold U+0000 or a lone surrogate"),
        ('{"\\udc00": 1}', "line 1: text must not hold U+0000 or a lone surrogate"),
        ("a: !!binary aGk=", "line 1: the tag tag:yaml.org,2002:binary makes no JSON"),
        ("a: !python/object:os.system x", "line 1: the tag !python/object:os.system makes no JSON"),
        ("a: !!int x", "line 1: 'x' is no !!int"),
        ("? [1]\n: 2", "line 1: a key must be text"),
        ("a: *b", "line 1: *b has no anchor before it"),
        ("a: &a [*a]", "line 1: *a has no anchor before it"),
        ("a: " + "[" * 200, "line 1: is nested deeper than 150 levels"),
        ("[" * 100_000, "line 1: is nested too deeply"),
        ("<<: 5\nb: 1", "line 1: << takes an object or a list of objects"),
        ('{"a": 1\n "b": 2}', "line 2: is no JSON: Expecting ',' delimiter"),
        ('[{"a": 1}\n', "line 2: is no JSON: ',' or ']' is missing"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_line(text: str, said: str) -> None:
    assert fault(text) == said


def test_aliases_of_aliases_do_not_fill_the_machine() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]

    assert fault("\n".join(lines)).endswith("holds more than 1000000 values")


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert read('a: "\\ud83d\\ude00"') == [(1, {"a": "😀"})]
    assert read('{"a": "\\ud83d\\ude00 \\\\u0000"}') == [(1, {"a": "😀 \\u0000"})]


@given(st.lists(st.sampled_from(ESCAPES)).map("".join))
def test_escapes_are_taken_unless_they_are_u_0000_or_half_of_a_pair(between: str) -> None:
    text = f'"{between}"'
    expected = json.loads(text)
    if UNWRITABLE.search(expected):
        with pytest.raises(DocumentError, match="lone surrogate"):
            parse_json(text)
    else:
        assert parse_json(text) == expected


def test_json_alone_is_no_yaml() -> None:
    assert read("{a: 1}") == [(1, {"a": 1})]
    with pytest.raises(SyntaxFault):
        read_documents("{a: 1}", json_only=True)
    with pytest.raises(SyntaxFault, match="line 1: there is something after the end"):
        parse_json("1 2")


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4).filter(
        lambda key: "\0" not in key), inner, max_size=4),
    max_leaves=15,
)  # fmt: skip


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), values))
def test_what_json_writes_is_read_as_it_was(value: dict[str, Json]) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert read(text) == [(1, value)]


@settings(deadline=None, max_examples=200)
@given(
    st.text(max_size=60)
    | st.text(st.sampled_from(list("ab:-{}[],&*!|>%#'\"?\n 0\\x~<.")), max_size=40)
    | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1"))
)
def test_any_text_is_documents_or_a_fault_with_a_line(text: str) -> None:
    try:
        found = read_documents(text)
    except DocumentError as refused:
        assert refused.line >= 1  # noqa: PT017
        return
    json.dumps([one.document for one in found], allow_nan=False).encode()
