"""What each page of Conductor's API needs: the RPCs that it is put into."""

from __future__ import annotations

from collections.abc import Mapping

_ABOUT = {
    "GET /api/version": ("executor.GetExecutorStatus",),
}

CONDUCTOR: Mapping[str, tuple[str, ...]] = {
    **_ABOUT,
}
