"""An upstream whose job runs until it is said to be done; it remembers who is to be called."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Upstream:
    """What it says, and what it was told.

    Attributes:
        status: Of the job.
        callbacks: The URLs that were handed over.
    """

    def __init__(self) -> None:
        self.url = ""
        self.status = "RUNNING"
        self.callbacks: list[str] = []


@contextmanager
def upstream_running() -> Iterator[Upstream]:
    """One on a free port."""
    upstream = Upstream()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({"status": upstream.status})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            upstream.callbacks.append(body["callbackUrl"])
            self._answer({})

        def _answer(self, document: Any) -> None:
            text = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    upstream.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield upstream
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
