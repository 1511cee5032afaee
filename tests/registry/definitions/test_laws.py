"""What holds of every document: faults only, a fixed point, nothing told of what is secret."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator

import jsonschema_rs
import pytest
from hypothesis import given, settings, strategies as st

from services.errors import InvalidDefinition
from services.registry.definitions import KINDS, Definition, Document, Json, examine, parse
from services.registry.definitions.document import schema
from services.registry.definitions.tasks import TASK_KINDS
from services.registry.references import over, route_conflicts, unknown
from services.registry.writeonly import readable

HTTP: Document = {
    "name": "submit",
    "taskReferenceName": "submit",
    "type": "HTTP",
    "asyncComplete": True,
    "retryCount": "2",
    "permissive": True,
    "taskDefinition": {"retryLogic": "LINEAR_BACKOFF", "timeoutSeconds": 60, "createTime": 1},
    "inputParameters": {
        "onInterrupted": "FAIL",
        "http_request": {
            "uri": "${workflow.input.base}/jobs?n=${workflow.variables.n}",
            "method": "POST",
            "headers": {"Authorization": "Bearer ${workflow.secrets.TOKEN}", "X": None},
            "body": {"callbackUrl": "${task.callbackUrl}", "cost": "$${5}"},
            "acceptedStatusCodes": ["2xx", 404, "409"],
        },
    },
}
POLL: Document = {
    "name": "poll",
    "taskReferenceName": "poll",
    "type": "HTTP_POLL",
    "inputParameters": {
        "http_request": {"uri": "http://127.0.0.1:9/jobs/${submit.output.response.body.jobId}"},
        "terminationCondition": "$.output.response.statusCode == 200",
        "pollingInterval": "0.5",
        "pollingStrategy": "EXPONENTIAL_BACKOFF",
        "tolerateErrors": 3,
    },
}
WORKFLOW: Document = {
    "name": "everything",
    "createTime": 5,
    "description": None,
    "schemaVersion": 2,
    "timeoutSeconds": "600",
    "failureWorkflow": "clean-up",
    "variables": {"n": 1},
    "tasks": [
        HTTP,
        POLL,
        {
            "name": "which",
            "taskReferenceName": "which",
            "type": "SWITCH",
            "evaluatorType": "value-param",
            "expression": "state",
            "inputParameters": {"state": "${poll.output.response.body.state}"},
            "decisionCases": {
                "FAILED": [
                    {
                        "name": "end",
                        "taskReferenceName": "end",
                        "type": "TERMINATE",
                        "inputParameters": {
                            "terminationStatus": "FAILED",
                            "workflowOutput": {"at": "${poll.output.list[${sum.output.result}]}"},
                        },
                    }
                ],
                "a b": [],
            },
            "defaultCase": [
                {"name": "no", "taskReferenceName": "no", "type": "NOOP", "joinOn": []},
                {
                    "name": "rest",
                    "taskReferenceName": "rest",
                    "type": "WAIT",
                    "inputParameters": {"duration": "1 hour 5s"},
                },
            ],
        },
        {
            "name": "sum",
            "taskReferenceName": "sum",
            "type": "INLINE",
            "inputParameters": {"expression": "$.a + 1", "a": "${workflow.input.a}"},
        },
        {
            "name": "set",
            "taskReferenceName": "set",
            "type": "SET_VARIABLE",
            "inputParameters": {"n": "${sum.output.result}"},
        },
    ],
    "outputParameters": {"n": "${workflow.variables.n}", "all": ["${poll.output}"]},
}
VALID: dict[str, Document] = {
    "workflow": WORKFLOW,
    "task": {"kind": "task", "name": "submit", "retryCount": 1, "timeoutPolicy": "RETRY"},
    "schema": {"kind": "schema", "name": "order", "data": {"type": "object"}},
    "application": {
        "kind": "application",
        "id": "storefront",
        "roles": ["WORKER"],
        "permissions": [{"target": {"type": "workflow", "id": "checkout"}, "access": ["EXECUTE"]}],
    },
    "auth": {
        "kind": "auth",
        "id": "partners",
        "authenticationType": "API_KEY",
        "applicationId": "storefront",
        "apiKeys": [
            "0123456789abcdef",
            {"name": "b", "key": "fedcba9876543210", "expiresAt": "2027-01-31T00:00:00Z"},
        ],
    },
    "service": {
        "kind": "service",
        "id": "orders",
        "path": "/api/v1/orders",
        "authConfigId": "partners",
        "corsConfig": {"accessControlAllowOrigin": ["*"], "accessControlAllowMethods": ["GET"]},
        "routes": [
            {
                "httpMethod": "POST",
                "path": "/{orderId}/checkout",
                "mappedWorkflow": {"name": "checkout", "version": 2},
                "waitUntilTasks": "charge",
                "timeoutInSeconds": 30,
                "cacheConfig": {},
            }
        ],
    },
    "secret": {"kind": "secret", "name": "PARTNER_TOKEN", "value": "hush-hush"},
}

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["${", "${a.output}", "$${x}", "${a[${b}]}", "}", "5", "HTTP", "\ud800", "/"])
)
field_names = sorted(
    {field.name for kind in KINDS.values() for field in kind.record.fields}
    | {field.name for kind in TASK_KINDS.values() for field in kind.record.fields}
    | {field.name for kind in TASK_KINDS.values() for field in kind.inputs.fields}
    | {"http_request", "mappedWorkflow", "httpMethod", "key", "target", "access", "$ref", "type"}
)
names = st.sampled_from(field_names) | st.text(max_size=5)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
    max_leaves=20,
)


def places(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))


def changed(document: Json, path: tuple[str | int, ...], value: Json) -> Json:
    if not path:
        return value
    result = copy.deepcopy(document)
    holder = result
    for step in path[:-1]:
        holder = holder[step]  # type: ignore[index]
    holder[path[-1]] = value  # type: ignore[index]
    return result


@st.composite
def mutations(draw: st.DrawFn) -> Json:
    document: Json = VALID[draw(st.sampled_from(sorted(VALID)))]
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(document))))
        document = changed(document, path, draw(anything))
    return document


def parsed_or_refused(document: Json) -> Definition | None:
    try:
        return parse(document)
    except InvalidDefinition as invalid:
        return None if invalid.faults else pytest.fail("refused without a fault")


@settings(deadline=None)
@given(anything | st.builds(lambda k, d: {**d, "kind": k}, st.sampled_from(sorted(KINDS)),
                            st.dictionaries(names, anything, max_size=8)))  # fmt: skip
def test_anything_is_a_definition_or_refused_with_faults(document: Json) -> None:
    parsed_or_refused(document)


@settings(max_examples=150, deadline=None)
@given(mutations())
def test_a_mutated_document_is_a_definition_or_refused_with_faults(document: Json) -> None:
    before = copy.deepcopy(document)

    definition = parsed_or_refused(document)

    assert repr(document) == repr(before)
    if definition is not None:
        again = parse(definition.document)
        assert json.dumps(again.document) == json.dumps(definition.document)
        assert (again.kind, again.name, again.version) == (
            definition.kind,
            definition.name,
            definition.version,
        )


@settings(max_examples=150, deadline=None)
@given(mutations())
def test_a_faulty_document_is_held_against_what_is_stored_as_any_other(document: Json) -> None:
    def lookup(kind: str, name: str, version: int | None) -> Document | None:
        assert version is None or 0 < version < 2**31
        return document if kind == "workflow" and isinstance(document, dict) else None

    examined = examine(document)
    if examined.draft is None:
        assert examined.faults
    else:
        over_itself = over(lookup, [examined.draft])
        assert all(fault.path for fault in unknown(examined.draft, over_itself))
        route_conflicts([parse(VALID["service"]), examined.draft], [examined.draft])


@pytest.mark.parametrize("kind", sorted(VALID))
def test_what_is_stored_parses_to_itself(kind: str) -> None:
    definition = parse(VALID[kind])

    assert definition.kind == kind
    assert parse(definition.document) == definition


@pytest.mark.parametrize("kind", sorted(VALID))
def test_what_may_be_read_back_can_be_applied(kind: str) -> None:
    assert parse(readable(kind, parse(VALID[kind]).document)).kind == kind


@pytest.mark.parametrize("kind", sorted(VALID))
def test_the_published_schema_takes_what_parsing_takes(kind: str) -> None:
    validator = jsonschema_rs.Draft202012Validator(json.loads(schema(KINDS[kind])))

    faults = [
        f"{fault.instance_path} {fault.message}" for fault in validator.iter_errors(VALID[kind])
    ]

    assert faults == []


@pytest.mark.parametrize("kind", sorted(VALID))
def test_the_published_schema_refuses_what_has_nothing_required(kind: str) -> None:
    validator = jsonschema_rs.Draft202012Validator(json.loads(schema(KINDS[kind])))

    assert not validator.is_valid({"kind": kind})
