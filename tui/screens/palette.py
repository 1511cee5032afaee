"""The command palette: what can be done here first, then places, then the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.binding import ActiveBinding
from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.resources import RESOURCES
from tui.views.commands import COMMANDS

if TYPE_CHECKING:
    from tui.app import Console

Entry = tuple[str, str, Callable[[], object], float]


class ConsoleProvider(Provider):
    """Everything that a key or a command does, by its words."""

    async def discover(self) -> Hits:
        for title, help_, run, _ in self._entries():
            yield DiscoveryHit(title, run, help=help_)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, help_, run, weight in self._entries():
            if (score := matcher.match(title)) > 0:
                yield Hit(score * weight, matcher.highlight(title), run, title, help_)

    @property
    def _console(self) -> Console:
        return cast("Console", self.app)

    def _entries(self) -> Iterator[Entry]:
        """(title, help, what runs it, how much it counts)."""
        yield from self._here(shown=True)
        command = self._console.command
        for resource in RESOURCES:
            yield f"Go to {resource.title}", f":{resource.name}", partial(
                command, resource.name
            ), 0.9  # fmt: skip
        for name, place in self._console.commanding.views.items():
            yield f"Go to {name}", place, partial(command, name), 0.9
        for name in self._console.contexts:
            yield f"Switch to {name}", f"@{name}", partial(command, f"@{name}"), 0.8
        for name in self._console.available_themes:
            yield f"Theme {name}", f":theme {name}", partial(command, f"theme {name}"), 0.6
        for name in ("help", "quit"):
            yield name.capitalize(), COMMANDS[name], partial(command, name), 0.7
        yield from self._here(shown=False)

    def _here(self, shown: bool) -> Iterator[Entry]:
        """What keys do here, deeds to records first: keys that the last line has, or those not."""
        seen: set[str] = set()
        active = self.screen.active_bindings.values()
        for node, binding, enabled, _ in sorted(active, key=_is_movement):
            if not enabled or binding.system or binding.action in seen or not binding.id:
                continue
            seen.add(binding.action)
            if binding.show != shown:
                continue
            title = binding.description or binding.tooltip
            help_ = f"{binding.tooltip} ({self.app.get_key_display(binding)})"
            run = partial(self.app.run_action, binding.action, node)
            yield title, help_, run, 1.0 if shown else 0.5


def _is_movement(active: ActiveBinding) -> bool:
    return not active.binding.action.startswith(("act(", "open_pane("))
