"""What is said of an end, and what follows from each attempt to say it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, strategies as st
from standardwebhooks import Webhook as Receiver, WebhookVerificationError

from services.executor.core.decide import start
from services.executor.core.model import Execution, ExecutionStatus
from services.executor.core.signatures import NoKey, keys_of, signed
from services.executor.core.webhooks import (
    DELAYS,
    MOST_BODY_BYTES,
    MOST_OUTPUT_BYTES,
    Attempt,
    Delivery,
    DeliveryStatus,
    Webhook,
    delivery_json,
    followed,
    judged,
)
from tests.executor.core.simulator import EPOCH, ID, http, workflow

KEY, OTHER = "whsec_" + "b3dl" * 10, "whsec_" + "A" * 32
WEBHOOK = Webhook("https://Partner.example:8443/hooks?token=x", "KEY", "https://gateway/x?t=y")


def execution(status: ExecutionStatus = ExecutionStatus.COMPLETED, **more: object) -> Execution:
    begun = start(ID, workflow(http("a")), {}, EPOCH)
    return replace(begun, status=status, ended_at=EPOCH, **more)  # type: ignore[arg-type]


def body_of(webhook: Webhook, ended: Execution, output: str = "null") -> dict[str, object]:
    delivery = followed(webhook, None, ended, lambda: output)
    assert delivery is not None
    assert len(delivery.body.encode()) < MOST_BODY_BYTES
    told: dict[str, object] = json.loads(delivery.body)
    return told


def test_an_end_is_told_with_its_kind_its_time_and_where_the_answer_is() -> None:
    assert body_of(WEBHOOK, execution(correlation_id="c-1"), '{"n":1}') == {
        "type": "execution.completed",
        "timestamp": EPOCH.isoformat().replace("+00:00", "Z"),
        "data": {
            "executionId": ID,
            "workflow": "flow",
            "status": "COMPLETED",
            "location": "https://gateway/x?t=y",
            "correlationId": "c-1",
        },
    }


@pytest.mark.parametrize(
    ("status", "kind"),
    [("FAILED", "failed"), ("TIMED_OUT", "timed_out"), ("TERMINATED", "terminated")],
)
def test_a_reason_is_told_only_where_the_route_exposes_it(status: str, kind: str) -> None:
    ended = execution(ExecutionStatus(status), reason="No \ud800 luck.")

    hidden = body_of(replace(WEBHOOK, with_output=True), ended, '{"n":1}')
    shown = body_of(replace(WEBHOOK, exposed=True), ended)

    assert hidden["type"] == f"execution.{kind}"
    assert hidden["data"] == {
        "executionId": ID, "workflow": "flow", "status": status, "location": WEBHOOK.location
    }  # fmt: skip
    assert shown["data"] == {**hidden["data"], "reason": "No \ud800 luck."}


@given(st.integers(0, 2 * MOST_OUTPUT_BYTES), st.sampled_from(["x", "ü", "\U0001f600"]))
def test_an_output_is_told_only_while_it_is_small(chars: int, letter: str) -> None:
    output = json.dumps(letter * chars, ensure_ascii=False)
    ended = execution(correlation_id="ü" * 200)

    told = body_of(replace(WEBHOOK, with_output=True), ended, output)

    data = told["data"]
    assert isinstance(data, dict)
    small = len(output.encode()) <= MOST_OUTPUT_BYTES
    assert data.get("output") == (letter * chars if small else None)
    assert "output" not in body_of(WEBHOOK, ended, output)["data"]  # type: ignore[operator]


def test_an_end_is_told_once_and_another_end_anew() -> None:
    running, failed = execution(ExecutionStatus.RUNNING), execution(ExecutionStatus.FAILED)
    running = replace(running, ended_at=None)

    def next_of(before: Execution | None, after: Execution) -> Delivery | None:
        return followed(WEBHOOK, before, after, lambda: "null")

    first = next_of(running, failed)
    assert first is not None
    assert first.next_at == EPOCH
    assert next_of(None, running) == Delivery()
    assert next_of(running, running) is None
    assert next_of(failed, replace(failed, reason="Another word.")) is None
    assert next_of(failed, replace(running, next_sequence=3)) == Delivery()
    again = next_of(failed, replace(failed, next_sequence=3))
    restarted = next_of(failed, replace(failed, restarts=1))
    assert again is not None
    assert restarted is not None
    assert len({first.id, again.id, restarted.id}) == 3


PENDING = Delivery("msg_1", "{}", next_at=EPOCH)
NOW = EPOCH + timedelta(seconds=1)


def test_any_2xx_is_success_and_ends_it() -> None:
    for code in (200, 204, 299):
        told = judged(PENDING, Attempt(code), DELAYS, NOW, 0.5)
        assert told == Delivery(
            "msg_1", "", DeliveryStatus.DELIVERED, 1, code, "", None, delivered_at=NOW
        )


@given(st.floats(0, 1), st.sampled_from([0, 302, 400, 500, 503, 199]))
def test_anything_else_is_tried_again_along_the_schedule_and_then_given_up(
    chance: float, code: int
) -> None:
    delivery = PENDING
    seconds: list[float] = []
    while delivery.status is DeliveryStatus.PENDING:
        delivery = judged(delivery, Attempt(code, "No."), DELAYS, NOW, chance)
        if delivery.next_at is not None:
            seconds.append((delivery.next_at - NOW) / DELAYS[len(seconds)])

    assert len(seconds) == len(DELAYS)
    assert all(0.899 <= each <= 1.101 for each in seconds)
    assert delivery == Delivery(
        "msg_1", "", DeliveryStatus.GIVEN_UP, len(DELAYS) + 1, code, "No.", None
    )


@pytest.mark.parametrize("attempt", [Attempt(410, "Gone."), Attempt(error="Never.", lasting=True)])
def test_what_would_fail_for_ever_is_given_up_at_once(attempt: Attempt) -> None:
    given_up = judged(PENDING, attempt, DELAYS, NOW, 0.5)

    assert (given_up.status, given_up.attempts) == (DeliveryStatus.GIVEN_UP, 1)
    assert given_up.last_error == attempt.error
    assert given_up.next_at is None


@pytest.mark.parametrize(("code", "waits"), [(429, 60), (503, 60), (500, 5), (0, 5)])
def test_a_receiver_that_asks_for_time_gets_it(code: int, waits: int) -> None:
    asked = Attempt(code, "Not now.", timedelta(minutes=1))

    again = judged(PENDING, asked, DELAYS, NOW, 0.5)

    assert again.next_at is not None
    assert round((again.next_at - NOW).total_seconds()) == waits
    sooner = judged(PENDING, replace(asked, retry_after=timedelta()), DELAYS, NOW, 0.5)
    assert sooner.next_at == NOW + DELAYS[0]


def test_an_execution_shows_how_it_stands_without_what_only_the_receiver_should_see() -> None:
    failed = judged(PENDING, Attempt(500, "The receiver answered 500."), DELAYS, NOW, 0.5)

    assert WEBHOOK.receiver == "partner.example:8443"
    assert delivery_json(WEBHOOK, Delivery()) == {
        "url": "https://Partner.example:8443/hooks", "status": "PENDING", "attempts": 0
    }  # fmt: skip
    shown = delivery_json(WEBHOOK, failed)
    assert shown["lastError"] == "The receiver answered 500."
    assert shown["nextAttemptAt"] == int(NOW.timestamp() * 1000) + 5000
    assert "body" not in shown


@pytest.mark.parametrize(
    "url",
    [
        "https://Partner.example/a",
        "https://partner.example:443?b",
        "https://partner.example:000443/",
        "https://partner.example.:/",
    ],
)
def test_one_receiver_has_one_limit_however_its_url_is_written(url: str) -> None:
    assert replace(WEBHOOK, url=url).receiver == "partner.example:443"
    assert replace(WEBHOOK, url="http://[::1]").receiver == "[::1]:80"
    assert replace(WEBHOOK, url="http://[").receiver == ""


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_whoever_has_one_of_the_keys_can_verify(body: str) -> None:
    headers = dict(signed(keys_of(f"{OTHER}\n{KEY}"), "msg_1", int(time.time()), body.encode()))

    for key in (KEY, OTHER):
        Receiver(key).verify(body.encode(), headers, json_parse=False)
    for stranger in (("whsec_" + "B" * 32, body), (KEY, body + "x")):
        with pytest.raises(WebhookVerificationError, match="No matching signature"):
            Receiver(stranger[0]).verify(stranger[1].encode(), headers, json_parse=False)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds 0 keys"),
        ("s3cr3t", "does not begin with whsec_"),
        (f"{KEY} whsec_!!!!", "key 2 is not whsec_ and base64"),
        ("whsec_AAAA", "has 3 bytes"),
        ("whsec_" + "A" * 88, "has 66 bytes"),
        (" ".join([KEY] * 11), "holds 11 keys"),
    ],
)
def test_what_is_no_key_is_told_without_showing_it(text: str, says: str) -> None:
    with pytest.raises(NoKey, match=says) as caught:
        keys_of(text)

    assert "s3cr3t" not in str(caught.value)
    assert "AAAA" not in str(caught.value)
