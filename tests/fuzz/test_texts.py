"""Any text and any document to what reads them: a value, or a fault that says what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from services.cron import parse as parse_cron
from services.executor.core import expressions, jsonpath
from services.executor.effects.callbacks import CallbackTokens
from services.json_text import DocumentError, parse_json
from services.query import QueryFault, parse as parse_query
from services.query.audit import AUDIT
from services.query.executions import EXECUTIONS
from services.query.tasks import TASKS
from services.registry.definitions import KINDS, examine
from services.sealing import Sealer, Unsealable
from services.yaml_documents import read_documents
from tests.fuzz.chance import documents, texts, tries

EXAMPLES = Path(__file__).parents[2] / "examples"
KEY = b"k" * 32
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@tries(300)
@given(st.one_of(texts, st.text('{}[]":,-&*!|>%@ \n\t#a0', max_size=200)))
def test_any_text_is_documents_or_says_why_not(text: str) -> None:
    for json_only in (True, False):
        with suppress(DocumentError):
            read_documents(text, json_only=json_only)


@tries(200)
@given(texts)
def test_any_text_is_json_or_says_why_not(text: str) -> None:
    with suppress(DocumentError):
        parse_json(text)


@tries(200)
@given(documents, st.sampled_from([None, *KINDS]))
def test_any_document_is_a_definition_or_has_faults(document: Any, kind: str | None) -> None:
    examined = examine(document, kind)

    assert examined.faults or examined.draft is not None
    assert all(fault.detail for fault in examined.faults)


def _real() -> Iterator[dict[str, Any]]:
    for path in sorted(EXAMPLES.glob("*.yaml")):
        for source in read_documents(path.read_text()):
            assert isinstance(source.document, dict)
            yield source.document


REAL = list(_real())


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, inner in items:
        yield from _places(inner, (*path, key))


def _changed(document: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    copied = deepcopy(document)
    holder = copied
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = by
    return copied


@tries(400)
@given(st.sampled_from(REAL), st.data())
def test_a_real_definition_with_one_thing_changed_is_one_or_has_faults(
    document: dict[str, Any], data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(list(_places(document))))
    changed = _changed(document, path, data.draw(documents))
    before = deepcopy(changed)

    examined = examine(changed, "workflow" if "tasks" in document else None)

    assert examined.faults or examined.draft is not None
    assert repr(changed) == repr(before)


class Everything:
    """A scope that has something under every name."""

    def __init__(self) -> None:
        self.visits = jsonpath.Visits()

    def root(self, name: str) -> Any:
        return {"a": {"b": [1, "x", None]}} if name else None

    def member(self, root: str, name: str) -> Any:
        return [{"a": name}]

    def everything(self) -> Any:
        return {"workflow": {"input": {"a": 1}}}


@tries(400)
@given(documents)
def test_any_expression_gives_a_value_or_says_why_not(value: Any) -> None:
    with suppress(ValueError, jsonpath.TooCostly):
        expressions.resolved(value, Everything())


@pytest.mark.parametrize("vocabulary", [EXECUTIONS, TASKS, AUDIT])
@tries(200)
@given(text=st.one_of(texts, st.text('ab:=<>~!()"\\*., 019ORANDT', max_size=80)))
def test_any_query_is_a_tree_or_says_where_it_is_wrong(vocabulary: Any, text: str) -> None:
    with suppress(QueryFault):
        parse_query(text, vocabulary)


@tries(200)
@given(st.one_of(texts, st.text("0123456789*/,-?LW# MONFRI", max_size=40)))
def test_any_cron_expression_is_one_or_says_why_not(text: str) -> None:
    with suppress(ValueError):
        parse_cron(text)


@tries(300)
@given(st.one_of(texts, st.binary(max_size=120).map(lambda raw: raw.decode("latin-1"))))
def test_no_text_is_a_callback_token_or_a_sealed_secret(text: str) -> None:
    assert CallbackTokens(KEY).read(text, NOW) is None
    with pytest.raises(Unsealable):
        Sealer(KEY).open(text)


@tries(300)
@given(st.uuids(), st.uuids(), st.integers(0, 95), st.sampled_from("Aa0-_=/+ é"))
def test_a_callback_token_with_one_letter_changed_is_none(
    execution: UUID, task: UUID, place: int, letter: str
) -> None:
    tokens = CallbackTokens(KEY)
    token = tokens.mint(str(execution), str(task), NOW + timedelta(hours=1))
    changed = token[:place] + letter + token[place + 1 :]

    read = tokens.read(changed, NOW)

    assert (read is None) == (changed != token)
    assert tokens.read(token, NOW + timedelta(hours=1)) is None
    assert CallbackTokens(b"x" * 32).read(token, NOW) is None
