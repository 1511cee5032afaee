"""How the edge is at one moment, in numbers. No IO."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gauges:
    """What goes up and down, of the gateway's listener and of what it leans on."""

    requests_in_flight: int
    connections: int
    session_connected: bool
    definitions_stale: bool
