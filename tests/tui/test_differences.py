"""What a put does, as lines and as data; what a definition was, in lines."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from podium.registry.v1 import registry_pb2 as pb
from tui.views.differences import change_data, count, lines
from tui.views.history import entries


def result(outcome: pb.Outcome.ValueType, before: Any = None, after: Any = None) -> pb.PutResult:
    definition = pb.Definition(
        kind="auth", name="a", document=json.dumps(after) if after is not None else ""
    )
    told = json.dumps(before) if before is not None else ""
    return pb.PutResult(outcome=outcome, definition=definition, before=told)


def test_what_changes_nothing_has_no_lines() -> None:
    assert list(lines(result(pb.OUTCOME_UNCHANGED), "x")) == []


def test_what_is_new_is_shown_whole() -> None:
    shown = lines(result(pb.OUTCOME_CREATED, None, {"kind": "auth", "id": "a"}), "x.yaml:1")

    assert list(shown) == [
        "auth a  created",
        "--- nothing",
        "+++ auth a (x.yaml:1)",
        "@@ -0,0 +1,2 @@",
        "+kind: auth",
        "+id: a",
    ]


def test_what_may_not_be_shown_is_told_to_differ() -> None:
    (head, said) = lines(result(pb.OUTCOME_CHANGED), "x")
    assert (head, "is not shown" in said) == ("auth a  changed", True)
    same = {"kind": "auth", "id": "a"}
    assert list(lines(result(pb.OUTCOME_CHANGED, same, same), "x"))[1:] == ["  (its keys)"]


def test_times_of_keys_are_no_difference_of_a_file() -> None:
    before = {"kind": "auth", "knownKeys": [{"name": "k", "createdAt": "then"}]}
    after = {"kind": "auth", "knownKeys": [{"name": "k", "createdAt": "now"}], "id": "a"}

    told = change_data(result(pb.OUTCOME_CHANGED, before, after), "x")

    assert told["changes"] == [{"path": "id", "after": "a"}]


def test_outcomes_are_counted() -> None:
    answer = pb.PutDefinitionsResponse(
        results=[result(pb.OUTCOME_CHANGED), result(pb.OUTCOME_CHANGED)],
        deleted=[pb.Definition()],
    )

    assert count(answer) == "2 changed, 1 deleted"
    assert count(pb.PutDefinitionsResponse()) == "nothing"


def state(
    revision: int, document: dict[str, Any] | None, version: int = 0, created: int = 1
) -> pb.DefinitionState:
    return pb.DefinitionState(
        deleted=document is None,
        definition=pb.Definition(
            kind="service",
            revision=revision,
            version=version,
            document="" if document is None else json.dumps(document),
            created_at=Timestamp(seconds=created),
            updated_at=Timestamp(seconds=revision),
            updated_by="application:admin",
        ),
    )


def test_each_state_tells_what_changed_since_the_one_before() -> None:
    states = [
        state(5, {"a": 2}, created=5),
        state(4, None),
        state(3, {"a": 2}),
        state(2, {"a": 2, "b": 1}),
        state(1, {"b": 1}),
    ]

    said = [entry.said for entry in entries(states, whole=True)]

    assert said == ["created again", "deleted", "b removed", "a added", "created"]
    assert entries(states, whole=True)[-1].text() == (
        "1  1970-01-01T00:00:01Z  application:admin  created"
    )


def test_versions_are_compared_with_themselves() -> None:
    states = [state(4, {"a": 2}, 1), state(3, {"a": 9}, 2, created=3), state(1, {"a": 1}, 1)]

    said = [entry.said for entry in entries(states, whole=True)]

    assert said == ["a 1 → 2", "created", "created"]


def test_what_came_before_what_is_kept_is_not_made_up() -> None:
    assert [e.said for e in entries([state(3, {"a": 2})], whole=False)] == ["changed"]
    assert [e.said for e in entries([state(3, {"a": 2})], whole=True)] == [
        "the oldest that is kept"
    ]


def test_a_key_whose_value_changes_is_told_in_lines_and_as_data() -> None:
    name = {"name": "k", "createdAt": "then"}
    before = {"kind": "auth", "knownKeys": [name | {"key": "as it is"}]}
    after = {"kind": "auth", "knownKeys": [name | {"key": "another one"}]}
    changed = result(pb.OUTCOME_CHANGED, before, after)

    assert {"-  key: as it is", "+  key: another one"} <= set(lines(changed, "x"))
    assert change_data(changed, "x")["changes"] == [
        {"path": "knownKeys[0].key", "before": "as it is", "after": "another one"}
    ]
