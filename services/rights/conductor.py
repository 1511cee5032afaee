"""What each page of Conductor's API needs: the RPCs that it is put into."""

from __future__ import annotations

from collections.abc import Mapping

from services.rights.conductor_beside import BESIDE

_ABOUT = {
    "GET /api/version": ("executor.GetExecutorStatus",),
}

_START = ("executor.StartExecution",)
_EXECUTIONS = {
    "POST /api/workflow": _START,
    "POST /api/workflow/{name}": _START,
    "POST /api/workflow/start/{name}/{version}": _START,
}

CONDUCTOR: Mapping[str, tuple[str, ...]] = {
    **_ABOUT,
    **_EXECUTIONS,
    **BESIDE,
}
