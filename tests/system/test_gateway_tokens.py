"""Tokens of an issuer that runs beside the suite, from outside: the example as a user tries it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system.running import Suite, until

pytestmark = pytest.mark.timeout(120)

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Its URL."""
    command = [sys.executable, str(EXAMPLES / "issuer.py"), "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        try:
            yield running.stderr.readline().partition("issuer ")[2].partition(",")[0]
        finally:
            running.terminate()


@pytest.fixture(scope="module")
def hello(suite: Suite, issuer: str) -> str:
    """The URL of the example's route, once its service is served."""
    text = (EXAMPLES / "tokens.yaml").read_text()
    suite.apply_text(text.replace("http://127.0.0.1:9000", issuer))
    url = f"{suite.gateway}/greetings/hello"
    until(lambda: httpx.get(url).status_code == 401, 20, "the service is served")
    return url


def token(issuer: str, **claims: Any) -> str:
    told: str = httpx.get(f"{issuer}/token", params=claims).json()["token"]
    return told


def call(url: str, token: str) -> httpx.Response:
    return httpx.get(url, headers={"authorization": f"Bearer {token}"})


def test_the_example_greets_whoever_has_a_token(suite: Suite, issuer: str, hello: str) -> None:
    answer = call(hello, token(issuer, scope="greet", tenant="blue"))

    assert answer.status_code == 200, answer.text
    assert answer.json() == {"greeting": "Hello, jwt:greetings/ann of blue"}
    shown = suite.podium("get", "execution", answer.headers["podium-execution-id"])
    assert "eyJ" not in shown.stdout


def test_whom_a_token_does_not_let_in_is_told_why(issuer: str, hello: str) -> None:
    assert 'error="invalid_token"' in call(hello, "no token").headers["www-authenticate"]
    assert call(hello, token(issuer, seconds=-3600)).json()["detail"] == "The token has expired."
    refused = call(hello, token(issuer, scope="other"))
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]


def test_a_token_is_tried_by_command_and_shown_nowhere(
    suite: Suite, issuer: str, hello: str
) -> None:
    wrong = token(issuer, aud="others", scope="greet")
    tried = suite.podium("test-route", "greetings", "GET", "/hello", "--key", wrong)

    assert "It is for 'others', not for greetings." in tried.stdout + tried.stderr
    assert wrong not in tried.stdout + tried.stderr


def test_a_new_key_is_taken_and_the_issuer_may_be_away(
    suite: Suite, issuer: str, hello: str
) -> None:
    assert call(hello, token(issuer, scope="greet")).status_code == 200
    httpx.post(f"{issuer}/rotate")
    newer = token(issuer, scope="greet")

    # Not at once, where keys were fetched just now.
    until(lambda: call(hello, newer).status_code == 200, 30, "the new key is known")
