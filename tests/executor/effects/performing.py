"""A short way to perform a request, with secrets and a callback URL at hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

from services.executor.core.http import HttpAnswer, HttpFailure, HttpRequest
from services.executor.effects import Effect, HandOff

CALLBACK_TOKEN = "dG9rZW4tb2YtdGhpcy1hdHRlbXB0"
CALLBACK = f"http://podium.test/-/callbacks/{CALLBACK_TOKEN}"
SECRETS = {
    "TOKEN": "s3cr3t/va+lue",
    "PAIR": '{"user": "ann", "password": "pa\\"ss wörd", "pin": 123456}',
    "BROKEN": "first\r\nX-Injected: yes",
    "NESTING": "${workflow.secrets.TOKEN}",
}
NAMES = frozenset(
    f"workflow.secrets.{name}"
    for name in (*SECRETS, "NOPE", "PAIR.user", "PAIR.password", "PAIR.pin", "PAIR['pin']",
                 "PAIR.nope", "PAIR.user.x", "TOKEN.x", "PAIR[0]")
) | {"task.callbackUrl"}  # fmt: skip
HANDOFF = HandOff("execution", "task", SECRETS.get, lambda: CALLBACK)


class Perform(Protocol):
    async def __call__(
        self, uri: str, method: str = "GET", **more: Any
    ) -> HttpAnswer | HttpFailure: ...


def performing(effect: Effect, limit: timedelta) -> Perform:
    async def perform(uri: str, method: str = "GET", **more: Any) -> HttpAnswer | HttpFailure:
        limits = {"connect_timeout": limit, "read_timeout": limit}
        outcome = await effect.perform(
            HttpRequest(method, uri, **limits | {"handoff": NAMES} | more), HANDOFF
        )
        assert isinstance(outcome, (HttpAnswer, HttpFailure))
        return outcome

    return perform


def answered(outcome: HttpAnswer | HttpFailure) -> HttpAnswer:
    assert isinstance(outcome, HttpAnswer), outcome
    return outcome


def failed(outcome: HttpAnswer | HttpFailure) -> HttpFailure:
    assert isinstance(outcome, HttpFailure), outcome
    return outcome
