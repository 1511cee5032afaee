"""What an HTTP task asks and gives, how HTTP_POLL goes on, and what ends a task that waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.executor.core.model import Json
from tests.executor.conductor.rows import (
    MENDED,
    SMALLER,
    Act,
    Fields,
    Part,
    Row,
    answered,
    check,
    fires,
    ids,
    said,
)
from tests.executor.core.simulator import answer, failure, http, task, workflow


def called(rule: str, request: Json, *after: Act, record: str = "", **shows: Json | Part) -> Row:
    """An HTTP task ``h`` whose input is ``request``; names are of it (``request__uri``)."""
    flow = workflow(task("h", "HTTP", request))
    named = {f"h.{name.replace('__', '.')}": value for name, value in shows.items()}
    return Row(rule, flow, named, after, record)


FLAT: dict[str, Json] = {"uri": "http://x", "method": "GET"}
BODY: dict[str, Json] = {**FLAT, "method": "POST", "body": {"n": 1}}
CALLS = (
    called("a request stands in http_request", {"http_request": FLAT},
           request__uri="http://x", request__method="GET"),
    called("or flat in the input", FLAT, request__uri="http://x", request__method="GET"),
    *(
        called(f"the method may be {method}", {**FLAT, "method": method}, request__method=method)
        for method in ("GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE")
    ),
    called("headers become text, and those that are null are left out",
           {**FLAT, "headers": {"n": 1, "none": None, "yes": True, "list": [1]}},
           request__headers={"n": "1", "yes": "true", "list": "[1]", "Accept": "application/json"}),
    called("accept may be a list", {**FLAT, "accept": ["text/plain", "text/html"]},
           request__headers={"Accept": "text/plain, text/html"}),
    called("a body is any value, sent as JSON", BODY, request__body={"n": 1},
           request__content_type="application/json",
           request__headers={"Accept": "application/json", "Content-Type": "application/json"}),
    called("contentType is the body's", {**BODY, "contentType": "text/plain"},
           request__content_type="text/plain"),
    called("time-outs are in milliseconds",
           {**FLAT, "connectionTimeOut": 250, "readTimeOut": "1500"},
           request__connect_timeout=timedelta(milliseconds=250),  # type: ignore[arg-type]
           request__read_timeout=timedelta(milliseconds=1500)),  # type: ignore[arg-type]
    # 3,000 ms each in Conductor, which is what its users complain of most.
    called("without them a connection has 5 s and an answer 60 s", FLAT, record=SMALLER,
           request__connect_timeout=timedelta(seconds=5),  # type: ignore[arg-type]
           request__read_timeout=timedelta(seconds=60)),  # type: ignore[arg-type]
    called("vipAddress and appName are taken and say nothing",
           {**FLAT, "vipAddress": "v", "appName": "a"}, request__uri="http://x"),
    called("the response has status, headers, phrase and body", FLAT,
           answered("h", answer({"n": 1}, 201, etag="e")), status="COMPLETED",
           output__response={"statusCode": 201, "reasonPhrase": "Said", "body": {"n": 1},
                             "headers": {"etag": ["e"]}}),
    # Conductor makes text of all that is neither an object, a list nor a number.
    *(
        called(f"a body of JSON keeps its type: {body!r}", FLAT, answered("h", answer(body)),
               output__response__body=body, record=SMALLER)
        for body in (True, None, 7)
    ),
    called("any 2xx is a success", FLAT, answered("h", status=299), status="COMPLETED"),
    # There a failed call's output is one text.
    *(
        called(f"{status} is a failure, and keeps what was answered", FLAT,
               answered("h", status=status), status="FAILED", output__response__statusCode=status,
               output__response__body={"n": 1}, reason=Part(str(status)), record=MENDED)
        for status in (302, 404, 500)
    ),
    called("no connection is a failure", FLAT, answered("h", failure("Refused.")),
           status="FAILED", reason="Refused."),
    # There these are tried again, with the same input.
    called("without a uri there is no call", {"method": "GET"}, record=SMALLER,
           status="FAILED_WITH_TERMINAL_ERROR", reason=Part("uri is required")),
    called("without a method neither", {"uri": "http://x"}, record=SMALLER,
           status="FAILED_WITH_TERMINAL_ERROR", reason=Part("method is required")),
    # There it is SCHEDULED until the call has ended.
    called("it is in progress while the call is under way", FLAT, status="IN_PROGRESS",
           record=SMALLER),
)  # fmt: skip


def awaiting(rule: str, *after: Act, definition: Json = None, record: str = "",
             input: Fields | None = None, kind: str = "HTTP",
             **more: Json | Part) -> Row:  # fmt: skip
    """A task ``a`` with ``asyncComplete`` on itself, or in its ``input``."""
    fields: dict[str, Json] = {} if input else {"asyncComplete": True}
    if kind == "EVENT":
        fields["sink"] = "conductor"
    flow = workflow(task("a", kind, {**FLAT, **(input or {})}, **fields),
                    definitions={"a": definition} if definition else None)  # fmt: skip
    shows = {f"a.{name}": value for name, value in more.items()}
    return Row(rule, flow, shows, after, record)


ASYNC = (
    awaiting("after a good answer it stays open", answered("a"), status="IN_PROGRESS"),
    awaiting("so it does where the input says so", answered("a"), status="IN_PROGRESS",
             input={"asyncComplete": True}),
    awaiting("a bad answer is a failure at once", answered("a", status=500), status="FAILED"),
    awaiting("a word from outside ends it", answered("a"), said("a", "COMPLETED", {"k": 1}),
             status="COMPLETED"),
    awaiting("with a failure too", answered("a"), said("a", "FAILED", None, "no"),
             status="FAILED", reason="no"),
    awaiting("a time of silence does not end it", answered("a"), status="IN_PROGRESS",
             definition={"responseTimeoutSeconds": 5, "timeoutSeconds": 60}, waits=[60.0]),
    awaiting("its timeoutSeconds does", answered("a"), fires, status="TIMED_OUT",
             definition={"responseTimeoutSeconds": 5, "timeoutSeconds": 60}),
    # There it waits for ever.
    awaiting("without one it waits for a day", answered("a"), waits=[86_400.0], record=MENDED),
    awaiting("an event stays open once it is told", kind="EVENT", status="IN_PROGRESS"),
    awaiting("also where its input says so", kind="EVENT", status="IN_PROGRESS",
             input={"asyncComplete": True}),
    awaiting("until somebody ends it", said("a", "COMPLETED"), kind="EVENT", status="COMPLETED"),
)  # fmt: skip


def polled(rule: str, *after: Act, record: str = "", judge: Json = None,
           inputs: Fields | None = None, **more: Json | Part) -> Row:  # fmt: skip
    """An HTTP_POLL task ``p``; its condition comes to ``judge``."""
    given = {"http_request": FLAT, "terminationCondition": "said($)", **(inputs or {})}
    shows = {f"p.{name.replace('__', '.')}": value for name, value in more.items()}
    flow = workflow(task("p", "HTTP_POLL", given))
    return Row(rule, flow, shows, after, record, judge=lambda source, scope: judge)


def poll_times(count: int) -> tuple[Act, ...]:
    acts: list[Act] = [answered("p")]
    for _ in range(count - 1):
        acts += [fires, answered("p")]
    return tuple(acts)


POLLS = (
    *(
        polled(f"{value!r} of its condition ends it well", answered("p"), judge=value,
               status="COMPLETED")
        for value in (True, 1)
    ),
    *(
        polled(f"{value!r} has it poll again", answered("p"), judge=value, status="IN_PROGRESS")
        for value in (False, 0)
    ),
    polled("-1 fails it", answered("p"), judge=-1, status="FAILED"),
    polled("the wait is a number of seconds", answered("p"), judge=False, waits=[5.0],
           inputs={"pollingInterval": 5}),
    polled("or a text of one", answered("p"), judge=False, waits=[5.0],
           inputs={"pollingInterval": "5"}),
    # Orkes raises whatever is less than a minute.
    polled("there is no minimum of a minute", answered("p"), judge=False, waits=[0.5],
           inputs={"pollingInterval": 0.5}, record=MENDED),
    *(
        polled(f"the third wait of {strategy} is {seconds} s", *poll_times(3), judge=False,
               waits=[seconds], inputs={"pollingInterval": 5, "pollingStrategy": strategy})
        for strategy, seconds in (
            ("FIXED", 5.0), ("LINEAR_BACKOFF", 15.0), ("EXPONENTIAL_BACKOFF", 40.0)
        )
    ),
    polled("maxPollCount bounds it", *poll_times(2), judge=False, status="TIMED_OUT",
           inputs={"maxPollCount": 2}, reason=Part("maxPollCount")),
    polled("all polls are one task", *poll_times(3), judge=False, attempts=1, poll_count=3),
    polled("it gives the last poll's response", answered("p"), judge=True, status="COMPLETED",
           output__response__body={"n": 1}),
    polled("a status that is accepted is judged", answered("p", status=404), judge=True,
           inputs={"http_request": {**FLAT, "acceptedStatusCodes": [404]}}, status="COMPLETED"),
)  # fmt: skip


@pytest.mark.parametrize("row", [*CALLS, *ASYNC, *POLLS], ids=ids)
def test_calls(row: Row) -> None:
    check(row)


def test_what_a_condition_sees_is_the_poll_and_the_input() -> None:
    seen: list[Json] = []

    def judge(source: str, scope: Fields) -> Json:
        seen.append({**scope})
        return True

    given: Json = {"http_request": FLAT, "terminationCondition": "f($.output, $.input)"}
    row = Row("sees", workflow(task("p", "HTTP_POLL", given)), {"p": "COMPLETED"},
              (answered("p"),), judge=judge)  # fmt: skip
    check(row)
    (scope,) = seen
    assert isinstance(scope, dict)
    output, own = scope["output"], scope["input"]
    assert isinstance(output, dict)
    assert isinstance(own, dict)
    assert output["response"] == {
        "statusCode": 200, "headers": {}, "body": {"n": 1}, "reasonPhrase": "Said"
    }  # fmt: skip
    assert own["http_request"] == FLAT


def test_http_is_not_tried_again_without_a_definition_or_a_count() -> None:
    check(Row("once", workflow(http("h")), {"h": "FAILED", "workflow": "FAILED", "h.attempts": 1},
              (answered("h", status=500),)))  # fmt: skip
