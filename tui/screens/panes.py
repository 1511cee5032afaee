"""Panes by name, as descriptors name them: imported when they are first wanted."""

from __future__ import annotations

PANES: dict[str, str] = {
    "execution-timeline": "tui.screens.execution.timeline:TimelineTab",
    "execution-data": "tui.screens.execution.data:DataTab",
}
