"""Presets of keys: by a binding's id, the keys that it has instead of its own."""

from __future__ import annotations

from collections.abc import Mapping

PRESETS: Mapping[str, Mapping[str, str]] = {
    "default": {},
    "vim": {
        "list.page_down": "pagedown,ctrl+f,ctrl+d",
        "list.page_up": "pageup,ctrl+u",
        "list.mark_range": "V,v",
        "list.top": "home,g",
        "console.quit": "Z",
    },
    "k9s": {
        "list.mark_range": "ctrl+space",
        "list.unmark": "ctrl+backslash",
        "list.newest": "0",
        "executions.terminate": "ctrl+k",
        "executions.retry": "ctrl+y",
    },
}

# What terminals and multiplexers keep for themselves, or send as another key.
RESERVED = frozenset(
    (
        "ctrl+b", "ctrl+a", "ctrl+j", "ctrl+m", "ctrl+i", "ctrl+h", "ctrl+o", "ctrl+g", "ctrl+t",
        "ctrl+n", "ctrl+left_square_bracket", "ctrl+[", "alt+enter", "f11",
    )
)  # fmt: skip


def keymap(preset: str, own: Mapping[str, str]) -> dict[str, str]:
    """The keys of a preset, and ``own`` over them."""
    return {**PRESETS.get(preset, {}), **own}
