"""What is typed after ``:``, read and completed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from services.query import Completion
from tui.views.addresses import Address
from tui.views.commands import (
    CommandFault,
    Go,
    Names,
    Offers,
    Simple,
    Switch,
    applied,
    complete,
    ghost,
    read,
)

NAMES = Names(
    {"executions": "Executions", "workflows": "Workflows"},
    {"ex": "Executions", "wf": "Workflows"},
    {"staging": "", "production": ""},
    ("nord", "gruvbox"),
    {"broken": "executions status:failed"},
)


def _ids(noun: str, written: str) -> Mapping[str, str]:
    known = {"9f2c": "order 9f2c", "a1": "pay a1"}
    return {id_: label for id_, label in known.items() if written in id_}


OFFERS = Offers(
    lambda noun, text, cursor: [Completion("status:", (cursor - len(text.split()[-1]), cursor))],
    _ids,
    lambda noun: ("timeline", "graph"),
)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("ex", Go(Address("ex"))),
        ("executions status:failed wf:x*", Go(Address("executions", query="status:failed wf:x*"))),
        ("ex status:failed @staging", Go(Address("ex", query="status:failed"), "staging")),
        ("ex/9f2c/graph", Go(Address("ex", "9f2c", "graph"))),
        ("@staging", Switch("staging")),
        ("ctx production", Switch("production")),
        ("q", Simple("quit")),
        ("theme nord", Simple("theme", "nord")),
        ("save morning", Simple("save", "morning")),
        ("broken", Go(Address("executions", query="status:failed"))),
    ],
)
def test_commands_are_read(text: str, command: object) -> None:
    assert read(text, NAMES) == command


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wo", "did you mean workflows?"),
        ("executoins", "did you mean executions?"),
        ("@stagin", "did you mean staging?"),
        ("ex @nowhere-at-all", "There is no context"),
        ("theme nrod", "did you mean nord?"),
        ("save", "under one word"),
        ("save ex", "means something already"),
        ("zzzz", "There are executions"),
    ],
)
def test_what_is_no_command_says_the_way_out(text: str, message: str) -> None:
    with pytest.raises(CommandFault, match=message.replace("?", r"\?")):
        read(text, NAMES)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("exe", "executions"),
        ("ex stat", "ex status:"),
        ("ex/9", "ex/9f2c"),
        ("ex/9f2c/g", "ex/9f2c/graph"),
        ("@st", "@staging"),
        ("ex @pr", "ex @production"),
        ("theme gr", "theme gruvbox"),
        ("ctx st", "ctx staging"),
        ("bro", "broken"),
    ],
)
def test_a_line_is_completed_where_it_ends(text: str, wanted: str) -> None:
    candidates = complete(text, len(text), NAMES, OFFERS)

    assert ghost(text, candidates) == wanted
    assert applied(text, candidates[0]) == (wanted, len(wanted))


def test_an_end_is_replaced_by_the_id_that_has_it() -> None:
    (candidate,) = complete("ex/2c", 5, NAMES, OFFERS)

    assert ghost("ex/2c", [candidate]) == ""
    assert applied("ex/2c", candidate) == ("ex/9f2c", 7)
    assert candidate.hint == "order 9f2c"


def test_a_name_in_full_is_not_offered_again() -> None:
    assert "ex" not in [each.text for each in complete("ex", 2, NAMES, OFFERS)]
