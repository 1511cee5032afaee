"""Which RPCs a function can come to call: read from its code and that of all that it leads to."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

from services.rights import RIGHTS

_METHODS = {method.rpartition("/")[2] for method in RIGHTS}
# By their names alone it cannot be told that they are of something else.
_OTHERS = {"Session"}


def called(function: Any) -> set[str]:
    """The names of RPCs that stand in it, or in what of ours it leads to."""
    return set(_called(inspect.unwrap(function), set())) - _OTHERS


def open_to_all() -> set[str]:
    """Names of RPCs that need no more than a token."""
    return {
        method.rpartition("/")[2] for method, right in RIGHTS.items() if right.open or right.anyone
    }


def _called(value: Any, seen: set[Any]) -> Iterator[str]:
    if not isinstance(value, FunctionType | type) or value in seen:
        return
    seen.add(value)
    if isinstance(value, type):
        for each in vars(value).values():
            yield from _called(each, seen)
        return
    names = {name for code in _codes(value.__code__) for name in code.co_names}
    yield from names & _METHODS
    for each in map(value.__globals__.get, names):
        if getattr(each, "__module__", "").startswith("tui."):
            yield from _called(each, seen)
    for cell in value.__closure__ or ():
        yield from _called(cell.cell_contents, seen)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _codes(each)
