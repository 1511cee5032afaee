"""What is typed after ``:``: places, contexts and a few commands; reading it, and completing it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from services.query import Completion
from tui.views.addresses import Address, parse

MOST_CANDIDATES = 50

COMMANDS: Mapping[str, str] = {
    "help": "what the focused part shows, and its keys",
    "theme": "colours: theme NAME",
    "save": "keep this place: save NAME",
    "quit": "leave the console",
}
_QUIT = ("q", "quit", "q!", "exit")


class CommandFault(ValueError):
    """The text is no command; the message says why, and the way out."""


@dataclass(frozen=True, slots=True)
class Go:
    """Go to a place, in a context where one is named."""

    address: Address
    context: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """Go to another context, and stay at the place."""

    context: str


@dataclass(frozen=True, slots=True)
class Simple:
    """One of :data:`COMMANDS`, and its argument."""

    name: str
    argument: str = ""


Command = Go | Switch | Simple


@dataclass(frozen=True, slots=True)
class Names:
    """What a command can name, each with a few words on it.

    Attributes:
        places: Nouns.
        aliases: Other names of nouns.
        views: Places by saved names.
    """

    places: Mapping[str, str]
    aliases: Mapping[str, str]
    contexts: Mapping[str, str]
    themes: Collection[str]
    views: Mapping[str, str]

    @property
    def nouns(self) -> list[str]:
        return [*self.places, *self.aliases]


def read(text: str, names: Names) -> Command:
    """``text`` as a command. Raises :class:`CommandFault`."""
    text = text.strip()
    first, _, rest = text.partition(" ")
    rest = rest.strip()
    if first in _QUIT and not rest:
        return Simple("quit")
    if first.startswith("@") and not rest:
        return Switch(_known(first[1:], names.contexts, "context"))
    if first in ("ctx", "context") and rest:
        return Switch(_known(rest, names.contexts, "context"))
    if first in COMMANDS:
        return _simple(first, rest, names)
    if text in names.views:
        return _place(names.views[text], names)
    return _place(text, names)


def _simple(name: str, argument: str, names: Names) -> Simple:
    if name == "theme" and argument:
        _known(argument, names.themes, "theme")
    if name == "save" and (not argument or len(argument.split()) > 1):
        raise CommandFault("A place is saved under one word: save NAME.")
    if name == "save" and (argument in names.nouns or argument in COMMANDS or argument in _QUIT):
        raise CommandFault(f"{argument} means something already; save it under another name.")
    return Simple(name, argument)


def _place(text: str, names: Names) -> Go:
    place, context = _without_context(text, names)
    address = parse(place)
    if address.resource not in names.nouns:
        every = [*names.nouns, *COMMANDS, *names.views]
        _known(address.resource, every, "place or command")
    return Go(address, context)


def _without_context(text: str, names: Names) -> tuple[str, str]:
    """The place, and the context that an ``@name`` at its end tells."""
    before, gap, last = text.rpartition(" ")
    if gap and last.startswith("@") and len(last) > 1:
        return before.strip(), _known(last[1:], names.contexts, "context")
    return text, ""


def _known(name: str, there_are: Collection[str], what: str) -> str:
    if name in there_are:
        return name
    begins = [each for each in there_are if name and each.startswith(name)]
    close = begins or get_close_matches(name, there_are, 1, 0.5)
    if close:
        raise CommandFault(f"There is no {what} {name!r}; did you mean {close[0]}?")
    some = ", ".join(list(there_are)[:20])
    raise CommandFault(f"There is no {what} {name!r}." + (f" There are {some}." if some else ""))


# Completion


@dataclass(frozen=True, slots=True)
class Offers:
    """What a line is completed with, beside names.

    Attributes:
        query: By a noun: completions of a filter's text at a cursor.
        ids: By a noun and what is written of an id: ids like it, each with what it is called, the
            likeliest first.
        tabs: By a noun: its records' tabs.
    """

    query: Callable[[str, str, int], Sequence[Completion]]
    ids: Callable[[str, str], Mapping[str, str]]
    tabs: Callable[[str], Sequence[str]]


def complete(text: str, cursor: int, names: Names, offers: Offers) -> list[Completion]:
    """What may stand at ``cursor``, the likeliest first."""
    before = text[:cursor]
    begin = len(before) - len(before.lstrip())
    first, gap, rest = before[begin:].partition(" ")
    start = begin + len(first) + 1
    if not gap:
        return _first_word(first, begin, cursor, names, offers)
    if before.rpartition(" ")[2].startswith("@"):
        return _contexts(before, cursor, names)
    if first == "theme":
        return _choice(rest, start, cursor, dict.fromkeys(names.themes, ""))
    if first in ("ctx", "context"):
        return _choice(rest, start, cursor, names.contexts)
    if first in names.nouns:
        found = offers.query(first, rest, len(rest))
        return [
            replace(each, replaces=(each.replaces[0] + start, each.replaces[1] + start))
            for each in found
        ]
    return []


def _first_word(
    word: str, start: int, cursor: int, names: Names, offers: Offers
) -> list[Completion]:
    if word.startswith("@"):
        return _contexts(word, cursor, names, start)
    noun, slash, rest = word.partition("/")
    if slash and noun in names.nouns:
        id_, slash, tab = rest.partition("/")
        if slash:
            tabs = dict.fromkeys(offers.tabs(noun), "")
            return _choice(tab, cursor - len(tab), cursor, tabs)
        found = offers.ids(noun, id_).items()
        return [Completion(each, (cursor - len(id_), cursor), hint) for each, hint in found]
    every = {**names.views, **names.places, **names.aliases, **COMMANDS}
    # A name that is written in full needs no more of itself.
    return [each for each in _choice(word, start, cursor, every) if each.text != word]


def _contexts(before: str, cursor: int, names: Names, start: int | None = None) -> list[Completion]:
    word = before.rpartition(" ")[2] if start is None else before
    begin = cursor - len(word) + 1
    return _choice(word[1:], begin, cursor, names.contexts)


def _choice(prefix: str, start: int, cursor: int, there_are: Mapping[str, str]) -> list[Completion]:
    wanted = prefix.casefold()
    begins = [name for name in there_are if name.casefold().startswith(wanted)]
    holds = [name for name in there_are if wanted in name.casefold() and name not in begins]
    return [
        Completion(name, (start, cursor), there_are[name])
        for name in (begins + holds)[:MOST_CANDIDATES]
    ]


def ghost(text: str, candidates: Sequence[Completion]) -> str:
    """``text`` with what the first candidate that goes on from its end adds; empty: none does."""
    for each in candidates:
        start, end = each.replaces
        if end == len(text) and each.text.startswith(text[start:]) and len(each.text) > end - start:
            return text[:start] + each.text
    return ""


def applied(text: str, candidate: Completion) -> tuple[str, int]:
    """``text`` with a candidate put in, and where the cursor is then."""
    start, end = candidate.replaces
    return text[:start] + candidate.text + text[end:], start + len(candidate.text)
