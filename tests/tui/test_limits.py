from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.duration_pb2 import Duration

from podium.edge.v1 import edge_pb2 as pb
from podium.executor.v1 import crowds_pb2 as crowds
from tui.resources.limits import RESET, RESOURCE, limits_of, limits_of_workflow
from tui.views.limits import documents, lines, workflow_documents, workflow_lines

AT = datetime(2026, 11, 26, 20, 0, tzinfo=UTC)


def told() -> pb.ListLimitsResponse:
    burst = pb.LimitState(
        service_id="shop", method="POST", path="/shop", name="burst", key="${headers.T}", limit=3,
        refused=7, keys_used=12,
    )  # fmt: skip
    burst.window.FromSeconds(90)
    key = burst.keys.add(id="aa", key="a\x1b[2J", used=3, limit=3, refused=2)
    key.room_at.FromDatetime(AT)
    key.unused_at.FromDatetime(AT)
    jobs = pb.LimitState(
        service_id="shop", method="PUT", path="/jobs", name="concurrent", limit=1, most_waiting=5,
        keys_used=1,
    )  # fmt: skip
    jobs.keys.add(id="bb", key="", used=4, limit=1, waiting=2, execution_ids=["e1", "e2", "e3"])
    old = pb.LimitState(name="concurrent", key="${body.x}", limit=1)
    old.keys.add(id="cc", used=1, limit=1, execution_ids=["e9"])
    return pb.ListLimitsResponse(limits=[burst, jobs, old])


def test_a_limit_is_a_line_and_its_keys_are_below() -> None:
    shown = list(lines(told()))

    assert shown[:4] == [
        "shop  POST /shop  burst  3 in 90 s  by ${headers.T}  12 in use, 7 refused",
        "  key       used  waiting  refused  room at               id",
        "  a\\x1b[2J  3/3   -        2        2026-11-26T20:00:00Z  aa",
        "  and 11 more keys",
    ]
    assert shown[5] == (
        "shop  PUT /jobs  concurrent  1 side by side, 5 may wait  1 in use, 0 refused"
    )
    assert " ".join(shown[7].split()) == "(all calls) 4/1 2 - - e1 e2 e3 and 1 more"
    assert "(begun before the gateway was)" in shown[-1]


def test_as_data_it_is_all_there() -> None:
    burst, jobs, old = documents(told())

    assert burst["windowSeconds"] == 90
    assert burst["keys"][0] == {
        "id": "aa",
        "key": "a\x1b[2J",
        "used": 3,
        "limit": 3,
        "refused": 2,
        "roomAt": "2026-11-26T20:00:00Z",
        "unusedAt": "2026-11-26T20:00:00Z",
    }
    assert (jobs["maxQueued"], jobs["keys"][0]["waiting"]) == (5, 2)
    assert old["keys"][0]["key"] is None


def test_two_limits_of_one_route_with_one_key_are_told_apart_before_a_reset() -> None:
    key = pb.LimitKey(id="1", key="alice", used=2, limit=3)
    limits = [
        pb.LimitState(
            service_id="s", method="POST", path="/orders", name=name, key="${principal}",
            limit=3, window=Duration(seconds=seconds), keys=[key],
        )
        for name, seconds in (("burst", 1), ("hourly", 3600))
    ]  # fmt: skip
    rows = [row for limit in limits for row in limits_of(limit)]
    assert RESET.label is not None
    assert RESET.effect is not None

    assert [RESET.label(row) for row in rows] == [
        "burst (3 in 1 s) of POST /orders for alice",
        "hourly (3 in 3600 s) of POST /orders for alice",
    ]
    assert "counted by ${principal}" in RESET.effect(rows)
    assert len({RESOURCE.label(row) for row in rows}) == 2


def of_workflows() -> crowds.ListWorkflowLimitsResponse:
    held = crowds.WorkflowLimit(workflow_name="held", key="${workflow.input.k}", limit=2,
                                keys_used=3)  # fmt: skip
    key = held.keys.add(id=b"\x01", key="a\x1b", used=3, limit=2, waiting=4)
    key.holders.add(execution_id="e1")
    alone = crowds.WorkflowLimit(workflow_name="alone", limit=1, rejects=True, keys_used=1)
    alone.keys.add(id=b"\x02", key="null", used=1)
    return crowds.ListWorkflowLimitsResponse(limits=[held, alone])


def test_limits_of_workflows_are_lines_and_data_too() -> None:
    shown = [" ".join(line.split()) for line in workflow_lines(of_workflows())]

    assert shown == [
        "workflow held 2 at once, others wait by ${workflow.input.k} 3 in use",
        "key used waiting refused room at id",
        "a\\x1b 3/2 4 - - e1 and 2 more",
        "and 2 more keys",
        "",
        "workflow alone 1 at once, one more is refused 1 in use",
        "key used waiting refused room at id",
        "(all calls) 1/1 0 - - and 1 more",
    ]
    held, alone = workflow_documents(of_workflows())
    assert (held["workflow"], held["policy"], held["keys"][0]["executionIds"]) == (
        "held", "QUEUE", ["e1"]
    )  # fmt: skip
    assert (alone["policy"], alone["keys"][0]["key"]) == ("REJECT", "")


def test_limits_of_workflows_are_rows_beside_those_of_routes() -> None:
    rows = [row for each in of_workflows().limits for row in limits_of_workflow(each)]

    assert [(row.route, row.shown_key, row.used, row.waiting) for row in rows] == [
        ("workflow held", "a\x1b", 3, 4),
        ("workflow alone", "(all calls)", 1, 0),
    ]
    assert not RESET.applies(rows[0])
    assert rows[0].document["workflow"] == "held"
    assert "path" not in rows[0].document
