"""How texts and documents are compared, as SQL: parts of a condition, with what is bound to them.

What is here is true or false of a value as the matcher has it, and never NULL.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TypeAlias, cast

from services.executor.documents import quoted
from services.query import Pattern, Term
from services.query.formatting import path_text
from services.query.patterns import fits, lowered
from services.query.tree import Step
from services.query.values import literal

Sql: TypeAlias = "tuple[str, list[object]]"
TRUE: Sql = ("1", [])
_GLOB = str.maketrans({"[": "[[]", "?": "[?]", "*": "[*]"})
_LAST_CHARACTER = "\U0010ffff"
# A function of ours, for documents: GLOB goes back as far as a pattern is long, from each character
# of a text that has millions, and nothing interrupts it.
FITS = "podium_fits"
# No query has it.
_GAP = "\0"
# Texts that are looked for, each by itself.
_MOST_BOUND = 100


def joined(joint: str, parts: Iterable[Sql], none: str) -> Sql:
    """All of ``parts`` with ``joint`` between them; of none ``none``."""
    texts: list[str] = []
    values: list[object] = []
    for sql, bound in parts:
        texts.append(sql)
        values.extend(bound)
    if len(texts) == 1:
        return texts[0], values
    return f"({joint.join(texts)})" if texts else none, values


def among(column: str, values: Sequence[object]) -> Sql:
    """The column has one of the values, of which there is at least one."""
    if len(values) == 1:
        return f"{column} = ?", [*values]
    if len(values) > _MOST_BOUND and all(isinstance(each, str) for each in values):
        # As one value: a statement has room for so many, and all of them take time to be bound.
        return f"{column} IN (SELECT value FROM json_each(?))", [json.dumps(values)]
    return f"{column} IN ({','.join('?' * len(values))})", [*values]


def may_be_empty(pattern: Pattern) -> bool:
    """Whether an empty text could be of it."""
    return not pattern.anything and not any(pattern.parts)


def globbed(column: str, pattern: Pattern) -> Sql:
    """The text as a whole is of the pattern."""
    if pattern.anything:
        return f"{column} != ''", []
    prefix, glob = pattern.parts[0], glob_of(pattern.parts)
    if not prefix:
        return f"{column} GLOB ?", [glob]
    values: list[object] = [prefix, *(() if (end := first_after(prefix)) is None else (end,))]
    bounds = f"{column} >= ?" + ("" if end is None else f" AND {column} < ?")
    if len(pattern.parts) == 2 and not pattern.parts[1] and end is not None:
        return f"({bounds})", values
    return f"({bounds} AND {column} GLOB ?)", [*values, glob]


def first_after(prefix: str) -> str | None:
    """The first text after all that begin with ``prefix``; None: there is none."""
    prefix = prefix.rstrip(_LAST_CHARACTER)
    if not prefix:
        return None
    following = ord(prefix[-1]) + 1
    # The numbers of surrogates are no characters.
    return prefix[:-1] + chr(0xE000 if following == 0xD800 else following)


def fits_text(text: str, pattern: str) -> bool:
    """What :data:`FITS` does: whether ``text`` is of a pattern as a condition binds it."""
    return fits(tuple(pattern.split(_GAP)), text)


def glob_of(parts: tuple[str, ...]) -> str:
    """What GLOB calls the pattern."""
    return "*".join(part.translate(_GLOB) for part in parts)


def contains(expression: str, pattern: Pattern) -> Sql:
    """The text has the pattern in it, however it is written."""
    parts = tuple(lowered(part) for part in pattern.parts)
    if len(parts) == 1:
        return f"instr(lower({expression}), ?) > 0", [parts[0]]
    return f"lower({expression}) GLOB ?", [glob_of(("", *parts, ""))]


def _document_contains(found: str, pattern: Pattern) -> Sql:
    if pattern.literal:
        return contains(found, pattern)
    parts = map(lowered, pattern.parts)
    return f"{FITS}(lower({found}), ?)", [_GAP.join(("", *parts, ""))]


def of_document(column: str, term: Term) -> Sql:
    """What the term says of the value at its path, by the type that stands there."""
    path = _json_path(term.path)
    of_type: dict[str, list[Sql]] = {}
    for value in term.values:
        for type_, compared in _compared(column, path, term.operator, cast("Pattern", value)):
            of_type.setdefault(type_, []).append(compared)
    if "" in of_type:
        return f"json_type({column}, ?) IS NOT NULL", [path]
    cases: list[str] = []
    values: list[object] = [path]
    for type_, parts in of_type.items():
        sql, bound = joined(" OR ", parts, "0")
        cases.append(f"WHEN '{type_}' THEN {sql}")
        values.extend(bound)
    return f"CASE json_type({column}, ?) {' '.join(cases)} ELSE 0 END", values


def _compared(column: str, path: str, sign: str, pattern: Pattern) -> list[tuple[str, Sql]]:
    """By the type that a JSON value has (empty: any), how it is compared."""
    found, text = f"json_extract({column}, ?)", pattern.parts[0]
    if sign == "~":
        holds, needle = _document_contains(found, pattern)
        return [("text", (holds, [path, *needle]))]
    if sign == "=" and pattern.anything:
        return [("", TRUE)]
    if not pattern.literal:
        return [("text", (f"{FITS}({found}, ?)", [path, _GAP.join(pattern.parts)]))]
    as_text: Sql = (f"{found} {sign} ?", [path, text])
    meant = literal(text) if pattern.loose else text
    if isinstance(meant, (int, float)) and not isinstance(meant, bool):
        as_number: Sql = (f"{found} {sign} ?", [path, meant])
        numbers = [("integer", as_number), ("real", as_number)]
        return [("text", as_text), *numbers] if sign == "=" else numbers
    if sign == "=" and not isinstance(meant, str):
        return [("text", as_text), (text, TRUE)]
    return [("text", as_text)]


def _json_path(path: tuple[Step, ...]) -> str:
    # The database compares names as they are written in the document, escapes and all.
    return "$" + "".join(
        path_text((step,)) if isinstance(step, int) else f".{quoted(step)}" for step in path
    )
