"""Text into a tree.

query := and (OR and)*        and  := not ([AND] not)*
not   := (NOT | !) not | "(" query ")" | term | word
term  := field operator value (, value)* | field [NOT] IN ( value (, value)* )
"""

from __future__ import annotations

import re

from services.json_text import UNWRITABLE
from services.query.tokens import Sort, Token, tokens
from services.query.tree import (
    EVERYTHING,
    Query,
    QueryFault,
    Step,
    Term,
    Words,
    conjoined,
    disjoined,
    leaves,
    negated,
)
from services.query.values import check_operator, pattern, values_of
from services.query.vocabulary import Field, Kind, Vocabulary

MOST_CHARS = 4000
MOST_TERMS = 100
MOST_VALUES = 500
# SQLite reads SQL with a stack of a hundred: a pair of parentheses may come to seven entries.
MOST_NESTED = 10

# As written -> as it is in the tree, and whether what it says is negated.
_OPERATORS = {
    ":": ("=", False),
    "=": ("=", False),
    "==": ("=", False),
    "!=": ("=", True),
    "<>": ("=", True),
    "~": ("~", False),
    "!~": ("~", True),
}
_STEP = re.compile(r'\."([^"]*)"|\.([^.\[\]"]+)|\[([0-9]+)\]')
# Without quotes, what looks like a comparison must be one.
_FREE = re.compile(r"(?:\\.|[^:=<>~\\])*\\?", re.DOTALL)
_JOINTS = (Sort.AND, Sort.OR)


def parse(text: str, vocabulary: Vocabulary) -> Query:
    """The tree of ``text``, in normal form; of blank text, EVERYTHING.

    Raises:
        QueryFault: The text is no query of this vocabulary, or is too much of one.
    """
    if len(text) > MOST_CHARS:
        raise QueryFault(
            f"A query has {MOST_CHARS} characters at most, not {len(text)}.", MOST_CHARS, len(text)
        )
    if unwritable := UNWRITABLE.search(text):
        raise QueryFault("No text holds such a character.", unwritable.start(), unwritable.end())
    parser = _Parser(list(tokens(text)), len(text), vocabulary)
    if parser.peek() is None:
        return EVERYTHING
    query = parser.any_of(0)
    if (rest := parser.peek()) is not None:
        raise QueryFault("This parenthesis closes none.", rest.start, rest.end)
    return query


class _Parser:
    """Goes through tokens once, and no deeper than MOST_NESTED."""

    def __init__(self, found: list[Token], end: int, vocabulary: Vocabulary) -> None:
        self._tokens = found
        self._at = 0
        self._end = end
        self._vocabulary = vocabulary
        self._terms = 0
        self._values = 0

    def peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, *sorts: Sort) -> Token | None:
        token = self.peek()
        if token is None or token.sort not in sorts:
            return None
        self._at += 1
        return token

    def any_of(self, depth: int) -> Query:
        parts = [self._all_of(depth)]
        while self._take(Sort.OR):
            parts.append(self._all_of(depth))
        return disjoined(parts)

    def _all_of(self, depth: int) -> Query:
        parts = [self._one(depth)]
        while (token := self.peek()) and token.sort not in (Sort.OR, Sort.CLOSE):
            self._take(Sort.AND)
            parts.append(self._one(depth))
        return conjoined(parts)

    def _one(self, depth: int) -> Query:
        negative = False
        while self._take(Sort.NOT):
            negative = not negative
        query = self._atom(depth)
        return negated(query) if negative else query

    def _atom(self, depth: int) -> Query:
        if opened := self._take(Sort.OPEN):
            return self._group(opened, depth + 1)
        if name := self._take(Sort.NAME):
            return self._counted(self._term(name))
        if word := self._take(Sort.WORD):
            if not word.quoted and not _FREE.fullmatch(word.text):
                raise QueryFault(
                    f"{word.text!r} begins with no field; quote text that holds : = < > or ~",
                    word.start,
                    word.end,
                )
            return self._counted(Words(pattern(word), word.start, word.end))
        raise self._missing(self.peek())

    def _missing(self, token: Token | None) -> QueryFault:
        if token is None:
            return QueryFault("A term is missing at the end.", self._end, self._end)
        if token.sort is Sort.COMMA:
            return QueryFault("Values are between commas, after a field.", token.start, token.end)
        if token.sort in _JOINTS:
            return QueryFault(
                f'A term is missing before {token.text}; the word is "{token.text}", in quotes.',
                token.start,
                token.end,
            )
        return QueryFault("A term is missing here.", token.start, token.end)

    def _group(self, opened: Token, depth: int) -> Query:
        if depth > MOST_NESTED:
            raise QueryFault(
                f"Parentheses may be {MOST_NESTED} deep at most.", opened.start, opened.end
            )
        query = self.any_of(depth)
        if self._take(Sort.CLOSE) is None:
            raise QueryFault("This parenthesis is never closed.", opened.start, opened.end)
        return query

    def _counted(self, query: Query) -> Query:
        self._terms += 1
        if self._terms > MOST_TERMS:
            leaf = next(leaves(query))
            raise QueryFault(f"A query has {MOST_TERMS} terms at most.", leaf.start, leaf.end)
        return query

    def _term(self, name: Token) -> Query:
        operator = self._tokens[self._at]
        self._at += 1
        field, path = self._field(name)
        sign, negative = _sign(operator.text)
        check_operator(field, name.text, sign, operator.start, operator.end)
        written = self._written(name, operator)
        values = values_of(field, name.text, sign, written)
        term = Term(field.name, sign, values, path, name.start, written[-1].end)
        return negated(term) if negative else term

    def _field(self, name: Token) -> tuple[Field, tuple[Step, ...]]:
        top = re.split(r"[.\[]", name.text, maxsplit=1)[0]
        field = self._vocabulary.field(top)
        if field is None:
            raise QueryFault(self._vocabulary.refusal(top), name.start, name.end)
        path = steps(name.text[len(top) :])
        if path and field.kind is not Kind.DOCUMENT:
            raise QueryFault(f"{top} has nothing in it.", name.start, name.end)
        if not path and field.kind is Kind.DOCUMENT:
            raise QueryFault(
                f"Say which value of the {top}, like {top}.order.id=7.", name.start, name.end
            )
        return field, path

    def _written(self, name: Token, operator: Token) -> list[Token]:
        """The tokens of a term's values."""
        opened = self._take(Sort.OPEN)
        written: list[Token] = []
        while True:
            value = self._take(Sort.VALUE)
            if value is None:
                raise self._no_value(name, operator)
            written.append(value)
            if self._take(Sort.COMMA) is None:
                break
        if opened and self._take(Sort.CLOSE) is None:
            raise QueryFault("This parenthesis is never closed.", opened.start, opened.end)
        self._separate(written[-1], within=opened is not None)
        self._values += len(written)
        if self._values > MOST_VALUES:
            raise QueryFault(
                f"A query has {MOST_VALUES} values at most.", name.start, written[-1].end
            )
        return written

    def _no_value(self, name: Token, operator: Token) -> QueryFault:
        token = self.peek()
        if token is not None and token.sort is Sort.COMMA:
            return QueryFault(
                'A value is missing here; an empty one is "".', token.start, token.end
            )
        return QueryFault(
            f'{name.text} needs a value; an empty one is "".', name.start, operator.end
        )

    def _separate(self, value: Token, *, within: bool) -> None:
        """Raises where what follows ``value`` is so near that it may have been meant as a part."""
        token = self.peek()
        if token is None or within or token.start > value.end or token.sort is Sort.CLOSE:
            return
        raise QueryFault(
            "Put a value in quotes if there are quotes or parentheses in it.",
            value.start,
            token.end,
        )


def _sign(written: str) -> tuple[str, bool]:
    """The tree's operator, and whether the term is negated."""
    words = written.upper().split()
    if words[-1] == "IN":
        return "=", len(words) == 2
    return _OPERATORS.get(written, (written, False))


def steps(path: str) -> tuple[Step, ...]:
    """``.items[0]."a b"`` as ("items", 0, "a b")."""
    return tuple(
        int(index) if index else quoted or plain for quoted, plain, index in _STEP.findall(path)
    )
