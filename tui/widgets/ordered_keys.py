"""Keys in the order in which they were typed, each for what the one before it has led to."""

from __future__ import annotations

from collections import deque
from typing import Any, ClassVar

from textual import events
from textual.app import App, ReturnType
from textual.message_pump import MessagePump
from textual.timer import Timer
from textual.widget import Widget


class OrderedKeys(App[ReturnType]):
    """Gives away a key once the one before it is done.

    Textual gives all of them to what has the focus at once: a letter is taken there, while an
    arrow, or a backspace, goes up to the app first, whose binding it is. Of keys that came
    together, as they do over SSH, letters would be done before all of those.

    Attributes:
        lost_seconds: A key that is lost with the widget that had it holds nobody up for longer.
    """

    lost_seconds: ClassVar[float] = 0.5

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._typed: deque[events.Key | events.Paste] = deque()
        self._under_way: events.Event | None = None
        self._given: Widget | None = None
        self._losing: Timer | None = None

    async def on_event(self, event: events.Event) -> None:
        """Keys and pastes wait for their turn."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        self._typed.append(event)
        await self._next_typed()

    async def _next_typed(self) -> None:
        while self._typed and self._under_way is None:
            event = self._typed.popleft()
            self._given = self.focused
            await super().on_event(event)
            if event.is_forwarded:
                self._under_way = event
                self._losing = self.set_timer(self.lost_seconds, lambda it=event: self._done(it))
                self._follow(event, self._given or self.screen)

    def _follow(self, event: events.Event, at: MessagePump) -> None:
        """Go with a key from who has it up to the app: behind it, in the queue of each."""
        above = at._parent
        goes_up = above is not None and not event._stop_propagation
        if not (goes_up and at.call_later(self._follow, event, above)):
            self.call_later(self._done, event)

    async def _done(self, event: events.Event) -> None:
        if event is self._under_way:
            self._under_way = None
            if self._losing is not None:
                self._losing.stop()
            await self._next_typed()

    async def _on_key(self, event: events.Key) -> None:
        """Nobody took it: what got the focus meanwhile is given it, before it is a binding's."""
        given, now = self._given, self.focused
        if event is self._under_way and given is not None and now is not None and given is not now:
            event.prevent_default()
            self._typed.appendleft(events.Key(event.key, event.character))


def focus_at_once(widget: Widget) -> None:
    """Give ``widget`` the next key; ``focus()`` gives it one of the keys after."""
    widget.screen.set_focus(widget)
