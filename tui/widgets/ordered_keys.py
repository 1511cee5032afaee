"""Keys in the order in which they were typed, also where one moves the focus from under the next.

Textual gives a key to what has the focus when the key comes, and looks for a binding once nobody
has taken it: of keys that came together all are given away before the first is done.
"""

from __future__ import annotations

from textual import events
from textual.app import App, ReturnType
from textual.widget import Widget
from textual.widgets import Input


class OrderedKeys(App[ReturnType]):
    """Gives a key that nobody took to what has the focus by now, before it looks for a binding."""

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded:
            event.given = self.focused  # type: ignore[attr-defined]
        await super().on_event(event)

    async def _on_key(self, event: events.Key) -> None:
        given, now = getattr(event, "given", None), self.focused
        if given is not None and now is not None and given is not now:
            event.prevent_default()
            again = events.Key(event.key, event.character)
            again.given = now  # type: ignore[attr-defined]
            now._forward_event(again)


class OrderedInput(Input):
    """A line whose keys are done in their order; what is typed behind its end is for others."""

    async def _on_key(self, event: events.Key) -> None:
        if self.app.focused is not self:
            event.prevent_default()
        elif not event.is_printable and await self.app._check_bindings(event.key):
            # As usual it would be done after the letters behind it.
            event.stop()
            event.prevent_default()


def focus_at_once(widget: Widget) -> None:
    """Give ``widget`` the next key; ``focus()`` gives it one of the keys after."""
    widget.screen.set_focus(widget)
