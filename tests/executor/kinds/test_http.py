"""HTTP: the request, the answer, the key, and the word from outside."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.executor.core.events import Interrupted, TaskUpdated
from services.executor.core.model import Json, Refused, TaskStatus
from tests.executor.core.simulator import Simulator, answer, failure, http, task, workflow


def called(request: Json, **more: Json) -> Simulator:
    return Simulator(workflow(task("a", "HTTP", request, **more))).begin()


URI = "https://upstream/x?q=a b"


@pytest.mark.parametrize("nested", [True, False])
def test_a_request_is_nested_or_flat(nested: bool) -> None:
    fields: dict[str, Json] = {
        "uri": "https://upstream/x",
        "method": "put",
        "headers": {"X-One": 1, "X-None": None, "X-Flag": True, "X-Json": {"a": [1, None, "é"]}},
        "body": {"deep": [1, None]},
        "accept": ["text/plain", "application/json"],
        "contentType": "application/x-www-form-urlencoded",
        "connectionTimeOut": "1500",
        "readTimeOut": 2500.5,
        "encode": False,
    }
    request = called({"http_request": fields} if nested else fields).request("a")

    assert (request.method, request.uri, request.encode) == ("PUT", "https://upstream/x", False)
    assert request.headers == {
        "X-One": "1",
        "X-Flag": "true",
        "X-Json": '{"a":[1,null,"é"]}',
        "Accept": "text/plain, application/json",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    assert request.body == {"deep": [1, None]}
    assert request.content_type == "application/x-www-form-urlencoded"
    assert request.connect_timeout == timedelta(milliseconds=1500)
    assert request.read_timeout == timedelta(milliseconds=2500.5)


def test_what_is_not_said_has_a_default() -> None:
    request = called({"uri": "https://upstream/x", "method": "GET"}).request("a")

    assert request.headers == {"Accept": "application/json"}
    assert (request.body, request.encode, request.idempotency_key) == (None, True, None)
    assert request.connect_timeout == timedelta(seconds=5)
    assert request.read_timeout == timedelta(seconds=60)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"method": "GET"}, "uri is required"),
        ({"uri": "${workflow.input.nothing}", "method": "GET"}, "uri is required"),
        ({"uri": "ftp://x", "method": "GET"}, "uri must be"),
        ({"uri": ["http://x"], "method": "GET"}, "uri must be"),
        ({"uri": "http://x"}, "method is required"),
        ({"uri": "http://x", "method": "FETCH"}, "method must be"),
        ({"uri": "http://x", "method": "GET", "headers": "a: b"}, "headers must be"),
        ({"uri": "http://x", "method": "GET", "readTimeOut": "soon"}, "readTimeOut must be"),
        ({"uri": "http://x", "method": "GET", "readTimeOut": -1}, "readTimeOut must be"),
        ({"http_request": "GET /"}, "http_request must be"),
    ],
)
def test_an_input_that_is_no_request_is_a_terminal_error_naming_the_field(
    request_: dict[str, Json], field: str
) -> None:
    run = called(request_, retryCount=5)

    assert run.task("a").status == "FAILED_WITH_TERMINAL_ERROR"
    assert run.task("a").reason.startswith(field)
    assert run.status == "FAILED"


@pytest.mark.parametrize(
    ("accepted", "status", "ended"),
    [
        (None, 200, "COMPLETED"), (None, 299, "COMPLETED"), (None, 304, "FAILED"),
        (["404"], 404, "COMPLETED"), ([404], 404, "COMPLETED"), (["4XX"], 422, "COMPLETED"),
        (["404"], 200, "FAILED"), (["1xx", "5xx"], 503, "COMPLETED"), ([], 200, "COMPLETED"),
    ],
)  # fmt: skip
def test_accepted_statuses_are_2xx_or_exactly_those_listed(
    accepted: Json, status: int, ended: str
) -> None:
    run = called({"uri": "http://x", "method": "GET", "acceptedStatusCodes": accepted})
    run.answers("a", answer(status=status))

    assert run.task("a").status == ended


def test_a_call_without_an_answer_says_why() -> None:
    run = called({"uri": "http://x", "method": "GET"})
    run.answers("a", failure("The connection was refused."))

    assert run.task("a").reason == "The connection was refused."
    assert run.task("a").output == {"error": "The connection was refused."}


def test_secrets_and_the_callback_url_stay_literal_and_data_cannot_ask_for_them() -> None:
    body: Json = {
        "to": "${task.callbackUrl}",
        "said": "${workflow.input.said}",
        "all": "${workflow.input}",
        "text": "Hi ${workflow.input.said}, $${workflow.secrets.LITERAL}",
        "unknown": "${workflow.env.HOME}${HOME}",
    }
    request: Json = {
        "uri": "http://x", "method": "POST", "body": body,
        "headers": {"Authorization": "Bearer ${workflow.secrets.TOKEN}"},
    }  # fmt: skip
    run = Simulator(
        workflow(task("a", "HTTP", request)), {"said": "${workflow.secrets.TOKEN} ${other}"}
    ).begin()

    asked = run.request("a")
    assert asked.handoff == {"task.callbackUrl", "workflow.secrets.TOKEN"}
    assert asked.headers["Authorization"] == "Bearer ${workflow.secrets.TOKEN}"
    escaped = "$${workflow.secrets.TOKEN} ${other}"
    assert asked.body == {
        "to": "${task.callbackUrl}",
        "said": escaped,
        "all": {"said": escaped},
        "text": f"Hi {escaped}, $${{workflow.secrets.LITERAL}}",
        "unknown": "nullnull",
    }


def test_without_a_name_to_hand_over_nothing_is_handed_over() -> None:
    run = Simulator(
        workflow(http("a", {"body": "${workflow.input.said}"})),
        {"said": "${workflow.secrets.TOKEN}"},
    ).begin()

    assert run.request("a").handoff == frozenset()
    assert run.request("a").body == "${workflow.secrets.TOKEN}"


def test_a_key_is_kept_until_the_remote_has_answered() -> None:
    run = Simulator(workflow(http("a", retryCount=9))).begin()

    def key() -> str | None:
        return run.request("a").idempotency_key

    first = key()
    assert first
    run.answers("a", failure(unknown=True))
    run.fires()
    assert key() == first
    run.crash()
    assert key() == first
    run.answers("a", answer(status=503))
    run.fires()
    second = key()
    assert second not in (first, None)
    # Nothing was sent: a call that is made for the first time.
    run.answers("a", failure(unknown=False))
    run.fires()
    assert run.task("a").attempt == 3


def test_a_key_of_the_definition_wins() -> None:
    request = called(
        {"uri": "http://x", "method": "POST", "headers": {"idempotency-KEY": "mine"}}
    ).request("a")

    assert request.idempotency_key is None
    assert request.headers["idempotency-KEY"] == "mine"


@pytest.mark.parametrize("place", ["task", "beside", "within"])
def test_an_interrupted_call_is_not_sent_again_where_it_must_not_be(place: str) -> None:
    within: dict[str, Json] = {"uri": "http://x", "method": "POST"}
    beside: dict[str, Json] = {"http_request": within}
    more: dict[str, Json] = {}
    {"task": more, "beside": beside, "within": within}[place]["onInterrupted"] = "FAIL"
    run = called(beside, retryCount=3, **more)
    run.crash()

    assert run.task("a").status == "FAILED_WITH_TERMINAL_ERROR"
    assert "outcome unknown" in run.task("a").reason


def test_an_interruption_of_nothing_changes_nothing() -> None:
    run = Simulator(workflow(task("a", "WAIT"))).begin()
    before = run.execution

    assert run.happens(Interrupted(run.task("a").id, 1)).execution is before


@pytest.mark.parametrize(
    ("header", "waits"),
    [("90", 90), ("5", 60), ("Sun, 22 Nov 2026 12:10:00 GMT", 600), ("soon", 60), ("9" * 30, 3600)],
)
def test_retry_after_is_honoured_where_it_is_longer(header: str, waits: float) -> None:
    run = Simulator(workflow(http("a", retryCount=1))).begin()
    run.answers("a", answer(status=503, retry_after=header))

    assert run.until("a") == waits


def asynchronous(**more: Json) -> Simulator:
    first = http("a", None, asyncComplete=True, **more)
    return Simulator(workflow(first, task("b", "NOOP"))).begin()


def test_an_asynchronous_task_waits_for_a_word() -> None:
    run = asynchronous()
    run.answers("a", answer({"jobId": 1}, 202))

    assert run.task("a").status == "IN_PROGRESS"
    assert run.until("a") == 86_400
    run.says("a", "IN_PROGRESS", {"progress": 50})
    run.says("a", "COMPLETED", {"result": 42})
    assert run.status == "COMPLETED"
    assert run.timers == {}
    output = run.task("a").output
    assert isinstance(output, dict)
    assert (output["progress"], output["result"], output["body"]) == (50, 42, {"jobId": 1})


@pytest.mark.parametrize("word", ["COMPLETED", "FAILED", "FAILED_WITH_TERMINAL_ERROR"])
def test_a_word_before_the_answer_is_kept_until_it(word: str) -> None:
    run = asynchronous()
    run.says("a", "IN_PROGRESS", {"progress": 1})
    run.says("a", word, {"result": 1}, reason="as I say")
    run.says("a", word, {"result": 1}, exact=True)
    assert run.task("a").status == "IN_PROGRESS"
    run.crash()
    with pytest.raises(Refused):
        run.says("a", "FAILED" if word == "COMPLETED" else "COMPLETED")
    if run.task("a").status == "IN_PROGRESS":
        run.answers("a", answer({"jobId": 1}))

    assert run.task("a").status == word
    assert run.task("a").reason == "as I say"
    assert run.task("a").output["result"] == 1  # type: ignore[call-overload, index]


def test_a_word_before_the_answer_goes_over_the_answer() -> None:
    run = asynchronous()
    run.says("a", "COMPLETED", {"result": 1, "body": "mine"})
    run.answers("a", answer({"jobId": 1}))

    output = run.task("a").output
    assert isinstance(output, dict)
    assert (output["result"], output["body"], output["statusCode"]) == (1, "mine", 200)


def test_a_word_holds_though_the_answer_is_lost() -> None:
    run = asynchronous()
    run.says("a", "COMPLETED", [1])
    run.answers("a", failure(unknown=True))

    assert run.task("a").status == "COMPLETED"
    assert run.task("a").output == {"body": [1]}


@pytest.mark.parametrize("policy", ["RETRY", "TIME_OUT_WF"])
@pytest.mark.parametrize(
    "limit", ["responseTimeoutSeconds", "timeoutSeconds", "totalTimeoutSeconds"]
)
def test_a_word_holds_though_time_is_up_before_the_answer(limit: str, policy: str) -> None:
    definition: Json = {"retryCount": 1, "retryDelaySeconds": 0, "timeoutPolicy": policy, limit: 5}
    flow = workflow(http("a", None, asyncComplete=True), definitions={"a": definition})
    run = Simulator(flow).begin()
    run.says("a", "COMPLETED", {"result": 1})
    run.fires()

    assert (run.status, run.task("a").status, run.task("a").attempt) == (
        "COMPLETED",
        "COMPLETED",
        0,
    )
    assert run.task("a").output == {"result": 1}


def test_a_bad_word_is_followed_by_a_retry_though_time_is_up_before_the_answer() -> None:
    definition: Json = {"retryCount": 1, "retryDelaySeconds": 0, "timeoutSeconds": 5}
    flow = workflow(http("a", None, asyncComplete=True), definitions={"a": definition})
    run = Simulator(flow).begin()
    first = run.task("a").id
    run.says("a", "FAILED", reason="as I say")
    run.fires()

    assert (run.rows[first].status, run.rows[first].reason) == ("FAILED", "as I say")
    assert (run.status, run.task("a").attempt) == ("RUNNING", 1)


def test_a_word_about_a_call_that_failed_is_void() -> None:
    run = asynchronous()
    run.says("a", "COMPLETED", {"result": 1})
    run.answers("a", answer(status=500))

    assert run.task("a").status == "FAILED"
    with pytest.raises(Refused):
        run.says("a", "COMPLETED", {"result": 1})


def test_a_word_that_never_comes_is_a_time_out() -> None:
    run = asynchronous(callbackTimeoutSeconds=5)
    run.answers("a", answer())
    run.fires()

    assert run.task("a").status == "TIMED_OUT"
    assert "5 seconds" in run.task("a").reason
    assert run.status == "TIMED_OUT"


@pytest.mark.parametrize("place", ["beside", "within"])
def test_async_complete_may_stand_in_the_input(place: str) -> None:
    within: dict[str, Json] = {"uri": "http://x", "method": "POST"}
    beside: dict[str, Json] = {"http_request": within}
    {"beside": beside, "within": within}[place]["asyncComplete"] = "true"
    # Conductor's own SDKs send the default with every task.
    run = called(beside, asyncComplete=False)
    run.answers("a", answer())

    assert run.task("a").status == "IN_PROGRESS"


def test_the_same_word_twice_is_one_and_another_is_refused() -> None:
    run = asynchronous()
    run.answers("a", answer())
    run.says("a", "COMPLETED", {"n": 1})
    before = run.execution

    assert run.says("a", "COMPLETED").execution is before
    assert run.says("a", "COMPLETED", {"n": 1}, exact=True).execution is before
    with pytest.raises(Refused) as other:
        run.says("a", "FAILED")
    with pytest.raises(Refused):
        run.says("a", "COMPLETED", {"n": 2}, exact=True)
    assert not other.value.missing


def test_a_repeat_of_the_word_that_ended_a_replaced_attempt_is_no_news() -> None:
    run = asynchronous(retryCount=1)
    run.answers("a", answer())
    first = run.task("a")
    word = TaskUpdated(TaskStatus.FAILED, {"e": 1}, task_id=first.id, exact=True)
    run.happens(word)
    assert run.task("a").attempt == 1
    run.crash()
    before = run.execution

    assert run.happens(word).execution == before
    with pytest.raises(Refused):
        run.happens(TaskUpdated(TaskStatus.COMPLETED, task_id=first.id))
    with pytest.raises(Refused) as unknown:
        run.happens(TaskUpdated(TaskStatus.COMPLETED, task_id="no such"))
    assert unknown.value.missing


def test_an_attempt_holds_no_reasons_of_those_before_it() -> None:
    run = asynchronous(retryCount=3)
    for _ in range(3):
        run.answers("a", answer())
        run.says("a", "FAILED", reason="x" * 4_000)
        run.fires()

    assert run.task("a").attempt == 3
    assert len(str(run.task("a").memory)) < 1_000


def test_a_call_in_flight_may_be_ended_from_outside() -> None:
    run = Simulator(workflow(http("a"))).begin()
    run.says("a", "COMPLETED", {"by": "hand"}, worker_id="ops")

    assert run.status == "COMPLETED"
    assert (run.task("a").worker_id, run.task("a").output) == ("ops", {"by": "hand"})
    ended = run.execution
    run.answers("a", answer())
    assert run.execution is ended


def test_a_status_that_no_task_is_updated_to_is_refused() -> None:
    run = asynchronous()

    with pytest.raises(Refused):
        run.says("a", "TIMED_OUT")


def test_a_slow_request_may_be_sent_beside_itself() -> None:
    config: Json = {"maxAttempts": "3", "delay": 250}
    run = Simulator(workflow(http("h", {"hedgingConfig": config}))).begin()

    assert (run.request("h").attempts, run.request("h").hedge_delay) == (3, timedelta(seconds=0.25))
    assert run.request("h").idempotency_key


@pytest.mark.parametrize(
    "config", [None, {}, {"maxAttempts": 0}, {"maxAttempts": 1}, {"maxAttempts": 0.5}, "x"]
)
def test_without_it_one_is_sent(config: Json) -> None:
    run = Simulator(workflow(http("h", {"hedgingConfig": config}))).begin()

    assert run.request("h").attempts == 1


@pytest.mark.parametrize("config", [{"maxAttempts": 6}, {"maxAttempts": "many"}])
def test_what_asks_for_too_many_sends_none(config: Json) -> None:
    run = Simulator(workflow(http("h", {"hedgingConfig": config}))).begin()

    assert run.task("h").status is TaskStatus.FAILED_WITH_TERMINAL_ERROR
    assert not run.performs


def test_a_retry_waits_until_calls_go_out_again() -> None:
    run = Simulator(workflow(http("a", retryCount=1))).begin()
    run.answers("a", failure("The breaker is open.", put_off=timedelta(seconds=90)))

    assert run.until("a") == 90
    run.fires()
    run.answers("a", failure("The breaker is open.", put_off=timedelta(seconds=90)))
    assert run.status == "FAILED"
    assert "The breaker is open." in run.execution.reason
