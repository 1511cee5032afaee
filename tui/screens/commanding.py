"""What is typed into the line, done: commands and filters, their completion and their history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from services.query import Completion, complete as complete_query
from tui.resources import RESOURCES, find
from tui.resources.filtering import values_in, vocabulary_of
from tui.resources.model import Resource
from tui.screens.list_pane import ListPane
from tui.settings import Kept
from tui.views.addresses import Address, alike, meant_by, quoted
from tui.views.commands import (
    MOST_CANDIDATES,
    CommandFault,
    Go,
    Names,
    Offers,
    Simple,
    Switch,
    complete,
    read,
)
from tui.widgets.command_line import CommandLine

if TYPE_CHECKING:
    from tui.app import Console

SAVED = "views"


class Commanding:
    """The commands of one console.

    Attributes:
        views: Places by name: those of the settings, and those that were saved.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._history: dict[str, Kept] = {}
        self._saved = Kept(console.state, SAVED)
        self.views = dict(console.settings.views)
        for line in self._saved.lines:
            name, _, place = line.partition(" ")
            if name not in console.settings.views:
                # The newest comes last.
                self.views[name] = place

    # The line

    def open_command(self, line: CommandLine, text: str = "") -> None:
        """Open the line for a command."""
        offers = Offers(self._query_offers, self._ids, self._tabs)
        names = self.names()
        line.open(
            ":", text, lambda text, cursor: complete(text, cursor, names, offers),
            self.fault_in, self.history("commands").lines,
        )  # fmt: skip

    def open_filter(self, line: CommandLine, pane: ListPane) -> None:
        """Open the line for a list's filter."""
        vocabulary = vocabulary_of(pane.resource)
        values = values_in(pane.resource, pane.all_records())

        def offers(text: str, cursor: int) -> Sequence[Completion]:
            return complete_query(text, cursor, vocabulary, values)

        line.open("/", pane.query_text, offers, pane.fault_in,
                  self.history(f"filters-{pane.resource.name}").lines)  # fmt: skip

    def history(self, name: str) -> Kept:
        """What was typed before, for commands or one list's filter."""
        if name not in self._history:
            self._history[name] = Kept(self._console.state, f"history-{name}")
        return self._history[name]

    # Names and offers

    def names(self) -> Names:
        """What a command can name at this moment."""
        aliases = {alias: each.title for each in RESOURCES for alias in each.aliases}
        return Names(
            {each.name: each.title for each in RESOURCES},
            aliases,
            dict.fromkeys(self._console.contexts, ""),
            self._console.available_themes,
            self.views,
        )

    def _records(self, resource: Resource[Any]) -> Mapping[str, Any]:
        """What is known of a noun without asking for it."""
        if resource.pane:
            return {}
        if resource.source is None:
            return self._console.own_collection(resource.name).records
        return self._console.session.known(resource.source)

    def _query_offers(self, noun: str, text: str, cursor: int) -> Sequence[Completion]:
        resource = find(noun)
        if resource is None:
            return ()
        values = values_in(resource, self._records(resource).values())
        return complete_query(text, cursor, vocabulary_of(resource), values)

    def _ids(self, noun: str, written: str) -> Mapping[str, str]:
        """Those that are like what is written, in the order of the list: the newest first."""
        resource = find(noun)
        if resource is None:
            return {}
        known = self._records(resource)
        offered: dict[str, str] = {}
        for each in alike(unquote(written), known):
            records = (known[id_] for id_ in each.ids)
            for record in resource.first(records, MOST_CANDIDATES - len(offered)):
                offered[quoted(record.id)] = resource.label(record)
        return offered

    def _tabs(self, noun: str) -> Sequence[str]:
        resource = find(noun)
        return [tab.name for tab in resource.tabs] if resource is not None else ()

    def meant(self, address: Address) -> Address:
        """``address`` with the id that a part of it means; of several, the list of them."""
        resource = find(address.resource)
        if resource is None or not address.id:
            return address
        found = meant_by(address.id, self._records(resource))
        if len(found.ids) == 1:
            return replace(address, id=found.ids[0])
        self._console.tell(f"{len(found.ids):,} {found.how} {address.id}.", "information")
        return Address(address.resource, query=f"id:{found.pattern}")

    # Doing it

    def fault_in(self, text: str) -> str:
        """What is wrong with a command; empty: nothing."""
        if not text.strip():
            return ""
        try:
            command = read(text, self.names())
        except CommandFault as fault:
            return str(fault)
        if isinstance(command, Go) and not command.address.id:
            return self._console.fault_in_filter(command.address)
        return ""

    async def run(self, text: str) -> None:
        """Do what was typed; what is wrong with it is told."""
        if not text.strip():
            return
        if fault := self.fault_in(text):
            self._console.tell(fault)
            return
        history = self.history("commands")
        history.add(text)
        if history.fault:
            self._console.tell(history.fault, "warning")
        match read(text, self.names()):
            case Go(address, context):
                await self._console.go(address, context)
            case Switch(context):
                await self._console.switch(context)
            case Simple(name, argument):
                await self._simple(name, argument)

    async def _simple(self, name: str, argument: str) -> None:
        match name:
            case "quit":
                await self._console.action_quit()
            case "theme" if argument:
                self._console.theme = argument
            case "theme":
                self._console.search_themes()
            case "save":
                self._save(argument)
            case _:
                # Help is about what has the keys.
                self._console.frame.focus_again()
                self._console.action_help()

    def _save(self, name: str) -> None:
        place = self._console.frame.place
        if place is None:
            return
        address = str(place.address)
        self.views[name] = address
        self._saved.add(f"{name} {address}")
        self._console.tell(self._saved.fault or f":{name} opens {address}.", "information")
