"""What HTTP and HTTP_POLL tasks take, and what they refuse with which path."""

from __future__ import annotations

import pytest

from services.errors import InvalidDefinition
from services.registry.definitions import Definition, Document, Json, parse


def task(type_: str, inputs: Json = None, **fields: Json) -> Document:
    inner: Document = {"name": "t", "taskReferenceName": "t", "type": type_, **fields}
    if inputs is not None:
        inner["inputParameters"] = inputs
    return {"name": "w", "tasks": [inner]}


def http(**request: Json) -> Document:
    return {"http_request": {"uri": "http://127.0.0.1:9/", "method": "GET", **request}}


def poll(**request: Json) -> Document:
    return http(terminationCondition="true", **request)


def faults(document: Document) -> list[str]:
    with pytest.raises(InvalidDefinition) as caught:
        parse(document)
    return [str(fault).removeprefix("tasks[0].") for fault in caught.value.faults]


def accepted(document: Document) -> Definition:
    definition = parse(document)
    assert definition.warnings == ()
    return definition


def warned(document: Document) -> list[str]:
    return [warning.removeprefix("tasks[0].") for warning in parse(document).warnings]


@pytest.mark.parametrize(
    "inputs",
    [
        http(),
        {"uri": "https://example.org/a?b=${workflow.input.b}", "method": "POST", "own": 1},
        {"http_request": "${workflow.input.request}"},
        http(uri="${workflow.input.uri}", method="${workflow.input.method}"),
        http(connectionTimeOut="3000", readTimeOut=3000, encode="false", accept=["a/b", "c/d"]),
        http(acceptedStatusCodes=["2xx", 404, "409"], headers={"a": None, "b": 1}, body=None),
        http(asyncComplete=True, hedgingConfig={"maxAttempts": 1}, cacheConfig={}),
        {**http(), "asyncComplete": True, "onInterrupted": "FAIL", "callbackTimeoutSeconds": 60},
    ],
)
def test_http_takes(inputs: Document) -> None:
    accepted(task("HTTP", inputs))


@pytest.mark.parametrize(
    ("inputs", "fault"),
    [
        ({"http_request": {"method": "GET"}}, "http_request.uri: is required"),
        ({"uri": "http://a.example"}, "method: is required"),
        ({"http_request": []}, "http_request: must be an object, not a list"),
        (http(uri="ftp://a.example/"), "http_request.uri: must be an http:// or https:// address, "
                                       "not 'ftp://a.example/'"),
        (http(uri="/a"), "http_request.uri: must be an http:// or https:// address, not '/a'"),
        (http(uri="http://[::1"), "http_request.uri: must be an http:// or https:// address, "
                                  "not 'http://[::1'"),
        (http(uri=""), "http_request.uri: must not be empty"),
        (http(method="post"), "http_request.method: must be one of GET, HEAD, POST, PUT, PATCH, "
                              "DELETE, OPTIONS, TRACE, not 'post'; did you mean 'POST'?"),
        (http(headers=[]), "http_request.headers: must be an object, not a list"),
        (http(readTimeOut=-1), "http_request.readTimeOut: must be at least 0, not -1"),
        (http(readTimeOut="soon"), "http_request.readTimeOut: must be a number, not 'soon'"),
        (http(acceptedStatusCodes=[200, 700]), "http_request.acceptedStatusCodes[1]: must be a "
                                               "status like 404 or a family like '4xx', not 700"),
        (http(hedgingConfig={"maxAttempts": 9}),
         "http_request.hedgingConfig.maxAttempts: must be at most 5, not 9"),
        ({**http(), "onInterrupted": "STOP"}, "onInterrupted: must be one of RETRY, FAIL, "
                                              "not 'STOP'"),
    ],
)  # fmt: skip
def test_http_refuses(inputs: Document, fault: str) -> None:
    assert faults(task("HTTP", inputs)) == [f"inputParameters.{fault}"]


def test_podiums_own_fields_stand_on_the_task_too() -> None:
    accepted(
        task("HTTP", http(), onInterrupted="FAIL", callbackTimeoutSeconds=5, asyncComplete=True)
    )

    assert faults(task("HTTP", http(), onInterrupted="x", callbackTimeoutSeconds=0)) == [
        "onInterrupted: must be one of RETRY, FAIL, not 'x'",
        "callbackTimeoutSeconds: must be at least 1, not 0",
    ]


def test_a_misspelt_field_of_a_request_is_told() -> None:
    assert warned(task("HTTP", http(conectionTimeOut=5))) == [
        "inputParameters.http_request.conectionTimeOut: is no field of an HTTP request: kept and "
        "ignored; did you mean 'connectionTimeOut'?"
    ]
    assert warned(task("HTTP", {"uri": "http://a.example", "metod": "GET", "method": "GET"})) == [
        "inputParameters.metod: is no field of an HTTP request: kept and ignored; "
        "did you mean 'method'?"
    ]


@pytest.mark.parametrize(
    "inputs",
    [
        poll(),
        {**http(), "terminationCondition": "$.output.status == 200", "pollingInterval": 0.1},
        {"uri": "http://a.example", "terminationCondition": True},
        poll(pollingInterval="${workflow.input.every}", maxPollCount="10", tolerateErrors=0),
        http(terminationCondition="${workflow.input.condition}"),
        http(terminationCondition=1),
    ],
)
def test_http_poll_takes(inputs: Document) -> None:
    accepted(task("HTTP_POLL", inputs))


@pytest.mark.parametrize(
    ("inputs", "fault"),
    [
        (http(), "http_request.terminationCondition: is required"),
        ({"uri": "http://a.example"}, "terminationCondition: is required"),
        (http(terminationCondition=" "), "http_request.terminationCondition: must not be empty"),
        (http(terminationCondition=[]),
         "http_request.terminationCondition: must be JavaScript, true, false or a number, "
         "not a list"),
        (poll(pollingInterval=0), "http_request.pollingInterval: must be at least 0.1, not 0"),
        (poll(pollingInterval="5s"), "http_request.pollingInterval: must be a number, not '5s'"),
        (poll(pollingStrategy="EXPONENTIAL"), "http_request.pollingStrategy: must be one of FIXED, "
                                              "LINEAR_BACKOFF, EXPONENTIAL_BACKOFF, "
                                              "not 'EXPONENTIAL'; did you mean "
                                              "'EXPONENTIAL_BACKOFF'?"),
        (poll(maxPollCount=0), "http_request.maxPollCount: must be at least 1, not 0"),
        ({**poll(), "maxPollCount": 1.5}, "maxPollCount: must be a whole number, not 1.5"),
        (poll(tolerateErrors=-1), "http_request.tolerateErrors: must be at least 0, not -1"),
    ],
)  # fmt: skip
def test_http_poll_refuses(inputs: Document, fault: str) -> None:
    assert faults(task("HTTP_POLL", inputs)) == [f"inputParameters.{fault}"]


def test_a_condition_that_an_execution_resolves_first_is_not_checked_as_a_script() -> None:
    assert (
        accepted(task("HTTP_POLL", http(terminationCondition="${workflow.input.c}"))).scripts == ()
    )
