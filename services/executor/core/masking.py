"""``maskedFields``: values that the engine works with and that nobody reads."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from services.executor.core.model import Json

FIELD = "maskedFields"
MASK = "***"
_SCALARS = frozenset((str, int, float, bool, type(None)))
# Below this a value turns up by chance: masking it would spoil texts and hide nothing.
_SHORTEST_HIDDEN = 4
_MOST_HIDDEN = 1000
# Of a longer text that much is not there by chance.
_BEGINNING = 20
_LONGEST_HIDDEN = 64 << 10

NOTHING: frozenset[str] = frozenset()


def named(document: Mapping[str, object]) -> frozenset[str]:
    """The keys that a definition masks."""
    fields = document.get(FIELD)
    if not fields or not isinstance(fields, list):
        return NOTHING
    return frozenset(each for each in fields if isinstance(each, str) and each)


def masked(value: Json, keys: Collection[str]) -> Json:
    """``value`` with :data:`MASK` for what stands at one of ``keys``, at any depth.

    What holds none is the same object.
    """
    # Documents nest 512 deep: loops and no comprehensions, since each of those is a frame more.
    if not keys or type(value) in _SCALARS:
        return value
    if isinstance(value, dict):
        fields: dict[str, Json] = {}
        for key, item in value.items():
            fields[key] = MASK if key in keys else masked(item, keys)
        return fields
    if isinstance(value, list):
        items: list[Json] = []
        for item in value:
            items.append(masked(item, keys))  # noqa: PERF401
        return items
    return value


def _hidden(value: Json, keys: Collection[str]) -> Iterator[str]:
    """The texts and numbers of what is masked, as they may stand in a sentence."""
    pending: list[tuple[Json, bool]] = [(value, False)]
    while pending:
        each, inside = pending.pop()
        if isinstance(each, dict):
            pending.extend((item, inside or key in keys) for key, item in each.items())
        elif isinstance(each, list):
            pending.extend((item, inside) for item in each)
        elif inside and each is not None and not isinstance(each, bool):
            text = str(each)
            if len(text) >= _SHORTEST_HIDDEN:
                yield text


def _spellings(text: str) -> Iterator[str]:
    """``text`` as it may stand in a sentence: as it is, or quoted by JSON or by Python."""
    text = text[:_LONGEST_HIDDEN]
    yield text
    yield json.dumps(text)[1:-1]
    yield repr(text)[1:-1]


def _without(sentence: str, hidden: str) -> str:
    """``sentence`` without ``hidden``, or with no more of it than its first letters."""
    start, rest = hidden[:_BEGINNING], hidden[_BEGINNING:]
    first, *others = sentence.split(start)
    return MASK.join((first, *(each[_shared(each, rest) :] for each in others)))


def _shared(one: str, other: str) -> int:
    """How many letters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


@dataclass(frozen=True, slots=True)
class Sentences:
    """Masks in sentences, as reasons and logs, what is masked in documents beside them.

    A long text that a sentence breaks off is masked as far as it goes.

    Attributes:
        hidden: The longest first.
    """

    hidden: tuple[str, ...]

    @classmethod
    def beside(cls, documents: Iterable[Json], keys: Collection[str]) -> Sentences:
        """Those beside ``documents``, of whose masked values a thousand are looked for."""
        texts = (text for document in documents for text in _hidden(document, keys))
        found: dict[str, None] = {}
        for text in islice(texts, _MOST_HIDDEN):
            found.update(dict.fromkeys(_spellings(text)))
        return cls(tuple(sorted(found, key=len, reverse=True)))

    def text(self, sentence: str) -> str:
        """``sentence`` without what is masked."""
        for each in self.hidden:
            if each[:_BEGINNING] in sentence:
                sentence = _without(sentence, each)
        return sentence
