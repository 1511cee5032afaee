"""Anybody may call; the calls have the rights of the application that the document names."""

from __future__ import annotations

from collections.abc import Mapping

from services.edge.auth.model import AuthConfig, Caller


def authenticate(config: AuthConfig, headers: Mapping[bytes, bytes], now: float) -> Caller:
    """Whoever it is."""
    return Caller(config.id, f"public:{config.id}", config.application_id, public=True)
