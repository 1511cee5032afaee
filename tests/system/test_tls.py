"""A suite whose every connection is encrypted, from outside: renewed and killed meanwhile."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.system.conftest import expose
from tests.system.running import Suite, podium, suite_in, until

PATIENCE_SECONDS = 30.0
SERVICES = ("registry", "executor", "edge")
HEADERS = {"Content-Type": "application/json"}
TASK = {
    "name": "wait",
    "taskReferenceName": "wait",
    "type": "WAIT",
    "inputParameters": {"duration": "1 seconds"},
}
WHO = {"who": "${workflow.input.requestMetadata.clientCertificate.subject}"}


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    folder = tmp_path_factory.mktemp("encrypted")
    with pytest.MonkeyPatch.context() as patch:
        # Callers of routes must show a certificate, too.
        patch.setenv("PODIUM_GATEWAY_TLS_CLIENT_CA_FILE", str(folder / "home/tls/ca.crt"))
        with suite_in(folder, "--tls") as suite:
            suite.apply(
                *expose("quick", {**TASK, "inputParameters": {"duration": "0 seconds"}},
                        workflow={"outputParameters": WHO}),
                *expose("slow", TASK, workflow={"outputParameters": WHO}),
            )  # fmt: skip
            yield suite


def knowing(suite: Suite) -> ssl.SSLContext:
    """What a client has that was given the folder's files."""
    folder = suite.home / "tls"
    while True:
        context = ssl.create_default_context(cafile=folder / "ca.crt")
        try:
            context.load_cert_chain(folder / "client.crt", folder / "client.key")
        except ssl.SSLError:
            # They are written one after the other.
            continue
        return context


def called(suite: Suite, name: str, context: ssl.SSLContext) -> httpx.Response:
    url = f"{suite.gateway}/{name}"
    return httpx.post(
        url, json={}, headers=suite.caller(name), verify=context, timeout=60, trust_env=False
    )


def serial_at(suite: Suite, context: ssl.SSLContext) -> str:
    """Of the certificate that the gateway shows just now."""
    with httpx.Client(verify=context, trust_env=False) as client:
        answer = client.get(f"{suite.gateway}/-/health")
        shown = answer.extensions["network_stream"].get_extra_info("ssl_object").getpeercert()
    return str(shown["serialNumber"])


def test_commands_and_callers_are_known_by_their_certificates(encrypted: Suite) -> None:
    shown = encrypted.podium("status")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count("SERVING") == 3
    assert "gateway     https://" in shown.stdout

    answer = called(encrypted, "quick", knowing(encrypted))
    assert (answer.status_code, answer.json()) == (200, {"who": "CN=podium client"})


def test_events_are_told_as_they_come_and_end(encrypted: Suite) -> None:
    headers = {**encrypted.caller("slow"), "Accept": "text/event-stream"}
    with (
        httpx.Client(verify=knowing(encrypted), trust_env=False, timeout=30) as client,
        client.stream("POST", f"{encrypted.gateway}/slow", json={}, headers=headers) as answer,
    ):
        told = "".join(answer.iter_text())

    assert told.startswith("retry: ")
    assert "event: result" in told


def test_who_shows_none_or_speaks_plain_text_gets_nowhere(encrypted: Suite) -> None:
    anybody = ssl.create_default_context(cafile=encrypted.home / "tls/ca.crt")
    with pytest.raises(httpx.TransportError):
        called(encrypted, "quick", anybody)
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{encrypted.management}/health", trust_env=False)
    plain = httpx.get(encrypted.gateway.replace("https", "http"), trust_env=False)
    assert plain.json()["type"] == "urn:podium:problem:tls-required"

    endpoints = encrypted.endpoints
    probe = [sys.executable, "-m", "services.health", str(endpoints["registry"])]
    assert subprocess.run(probe, check=False).returncode == 1
    where = {f"PODIUM_{name.upper()}": str(endpoints[name]) for name in SERVICES}
    key = {"PODIUM_KEY_ID": "k", "PODIUM_KEY_SECRET": "s"}
    shown = subprocess.run(
        [sys.executable, "-m", "tui", "status"],
        env={**os.environ, **where, **key},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (shown.returncode, shown.stdout.count("AWAY")) == (1, 3)
    assert shown.stderr.count("it speaks TLS, and was spoken to in plain text") == 3
    told = {
        "PODIUM_TLS_CA_FILE": endpoints["tls"]["caFile"],
        "PODIUM_TLS_CLIENT_CERT_FILE": endpoints["tls"]["certFile"],
        "PODIUM_TLS_CLIENT_KEY_FILE": endpoints["tls"]["keyFile"],
    }
    assert subprocess.run(probe, env={**os.environ, **told}, check=False).returncode == 0


def test_calls_go_on_while_all_certificates_are_renewed_and_the_executor_is_killed(
    encrypted: Suite,
) -> None:
    folder = str(encrypted.home / "tls")
    stop, failures, count = threading.Event(), list[str](), [0]

    def call() -> None:
        while not stop.is_set():
            answer = called(encrypted, "quick", knowing(encrypted))
            if answer.status_code == 200:
                count[0] += 1
            elif answer.status_code not in (202, 503):
                failures.append(answer.text)

    def renew(*options: str) -> None:
        done = podium("certificates", "renew", folder, *options)
        assert done.returncode == 0, done.stderr

    with ThreadPoolExecutor(9) as pool:
        callers = [pool.submit(call) for _ in range(8)]
        try:
            slow = pool.submit(called, encrypted, "slow", knowing(encrypted))
            before = serial_at(encrypted, knowing(encrypted))
            renew("--authority")
            seen = count[0]
            until(lambda: count[0] > seen + 20, PATIENCE_SECONDS, "calls are answered")
            # Whoever trusts the new authority by now is shown what it has signed.
            _await_looks()
            renew()
            until(
                lambda: serial_at(encrypted, knowing(encrypted)) != before,
                PATIENCE_SECONDS,
                "the gateway shows the new certificate",
            )
            assert slow.result().status_code == 200

            encrypted.kill("executor")
            seen = count[0]
            until(lambda: count[0] > seen + 20, PATIENCE_SECONDS, "the executor is back")
        finally:
            stop.set()
        for each in callers:
            each.result()

    assert failures == []
    assert encrypted.podium("status").returncode == 0


def _await_looks() -> None:
    """Files are looked at every two seconds; nobody tells from outside when that was."""
    threading.Event().wait(5)


def test_bad_certificates_are_told_at_the_start_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_TLS_CERT_FILE", str(tmp_path / "none.crt"))
    monkeypatch.setenv("PODIUM_TLS_KEY_FILE", str(tmp_path / "none.key"))
    suite = Suite(tmp_path / "home")
    try:
        assert suite.start() == ""
        assert suite.process is not None
        assert suite.process.wait(PATIENCE_SECONDS) == 1
    finally:
        suite.stop()
    (line,) = suite.log.read_text().splitlines()
    assert f"podium up: PODIUM_TLS_CERT_FILE {tmp_path}/none.crt cannot be read" in line
