"""Tiles in columns, and lists below them: as many as there is room for, the rest by scrolling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Grid, VerticalScroll

from tui.views.pulse import Figure
from tui.widgets.live_table import LiveTable
from tui.widgets.tile import Tile

# Up to which width of the board there are how many columns of tiles, how high.
_LAYOUTS = ((99, 2, 3), (159, 5, 4), (10_000, 7, 5))
# From so many lines on there is room for figures three lines high, in the widest of them.
_TALL_HEIGHT, _TALL = 45, 7
_BESIDE_WIDTH = 100
_LEAST_LIST = 8


class PulseBoard(VerticalScroll, can_focus=False):
    """Shows figures by name; a tile that is opened tells its owner."""

    HELP = """\
## Pulse

How the suite does at this moment. `Enter` on a tile, or a click, opens what it is about.

- arrows and `h j k l` go from tile to tile, `Tab` on to the lists
- below: workflows that fail, and the last failures; `Enter` opens them
"""
    DEFAULT_CSS = """
    PulseBoard { height: 1fr; width: 1fr; scrollbar-size-vertical: 1; }
    PulseBoard > Grid { height: auto; grid-gutter: 0; }
    PulseBoard.-unplaced > * { display: none; }
    PulseBoard > Container { height: auto; layout: vertical; }
    PulseBoard > Container.-beside { layout: horizontal; }
    PulseBoard > Container.-beside > LiveTable { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "go(-1, 0)", "Left", id="pulse.left", show=False,
                tooltip="The tile before"),
        Binding("right,l", "go(1, 0)", "Right", id="pulse.right", show=False,
                tooltip="The next tile"),
        Binding("up,k", "go(0, -1)", "Up", id="pulse.up", show=False, tooltip="The tile above"),
        Binding("down,j", "go(0, 1)", "Down", id="pulse.down", show=False,
                tooltip="The tile below"),
    ]  # fmt: skip

    def __init__(
        self, titles: Mapping[str, str], lists: Sequence[LiveTable], *, ascii: bool = False
    ) -> None:
        super().__init__(classes="-unplaced")
        self._tiles = {name: Tile(title, ascii=ascii) for name, title in titles.items()}
        self._lists = tuple(lists)
        self._opens: dict[str, str] = {}
        self._columns = 1
        self._wants_focus = False

    def compose(self) -> ComposeResult:
        yield Grid(*self._tiles.values())
        yield Container(*self._lists)

    def show(self, figures: Mapping[str, Figure]) -> None:
        """Show other figures."""
        for name, each in figures.items():
            self._opens[name] = each.opens
            self._tiles[name].show(
                each.figure, each.unit, note=each.note, values=each.values, tone=each.tone
            )

    def opens(self, tile: Tile) -> str:
        """Where a tile leads; empty: nowhere, yet."""
        name = next(name for name, each in self._tiles.items() if each is tile)
        return self._opens.get(name, "")

    def focus_first(self) -> None:
        """Put the focus on the first tile, unless it is somewhere in here."""
        self._wants_focus = self.has_class("-unplaced")
        focused = self.screen.focused
        if not self._wants_focus and (focused is None or self not in focused.ancestors):
            self.screen.set_focus(next(iter(self._tiles.values())))

    def on_resize(self) -> None:
        width, height = self.size
        self._columns, tall = next(layout[1:] for layout in _LAYOUTS if width <= layout[0])
        if tall == _LAYOUTS[-1][2] and height >= _TALL_HEIGHT:
            tall = _TALL
        rows = -(-len(self._tiles) // self._columns)
        self.query_one(Grid).styles.grid_size_columns = self._columns
        self.query_one(Grid).styles.grid_rows = str(tall)
        for tile in self._tiles.values():
            tile.styles.height = tall
        beside = width >= _BESIDE_WIDTH
        self.query_one(Container).set_class(beside, "-beside")
        high = max(_LEAST_LIST, height - rows * tall) if beside else _LEAST_LIST
        for each in self._lists:
            each.styles.height = high
        self.remove_class("-unplaced")
        if self._wants_focus:
            self.call_after_refresh(self.focus_first)

    def action_go(self, right: int, down: int) -> None:
        tiles = list(self._tiles.values())
        # The screen knows it at once, a widget only later: keys come faster than that.
        focused = self.screen.focused
        if not isinstance(focused, Tile) or focused not in tiles:
            return
        place = tiles.index(focused) + right + down * self._columns
        if 0 <= place < len(tiles):
            self.screen.set_focus(tiles[place])
        elif place >= len(tiles) and self._lists:
            self.screen.set_focus(self._lists[0])
