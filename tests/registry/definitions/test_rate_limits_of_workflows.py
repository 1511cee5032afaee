"""What a workflow's rateLimitConfig takes."""

from __future__ import annotations

import pytest

from services.errors import InvalidDefinition
from services.registry.definitions import Json, parse


def limited(**config: Json) -> dict[str, Json]:
    task: Json = {"name": "t", "taskReferenceName": "t", "type": "NOOP"}
    return {"kind": "workflow", "name": "w", "tasks": [task], "rateLimitConfig": config}


def test_a_limit_has_a_key_of_the_start_and_a_policy() -> None:
    for key in ("all", "${workflow.input.tenant}", "${workflow.correlationId}-x"):
        parse(limited(rateLimitKey=key, concurrentExecLimit=2, policy="REJECT"))
    parse(limited(concurrentExecLimit=0))


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ({"rateLimitKey": "a"}, "concurrentExecLimit: is required"),
        ({"concurrentExecLimit": -1}, "concurrentExecLimit: must be at least 0, not -1"),
        ({"concurrentExecLimit": 1, "policy": "WAIT"}, "policy: must be one of QUEUE, REJECT"),
        (
            {"concurrentExecLimit": 1, "rateLimitKey": "${t.output.x}"},
            "rateLimitKey: ${t.output.x} names 't', which no task of this workflow provides",
        ),
        ({"concurrentExecLimit": 1, "onFull": "QUEUE"}, "onFull: is no field of a rate limit"),
    ],
)
def test_what_cannot_be_counted_is_refused(config: dict[str, Json], fault: str) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        parse(limited(**config))

    (told,) = map(str, caught.value.faults)
    assert told.startswith(f"rateLimitConfig.{fault}"), told
