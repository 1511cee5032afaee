"""The grammar of all lists, for those that commands make of what the services tell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from services.query import QueryFault
from tui.views.query_faults import fault_text


def keeps(noun: str, text: str) -> Callable[[Any], bool]:
    """Whether a row of the console's ``noun`` is of the query ``text``; empty: all are.

    Raises:
        click.BadArgumentUsage: It is no query, or names a field that there is not.
    """
    # Late: whoever asks for all needs no nouns.
    from tui.resources import find
    from tui.resources.filtering import filter_of

    resource = find(noun)
    assert resource is not None
    try:
        return filter_of(resource, text, datetime.now(UTC)).keeps or (lambda _: True)
    except QueryFault as fault:
        raise click.BadArgumentUsage(fault_text(text, fault)) from fault
