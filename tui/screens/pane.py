"""What a place of the console is: it fills the middle of the screen, and has an address."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from textual.containers import Vertical

from tui.views.addresses import Address

if TYPE_CHECKING:
    from tui.app import Console


class Pane(Vertical):
    """A place. It is mounted once, hidden while another one is shown, and removed in the end."""

    DEFAULT_CSS = """
    Pane { height: 1fr; width: 1fr; }
    """

    on_stored: Callable[[str], None] | None = None
    """Who opened it to have something created: is told its name once the stream has told of it."""

    @property
    def console(self) -> Console:
        """The app."""
        return cast("Console", self.app)

    @property
    def address(self) -> Address:
        """How to come here."""
        raise NotImplementedError

    @property
    def crumbs(self) -> tuple[str, ...]:
        """What stands in the line above, from the outside in."""
        return (str(self.address),)

    def crumb(self, number: int) -> Address | None:
        """Where a click on the crumb of that number leads; None: nowhere else."""
        address = self.address
        if number == 0 and (address.id or address.query):
            return Address(address.resource)
        return Address(address.resource, address.id) if number == 1 and address.tab else None

    def standing(self, now: float) -> tuple[str, str]:
        """How what is shown stands: words and their tone; ``now`` is in epoch seconds."""
        return "", "text"

    @property
    def service(self) -> str:
        """Whose data it shows: registry, executor or edge; empty: the console's own."""
        return ""

    @property
    def dirty(self) -> bool:
        """Whether something here would be lost by leaving."""
        return False

    def flush(self, now: float) -> None:
        """Show what has changed; ``now`` is in epoch seconds. Called of the shown one only."""

    def entered(self) -> None:
        """It is shown now: put the focus where it belongs."""

    def left(self) -> None:
        """It is hidden now."""
