"""What a terminal can show, and how often it is to be painted."""

from __future__ import annotations

import locale
from collections.abc import Mapping

from tui.settings.model import Settings

FLUSH_SECONDS = 0.1
FLUSH_SECONDS_OVER_SSH = 0.25
FLUSH_SECONDS_UNSEEN = 1.0


def is_ascii(settings: Settings) -> bool:
    """Whether nothing but ASCII is to be drawn."""
    if settings.ascii == "auto":
        return "utf" not in locale.getencoding().lower()
    return settings.ascii == "yes"


def flush_seconds(settings: Settings, environment: Mapping[str, str]) -> float:
    """How long changes gather before they are painted."""
    if settings.refreshes_per_second:
        return 1 / settings.refreshes_per_second
    return FLUSH_SECONDS_OVER_SSH if "SSH_CONNECTION" in environment else FLUSH_SECONDS
