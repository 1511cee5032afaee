"""What something new is made in, where no row says it: chosen by name, or made first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from services.errors import ServiceError
from services.home import HomeUnusable
from tui.live import putting
from tui.resources import find
from tui.resources.catalog import definition_of
from tui.resources.model import Opening, Resource
from tui.views.visible import in_one_line
from tui.widgets.form_editors import Picker
from tui.widgets.working import begin

if TYPE_CHECKING:
    from tui.app import Console

# No definition has such a name.
NEW = "+"
_TOLD = "It belongs to one of these, or to a new one."


class ChooseScreen(ModalScreen[str]):
    """Gives one of ``names``; :data:`NEW`: a new one is to be made; empty: none was chosen."""

    HELP = """\
## Choose one

- Type some of its name; `↑ ↓` choose, `Enter` takes it, `Esc` goes back
"""
    DEFAULT_CSS = """
    ChooseScreen { align: center middle; }
    ChooseScreen #dialog {
        width: 90%; max-width: 60; height: auto; padding: 0 1; border: round $primary;
        background: $surface;
    }
    ChooseScreen Picker { position: relative; layer: default; }
    """

    def __init__(
        self, title: str, told: str, names: Sequence[str], *, creates: bool = False,
        free: bool = False,
    ) -> None:  # fmt: skip
        """Ask for one of ``names``.

        Args:
            creates: Whether a new one may be made.
            free: Whether what is typed may be none of them.
        """
        super().__init__()
        self._title, self._told, self._names = title, told, names
        self._creates, self._free = creates, free

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(in_one_line(self._title))
            yield Static(self._told, markup=False)
            create = partial(self._left, NEW) if self._creates else None
            yield Picker(self._names, "", self._left, free=self._free, create=create)

    def on_mount(self) -> None:
        self.query_one(Picker).focus()

    def _left(self, text: str | None, go: int = 0) -> None:
        self.dismiss(text or "")


async def open_in_owner(console: Console, resource: Resource[Any], opening: Opening) -> None:
    """Have the owner of something new chosen, of several or none, and open its form there."""
    kind = opening.owner
    try:
        names = await putting.names_of(console.session.connection, kind)
    except (ServiceError, HomeUnusable) as error:
        console.tell(putting.in_words(error))
        return
    chosen = names[0] if len(names) == 1 else NEW
    if len(names) > 1:
        title = f"{opening.title}: of which {kind}?"
        screen = ChooseScreen(title, _TOLD, names, creates=True)
        chosen = await console.push_screen_wait(screen)
    if chosen == NEW:
        _make_owner(console, resource, opening)
    elif chosen:
        await _open_in(console, resource, opening, chosen)


def _make_owner(console: Console, resource: Resource[Any], opening: Opening) -> None:
    owners = find(opening.owner)
    creating = owners.creating if owners is not None else None
    if owners is None or creating is None:
        console.tell(f"There is no {opening.owner} yet.", "warning")
        return
    console.tell(f"First the {opening.owner} that it belongs to.", "information")

    def made(name: str) -> None:
        begin(console.frame, partial(_open_in, console, resource, opening, name), "open")

    console.open_pane(creating.pane, owners, None, made)


async def _open_in(console: Console, resource: Resource[Any], opening: Opening, name: str) -> None:
    try:
        found = await putting.stored(console.session.connection, opening.owner, name)
    except (ServiceError, HomeUnusable) as error:
        console.tell(putting.in_words(error))
        return
    if found is not None:
        console.open_pane(opening.pane, resource, definition_of({found.version: found}))
    else:
        console.tell(f"There is no {opening.owner} {name} any more.", "warning")
