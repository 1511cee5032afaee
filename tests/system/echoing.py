"""An upstream that gives back all that it is sent, in every form that it knows."""

from __future__ import annotations

import gzip
import html
import json
import threading
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit


class Echoes:
    """What it was sent, and where it is."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: list[str] = []


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever called has gone: that is theirs to tell."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    echoes: Echoes

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        self.said = said = [*self._in_target(), *self._in_headers(), self.rfile.read(size).decode()]
        self.echoes.seen += said
        kind = urlsplit(self.path).path.split("/")[1]
        told = [form for each in said if each for form in forms(each)]
        if kind == "redirect":
            self._send(302, b"", {"Location": f"/redirect/{quote(said[-2], safe='')}?x={told[0]}"})
        elif kind == "text":
            self._send(200, "\n".join(told).encode(), {"Content-Type": "text/plain"})
        elif kind == "error":
            self._send(500, self._document(told), {})
        elif kind == "broken":
            self._send(200, b"x" * 10, {"Content-Encoding": "gzip", "X-Of": quote(said[0])})
        else:
            packed = gzip.compress(self._document(told))
            self._send(
                200, packed, {"Content-Encoding": "gzip", "Content-Type": "application/json"}
            )

    def _document(self, told: list[str]) -> bytes:
        whole = {each: [index] for index, each in enumerate(told)}
        return json.dumps(
            {"done": True, "told": told, "keys": whole, "json": json.dumps(told)}
        ).encode()

    def _in_target(self) -> list[str]:
        parts = urlsplit(self.path)
        values = [value for pair in parse_qsl(parts.query) for value in pair]
        return [self.path, *map(unquote, parts.path.split("/")[2:]), *values]

    def _in_headers(self) -> list[str]:
        values = [value for name, value in self.headers.items() if name.startswith(("X-", "Auth"))]
        basic = [value.partition(" ")[2] for value in values if value.startswith("Basic ")]
        return [*values, *(b64decode(each).decode() for each in basic)]

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        sent = [each for each in self.said if each and each.isascii() and each.isprintable()]
        reason = sent[-1][:200] if sent else "OK"
        self.send_response(status, reason)
        for name, value in headers.items():
            self.send_header(name, value)
        for number, value in enumerate(sent):
            self.send_header(f"X-Echo-{number}", value)
            self.send_header(f"X-{quote(value, safe='')}", "1")
        self.send_header("Set-Cookie", f"s={quote(reason)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        # In pieces, as slow servers send.
        for at in range(0, len(body), 7000):
            self.wfile.write(body[at : at + 7000])

    def log_message(self, *_: object) -> None:
        pass


def forms(text: str) -> list[str]:
    """``text`` in every form in which it may come back."""
    raw = text.encode()
    return [
        text,
        f"before{text}after",
        text.upper(),
        quote(text, safe=""),
        quote_plus(text).lower(),
        quote(quote(text, safe=""), safe=""),
        html.escape(text),
        html.escape(json.dumps(text)),
        json.dumps(text),
        json.dumps(json.dumps(text)),
        raw.hex(),
        raw.hex().upper(),
        *(b64encode(b"x" * n + raw + b"yz").decode() for n in range(4)),
        urlsafe_b64encode(b":" + raw).decode().rstrip("="),
        quote(b64encode(raw).decode(), safe=""),
        "".join(f"%{byte:02X}" for byte in raw),
        "".join(f"\\u{ord(each):04x}" for each in text if ord(each) < 1 << 16),
        "".join(f"&#x{ord(each):x};" for each in text),
    ]


@contextmanager
def echoing() -> Iterator[Echoes]:
    """Such an upstream, on loopback."""
    handler = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", 0), handler)
    echoes = Echoes(f"http://127.0.0.1:{server.server_port}")
    handler.echoes = echoes  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield echoes
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
