"""The task types that a workflow may have; a new one is a file here and a name in the table."""

from __future__ import annotations

from services.registry.definitions.tasks import (
    do_while,
    dynamic,
    event,
    exclusive_join,
    fork_join,
    fork_join_dynamic,
    http,
    http_poll,
    human,
    inline,
    join,
    json_jq_transform,
    noop,
    set_variable,
    simple,
    start_workflow,
    sub_workflow,
    switch,
    terminate,
    wait,
    wait_for_webhook,
)
from services.registry.definitions.tasks.kind import TaskKind

TASK_KINDS: dict[str, TaskKind] = {
    kind.name: kind
    for kind in (
        http.KIND,
        http_poll.KIND,
        simple.KIND,
        switch.KIND,
        fork_join.KIND,
        fork_join_dynamic.KIND,
        join.KIND,
        exclusive_join.KIND,
        do_while.KIND,
        sub_workflow.KIND,
        start_workflow.KIND,
        dynamic.KIND,
        event.KIND,
        inline.KIND,
        json_jq_transform.KIND,
        set_variable.KIND,
        terminate.KIND,
        wait.KIND,
        wait_for_webhook.KIND,
        human.KIND,
        noop.KIND,
        switch.DECISION,
        inline.LAMBDA,
    )
}
