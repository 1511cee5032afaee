"""The task types that a workflow may have; a new one is a file here and a name in the table."""

from __future__ import annotations

from services.registry.definitions.tasks import (
    do_while,
    dynamic,
    exclusive_join,
    fork_join,
    fork_join_dynamic,
    http,
    http_poll,
    inline,
    join,
    noop,
    set_variable,
    start_workflow,
    sub_workflow,
    switch,
    terminate,
    wait,
)
from services.registry.definitions.tasks.kind import TaskKind

TASK_KINDS: dict[str, TaskKind] = {
    module.KIND.name: module.KIND
    for module in (
        http,
        http_poll,
        switch,
        fork_join,
        fork_join_dynamic,
        join,
        exclusive_join,
        do_while,
        sub_workflow,
        start_workflow,
        dynamic,
        inline,
        set_variable,
        terminate,
        wait,
        noop,
    )
}
