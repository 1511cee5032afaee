"""What is wrong with a query, with the place under the text."""

from __future__ import annotations

from rich.cells import cell_len

from services.query import QueryFault
from tui.views.visible import visible

_CONTEXT = 60


def fault_text(query: str, fault: QueryFault) -> str:
    """The sentence, then the line of the query with its fault underlined."""
    start = max(fault.start - _CONTEXT, 0)
    end = fault.end + _CONTEXT
    before = ("…" if start else "") + _shown(query[start : fault.start])
    at = _shown(query[fault.start : fault.end])
    rest = _shown(query[fault.end : end]) + ("…" if end < len(query) else "")
    under = " " * cell_len(before) + "^" * max(cell_len(at), 1)
    return f"{fault}\n\n  {before}{at}{rest}\n  {under}"


def _shown(text: str) -> str:
    # A break or a tab is a blank here, so that what is below stays below.
    return visible(text.replace("\t", " ").replace("\n", " "))
