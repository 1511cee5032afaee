"""A compositor by which every widget hears of its size, whatever was looked up meanwhile."""

from __future__ import annotations

from textual._compositor import Compositor, CompositorMap, ReflowResult
from textual.geometry import Size
from textual.widget import Widget


class SteadyCompositor(Compositor):
    """Textual's own takes what was looked up since the last layout for what was laid out.

    Once a hidden widget was refreshed, the next look at any widget's region arranges all widgets
    anew. Those that are new or of another size by then are so already when the layout comes, and
    are never told: a form keeps the labels of no width, a narrow screen two panels.
    """

    def __init__(self) -> None:
        super().__init__()
        self._laid_out: CompositorMap = {}

    def reflow(self, parent: Widget, size: Size) -> ReflowResult:
        """Lay out all widgets; which of them are new, gone or of another size since the last."""
        self._full_map = self._laid_out
        result = super().reflow(parent, size)
        self._laid_out = self._full_map
        return result
