"""An operator's first hour, wholly in the console: a service from nothing, a failure mended.

The feedback service: ``POST /api/feedback/user-feedback/{user-id}`` runs a workflow, which hands
the feedback to a service of the test's.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.system.conftest import needs
from tests.system.running import Suite, post, suite_in
from tests.system.terminal import Terminal, terminal

COMMENT = {
    "type": "object",
    "properties": {"comment": {"type": "string", "minLength": 1}},
    "required": ["comment"],
}


class Feedback(ThreadingHTTPServer):
    """Takes feedback, or refuses all of it while it is broken.

    Attributes:
        taken: The bodies that it took.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.broken = False
        self.taken: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/feedback"


class _Taking(BaseHTTPRequestHandler):
    server: Feedback

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = 500 if self.server.broken else 201
        if not self.server.broken:
            self.server.taken.append(body)
        answer = json.dumps({"number": len(self.server.taken)}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *about: object) -> None:
        """Say nothing."""


@contextmanager
def feedback_taker() -> Iterator[Feedback]:
    with Feedback() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def console_of(suite: Suite, folder: Path) -> Iterator[Terminal]:
    own = {"XDG_STATE_HOME": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "config")}
    command = (sys.executable, "-m", "tui", "tui", "--home", str(suite.home))
    with terminal(command, own) as console:
        console.shows("● LIVE", "Executions")
        yield console


@pytest.mark.timeout(120)
def test_a_service_is_made_tried_mended_and_measured(tmp_path: Path) -> None:
    # One story of some 40 screens, each looked at.
    needs("tmux")
    with feedback_taker() as upstream, suite_in(tmp_path) as suite:
        with console_of(suite, tmp_path) as console:
            write_the_workflow(console, upstream.url)
            allow_it_to_an_application(console)
            key = make_a_key(console)
            make_the_service_with_its_route(console)
            console.press("t")
            write_the_call(console, "It works.")
            console.press("C-r")
            console.shows("✔ 200 OK", '"number": 1', "Execution")
            follow_its_execution(console, "✔ completed")

            upstream.broken = True
            console.press("C-r")
            console.shows("✘ 502", "Execution")
            follow_its_execution(console, "✘ failed")
            find_it_among_the_failed(console)

            upstream.broken = False
            retry_it(console)
            url = f"{suite.gateway}/api/feedback/user-feedback/u-8"
            called = post(url, json={"comment": "Mended."}, headers={"X-API-Key": key})
            assert called.json() == {"number": 3}
            read_the_metrics(console)
        tried = {"user": "u-7", "comment": "It works."}
        assert upstream.taken == [tried, tried, {"user": "u-8", "comment": "Mended."}]


def go_to(console: Terminal, place: str, shows: str) -> None:
    console.press(":")
    console.shows("tab Take")
    console.type(place)
    console.press("Enter")
    console.shows(shows)


def write_the_workflow(console: Terminal, url: str) -> None:
    """In the editor: a task of the list that is offered, in the place of the one to begin with."""
    go_to(console, "workflows", "No workflows yet")
    console.press("n")
    console.shows('"name": ""', "NOOP", "^s Save")
    console.type("Feedback")
    console.press("Down", "Down", "Down", "Down", "Home", *["S-Down"] * 4, "S-End", "Delete")
    console.press("C-Space")
    console.shows("SWITCH task")
    console.type("HTTP")
    console.shows_no("SWITCH task")
    console.press("Enter")
    console.shows('"uri": "https://"')
    console.type("tell")
    console.press("Down", "End", "Left", "Left")
    console.type("tell")
    console.press("Down", "Down", "Down", "End", "Left", "Left", *["BSpace"] * len("https://"))
    console.type(url)
    console.press("Down", "End", "Left", *["BSpace"] * len("GET"))
    console.type("POST")
    console.press("End")
    console.type(",")
    console.press("Enter")
    console.type(
        '"body": {"user": "${workflow.input.user-id}", "comment": "${workflow.input.comment}"}'
    )
    console.press("C-End", "Up", "Up", "End")
    console.type(",")
    console.press("Enter")
    console.type('"outputParameters": {"number": "${tell.output.body.number}"}')
    console.shows("✔ fine", "tell", "HTTP")
    console.press("C-s")
    console.shows("Save as version 1")
    console.press("Enter")
    console.shows("workflow Feedback v1 is stored.")
    console.press("Escape")
    console.shows("╭─ Workflows", "1 HTTP")


def allow_it_to_an_application(console: Terminal) -> None:
    go_to(console, "applications", "Administrator")
    console.press("n")
    console.shows("New application", "id *", "^s Save")
    fill(console, "feedback-portal")
    console.press("Down", "Down", "Down", "Down", "Down", "a", "Down", "Down")
    fill(console, "workflow", "Feedback", "EXECUTE")
    save_the_form(console)
    console.shows("╭─ Applications", "feedback-portal")


def make_a_key(console: Terminal) -> str:
    """It is made with its auth, and shown once; the console keeps it for tests of routes."""
    go_to(console, "auths", "No auth")
    console.press("n")
    console.shows("New auth", "id *", "^s Save")
    fill(console, "feedback-keys", "Feedback keys", "", "API_KEY", "feedback-portal")
    save_the_form(console)
    screen = console.shows("pk_", "I have it")
    console.press("Tab", "Enter")
    console.shows_no("pk_")
    return screen[screen.index("pk_") :].split()[0]


def make_the_service_with_its_route(console: Terminal) -> None:
    go_to(console, "services", "No services yet")
    console.press("n")
    console.shows("New service", "id *", "^s Save")
    fill(console, "feedback-service", "Feedback Service", "", "/api/feedback")
    console.press("Down", "Down")
    fill(console, "feedback-keys")
    save_the_form(console)
    console.shows("╭─ Services", "feedback-service")
    console.press("Enter")
    console.shows("1 Routes", "n New route")
    console.press("n")
    console.shows("New route", "^s Save")
    fill(console, "POST", "/user-feedback/{user-id}", "Leaves feedback.")
    console.press("Down", "Down")
    fill(console, "Feedback")
    console.press(*["Down"] * 9)
    fill(console, json.dumps(COMMENT))
    save_the_form(console)
    console.shows("/user-feedback/{user-id}", "n New route")


def write_the_call(console: Terminal, comment: str) -> None:
    console.shows("headers", "^s Send")
    # The cursor is on what there is to fill in; the key is known.
    fill(console, "u-7")
    console.press("Down", "Down", "Down", "Right")
    console.shows("comment *")
    console.press("Down")
    fill(console, comment)


def follow_its_execution(console: Terminal, ends: str) -> None:
    """Its live timeline, and back to the call."""
    console.press("o")
    console.shows("1 Timeline", "tell", ends)
    console.press("Escape")
    console.shows("[ Send ]")


def find_it_among_the_failed(console: Terminal) -> None:
    go_to(console, "executions status:failed", "✘ failed")
    console.shows("tell: The server answered")


def retry_it(console: Terminal) -> None:
    console.press("Enter")
    console.shows("1 Timeline", "500 Internal Server Error", "r Retry")
    console.press("r")
    console.shows("✔ completed")


def read_the_metrics(console: Terminal) -> None:
    """What callers got; tests of routes are not counted."""
    go_to(console, "metrics", "By route, last 1h")
    console.shows("Latency · all requests", "executions 100 %", "p95")
    console.press("t")
    console.shows("POST /api/feedback/user-feedback/{user-id}", "100.0 %")


def fill(console: Terminal, *values: str) -> None:
    """Write values into fields below each other, from the one under the cursor on."""
    console.press("Enter")
    for value in values[:-1]:
        console.type(value)
        console.press("Tab")
    console.type(values[-1])
    console.press("Enter")


def save_the_form(console: Terminal) -> None:
    console.shows("✔ fine")
    console.press("C-s")
    console.shows("Stored → written", "Back")
    console.press("Enter")
