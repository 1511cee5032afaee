"""What the commands that look for executions and tasks have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import click

from services.query import QueryFault, Vocabulary, parse
from tui.views.query_faults import fault_text

Item = TypeVar("Item")

CALL_SECONDS = 15.0
_PAGE = 200

LIMIT_OPTION = click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="The first so many."
)
SORT_OPTION = click.option(
    "--sort",
    default="",
    metavar="FIELD[:desc]",
    help="By which field they are sorted; default: the newest first.",
)

TEXT_OPTION = click.option(
    "--text",
    "words",
    default="",
    metavar="WORDS",
    help="Only those with all these words in input, output or reason; `decl*` is how one begins.",
)


def checked(query: str, words: str, vocabulary: Vocabulary) -> str:
    """What is asked for: ``query`` and, where given, all of ``words``.

    Raises:
        click.BadArgumentUsage: The one is no query, or the other no words.
    """
    text = query
    if words.strip():
        terms = " ".join(f"text:{_quoted(each)}" for each in words.split())
        text = f"({query}) {terms}" if query.strip() else terms
    try:
        parse(text, vocabulary)
    except QueryFault as fault:
        raise click.BadArgumentUsage(fault_text(text, fault)) from fault
    return text


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def say_more(shown: int, total: tuple[int, bool], limit: int) -> None:
    """Tell, beside the list, of how many it shows the first, or that there are none.

    Args:
        total: How many there are, and whether there may be more.
    """
    count, bound = total
    if not shown and not count:
        click.echo("none found", err=True)
    if shown < count or bound:
        most = f"more than {count:,}" if bound else f"{count:,}"
        click.echo(f"more: {shown:,} of {most}; --limit {2 * limit} shows more", err=True)


async def listed(
    call: Callable[..., Awaitable[Any]],
    request: Any,
    items: Callable[[Any], Iterable[Item]],
    limit: int,
) -> tuple[list[Item], tuple[int, bool]]:
    """So many of the first, page by page, and how many there are in all (and perhaps more).

    Args:
        call: A list RPC; ``request`` is its request, without its page.
        items: What a page of it has.
    """
    request.count_total = True
    found: list[Item] = []
    total = (0, False)
    while len(found) < limit:
        request.page.page_size = min(_PAGE, limit - len(found))
        answer = await call(request, timeout=CALL_SECONDS)
        found.extend(items(answer))
        if request.count_total:
            total = (answer.total, answer.total_is_bound)
        request.count_total = False
        request.page.page_token = answer.next_page_token
        if not answer.next_page_token:
            break
    return found, total
