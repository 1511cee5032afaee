"""The task types that a workflow may have; a new one is a file here and a name in the table."""

from __future__ import annotations

from services.registry.definitions.tasks import (
    http,
    http_poll,
    inline,
    noop,
    set_variable,
    switch,
    terminate,
    wait,
)
from services.registry.definitions.tasks.kind import TaskKind

TASK_KINDS: dict[str, TaskKind] = {
    module.KIND.name: module.KIND
    for module in (http, http_poll, switch, inline, set_variable, terminate, wait, noop)
}
