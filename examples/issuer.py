"""An issuer of tokens to try the gateway with, on this machine alone: nothing of it is kept.

python examples/issuer.py                       makes a key, serves it, prints a token
python examples/issuer.py --scope '' --sub bob  a token of another caller, without scopes

GET  /.well-known/jwks.json, /.well-known/openid-configuration
GET  /token?sub=ann&scope=greet&seconds=600&tenant=blue     one more token; anything is a claim
POST /rotate                                    a new key; tokens of the old one end
"""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import click
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ALGORITHM = "ES256"


class Issuer:
    """One key at a time.

    Args:
        url: Who it says it is.
    """

    def __init__(self, url: str, audience: str) -> None:
        self.url = url
        self.audience = audience
        self.rotate()

    def rotate(self) -> str:
        """The name of a new key."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = f"key-{time.time_ns()}"
        return self._name

    def jwks(self) -> dict[str, Any]:
        """The public key, as others fetch it."""
        public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        known = {"kid": self._name, "alg": ALGORITHM, "use": "sig"}
        return {"keys": [{name: public[name] for name in ("kty", "crv", "x", "y")} | known]}

    def metadata(self) -> dict[str, Any]:
        """As OpenID Connect Discovery has it, as far as the gateway asks."""
        return {"issuer": self.url, "jwks_uri": f"{self.url}/.well-known/jwks.json"}

    def token(self, seconds: float, claims: dict[str, Any]) -> str:
        """One that holds for so long."""
        now = int(time.time())
        told = {"iss": self.url, "aud": self.audience, "iat": now, "exp": now + seconds}
        headers = {"kid": self._name, "typ": "at+jwt"}
        return jwt.encode(told | claims, self._key, ALGORITHM, headers)


def serving(issuer: Issuer, host: str, port: int) -> ThreadingHTTPServer:
    """A server of ``issuer``, bound; its URL is set where the port was free to choose."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            match url.path:
                case "/.well-known/jwks.json":
                    self._answer(issuer.jwks())
                case "/.well-known/openid-configuration":
                    self._answer(issuer.metadata())
                case "/token":
                    claims: dict[str, Any] = {"sub": "ann"} | dict(parse_qsl(url.query))
                    seconds = float(claims.pop("seconds", "600"))
                    self._answer({"token": issuer.token(seconds, claims)})
                case _:
                    self._answer({"error": "not found"}, 404)

        def do_POST(self) -> None:
            if self.path == "/rotate":
                self._answer({"kid": issuer.rotate()})
            else:
                self._answer({"error": "not found"}, 404)

        def _answer(self, document: dict[str, Any], status: int = 200) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.send_header("cache-control", "max-age=300")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a token stands in no log."""

    server = ThreadingHTTPServer((host, port), Handler)
    issuer.url = f"http://{host}:{server.server_port}"
    return server


@click.command(help=__doc__)
@click.option("--port", default=9000, show_default=True, help="On loopback; 0: any.")
@click.option("--audience", default="greetings", show_default=True)
@click.option("--sub", default="ann", show_default=True)
@click.option("--scope", default="greet", show_default=True)
def main(port: int, audience: str, sub: str, scope: str) -> None:
    """Serve until interrupted."""
    issuer = Issuer("", audience)
    server = serving(issuer, "127.0.0.1", port)
    click.echo(f"# issuer {issuer.url}, keys at {issuer.url}/.well-known/jwks.json", err=True)
    click.echo(issuer.token(3600, {"sub": sub, "scope": scope}))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
