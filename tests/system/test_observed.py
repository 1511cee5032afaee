"""One call, followed from outside: its line, those of its tasks, its spans, with the same ids."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.system.conftest import expose
from tests.system.running import Suite, post, suite_in

TRACE_ID, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{CALLER}-01"


class Collector:
    """Takes spans as a collector does."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.told = threading.Condition()

    @contextmanager
    def running(self) -> Iterator[str]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                found = ExportTraceServiceRequest.FromString(body)
                with collector.told:
                    for resource in found.resource_spans:
                        for scope in resource.scope_spans:
                            collector.spans.extend(scope.spans)
                    collector.told.notify_all()
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/traces"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def wait_for(self, count: int, trace_id: str) -> dict[str, Span]:
        """The spans of a trace by name, once there are so many."""

        def found() -> dict[str, Span]:
            return {each.name: each for each in self.spans if each.trace_id.hex() == trace_id}

        with self.told:
            assert self.told.wait_for(lambda: len(found()) >= count, 30), found()
            return found()


@pytest.fixture(scope="module")
def collector() -> Collector:
    return Collector()


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Suite]:
    with collector.running() as endpoint, pytest.MonkeyPatch.context() as environment:
        environment.setenv("PODIUM_ACTIVITY_LOG", "1")
        environment.setenv("PODIUM_TRACES_ENDPOINT", endpoint)
        with suite_in(tmp_path_factory.mktemp("observed")) as suite:
            yield suite


def flow(upstream: str) -> list[dict[str, Any]]:
    call = {"http_request": {"uri": f"{upstream}/items/1", "method": "GET"}}
    return expose(
        "seen", {"name": "c", "taskReferenceName": "c", "type": "HTTP", "inputParameters": call}
    )


def lines(suite: Suite, execution_id: str, count: int) -> dict[str, dict[str, Any]]:
    """The lines that name an execution, by what they tell of, once there are so many."""
    found: dict[str, dict[str, Any]] = {}
    while len(found) < count:
        for line in suite.log.read_text().splitlines():
            told = json.loads(line)
            if told.get("execution_id") == execution_id and "event" in told:
                found[told["event"]] = told
    return found


@pytest.mark.timeout(60)
def test_lines_and_spans_of_a_call_have_the_same_ids(
    observed: Suite, collector: Collector, upstream: str
) -> None:
    observed.apply(*flow(upstream))
    headers = {**observed.caller("seen"), "traceparent": TRACEPARENT, "X-Request-Id": "mine"}

    answer = post(f"{observed.gateway}/seen", headers=headers)

    assert answer.status_code == 200, answer.text
    execution_id = answer.headers["podium-execution-id"]
    told = lines(observed, execution_id, 3)
    assert set(told) == {"request", "task", "execution"}
    assert {each["trace_id"] for each in told.values()} == {TRACE_ID}
    assert {each["request_id"] for each in told.values()} == {"mine"}
    assert told["request"] | {
        "listener": "gateway", "method": "POST", "service_id": "seen", "route": "/seen",
        "status": 200, "service": "edge",
    } == told["request"]  # fmt: skip
    assert (told["task"]["ref"], told["task"]["status"]) == ("c", "COMPLETED")
    assert (told["execution"]["workflow"], told["execution"]["status"]) == ("seen", "COMPLETED")
    secret = observed.keys["seen"]
    assert secret not in observed.log.read_text()

    spans = collector.wait_for(3, TRACE_ID)
    server, execution, task = spans["POST /seen"], spans["seen"], spans["c"]
    assert server.parent_span_id.hex() == CALLER
    assert execution.parent_span_id == server.span_id
    assert task.parent_span_id == execution.span_id
    assert task.span_id.hex() == told["task"]["span_id"]
    assert server.start_time_unix_nano <= task.start_time_unix_nano <= server.end_time_unix_nano


@pytest.mark.timeout(60)
def test_a_call_of_no_trace_begins_one(
    observed: Suite, collector: Collector, upstream: str
) -> None:
    observed.apply(*flow(upstream))

    answer = post(f"{observed.gateway}/seen", headers=observed.caller("seen"))

    told = lines(observed, answer.headers["podium-execution-id"], 3)
    spans = collector.wait_for(3, told["request"]["trace_id"])
    assert spans["POST /seen"].parent_span_id == b""
    assert spans["seen"].parent_span_id == spans["POST /seen"].span_id


@pytest.mark.timeout(60)
def test_what_the_executor_starts_begins_a_trace_too(
    observed: Suite, collector: Collector, upstream: str
) -> None:
    observed.apply(*flow(upstream))

    done = observed.podium("run", "seen", "--wait", "20", "--output", "json")

    assert done.returncode == 0, done.stderr
    with collector.told:
        assert collector.told.wait_for(
            lambda: any(s.name == "seen" and not s.parent_span_id for s in collector.spans), 30
        )


def test_the_sdk_that_is_missing_is_named(tmp_path: Path) -> None:
    # As where the extra is not installed: its modules are shadowed by one that has none of them.
    (tmp_path / "opentelemetry.py").write_text("")
    program = (
        "from services.spans import exported\n"
        "with exported('edge', 'http://127.0.0.1:1/', 1.0): pass"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert "pip install 'podium[otel]'" in done.stderr
