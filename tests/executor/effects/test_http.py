"""An HTTP call arrives as it was asked for, and its answer comes back whole."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
import subprocess
import zlib
from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import pytest

from services.egress.configured import Egress
from services.executor.core.http import HttpRequest
from services.executor.effects import WEBHOOK, opened
from tests.executor.effects.performing import HANDOFF, Perform, answered, failed
from tests.executor.effects.upstream import Upstream, plain, upstream


async def test_an_answer_comes_back_with_status_headers_and_body(
    perform: Perform, server: Upstream
) -> None:
    server.answers["/jobs"] = plain(
        b'{"id": 12345678901234567890, "b": 1, "a": [null]}',
        202,
        more="X-Twice: one\r\nx-twice: two\r\nX-Latin: \xe9\r\n",
    )

    answer = answered(await perform(server.url + "/jobs"))

    assert (answer.status, answer.reason_phrase) == (202, "Said")
    assert answer.headers["x-twice"] == ["one", "two"]
    assert answer.headers["x-latin"] == ["é"]
    assert answer.body == {"id": 12345678901234567890, "b": 1, "a": [None]}
    assert list(answer.body) == ["id", "b", "a"]
    assert timedelta() < answer.duration < timedelta(seconds=10)


async def test_a_request_arrives_as_it_was_asked_for(perform: Perform, server: Upstream) -> None:
    await perform(
        server.url + "/jobs?x=1",
        "post",
        headers={"Accept": "application/json", "x-Own": "ü", "Content-Length": "9999"},
        body={"message": "größer", "n": 10**20},
        idempotency_key="key-1",
    )

    asked = server.asked[0]
    assert (asked.method, asked.target) == ("POST", "/jobs?x=1")
    assert asked.body == '{"message":"größer","n":100000000000000000000}'.encode()
    assert asked.headers["host"] == f"127.0.0.1:{server.port}"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["accept"] == "application/json"
    assert asked.headers["x-own"] == "ü".encode().decode("latin-1")
    assert asked.headers["idempotency-key"] == "key-1"
    assert asked.headers["user-agent"] == "podium"
    assert "cookie" not in asked.headers


async def test_headers_of_the_definition_win(perform: Perform, server: Upstream) -> None:
    own = {"content-type": "a/b+json", "idempotency-key": "mine", "USER-AGENT": "me"}

    await perform(server.url, "PUT", headers=own, body=[], idempotency_key="ours")

    headers = server.asked[0].headers
    assert headers["content-type"] == "a/b+json"
    assert headers["idempotency-key"] == "mine"
    assert headers["user-agent"] == "me"


async def test_a_request_without_a_body_says_nothing_of_one(
    perform: Perform, server: Upstream
) -> None:
    for method in ("GET", "POST", "DELETE"):
        await perform(server.url, method)

        assert "content-type" not in server.asked[-1].headers
        assert server.asked[-1].body == b""


@pytest.mark.parametrize(
    ("tail", "encode", "target"),
    [
        ("/a b?q=ü&r=1 2", True, "/a%20b?q=%C3%BC&r=1+2"),
        ("/a?q=%2F%41+x#part", True, "/a?q=/A+x"),
        ("/a?q=%2F%41+x#part", False, "/a?q=%2F%41+x"),
        ("/a?q=ü{x}|y z", False, "/a?q=%C3%BC{x}|y%20z"),
        ("/a\r\nX-Injected: 1", True, "/a%0D%0AX-Injected:%201"),
        ("/a?b=\r\nX-Injected: 1", False, "/a?b=%0D%0AX-Injected:%201"),
    ],
)
async def test_a_uri_is_encoded_or_its_query_left_as_it_stands(
    perform: Perform, server: Upstream, tail: str, encode: bool, target: str
) -> None:
    await perform(server.url + tail, encode=encode)

    assert server.asked[0].target.lower() == target.lower()
    assert "x-injected" not in server.asked[0].headers


@pytest.mark.parametrize(
    "uri",
    ["", "foo", "/path", "//host/x", "ftp://host/", "http://", "http:///x", "http://h:99999/",
     "http://a b/", "http://a\\@127.0.0.1/", "http://[::1", "http://1.2.3.256/", "http://h\r\n/",
     "http://%31.0.0.1/", "http://" + "1" * 400],
)  # fmt: skip
async def test_what_is_no_uri_is_refused_at_once(perform: Perform, uri: str) -> None:
    outcome = failed(await perform(uri))

    assert outcome.reason.startswith("The URI is not one that can be called")
    assert (outcome.unknown, outcome.transient) == (False, False)


async def test_a_header_that_would_break_the_request_is_refused(
    perform: Perform, server: Upstream
) -> None:
    for headers in ({"X": "a\r\nY: b"}, {"X": "a\nb"}, {"X": "a\0"}, {"X y": "a"}, {"": "a"},
                    {"X": "a\x01"}, {"X": "\x7f"}, {"X": "\x1f"}):  # fmt: skip
        outcome = failed(await perform(server.url, headers=headers))

        assert "header" in outcome.reason
        assert not outcome.transient
    assert "method" in failed(await perform(server.url, "GET / HTTP/1.1\r\nX:")).reason
    assert server.connections == 0


async def test_user_name_and_password_become_an_authorization_and_stay_hidden(
    perform: Perform, server: Upstream
) -> None:
    basic = b64encode(b"ann:123456").decode()
    server.answers["/"] = plain(json.dumps({"you sent": basic}).encode())
    uri = server.url.replace("//", "//ann:${workflow.secrets.PAIR.pin}@")

    answer = answered(await perform(uri))

    assert server.asked[0].headers["authorization"] == f"Basic {basic}"
    assert answer.body == {"you sent": "***"}
    await perform(uri, headers={"authorization": "Bearer mine"})
    assert server.asked[1].headers["authorization"] == "Bearer mine"


async def test_a_packed_answer_is_unpacked(perform: Perform, server: Upstream) -> None:
    body = b'{"a": "' + b"x" * 5000 + b'"}'
    packed = {
        "gzip": gzip.compress(body[:9]) + gzip.compress(body[9:]),
        "x-gzip": gzip.compress(body),
        "deflate": zlib.compress(body),
        "Deflate": zlib.compress(body)[2:-4],
        "gzip, deflate": zlib.compress(gzip.compress(body)),
        "identity": body,
    }
    for coding, sent in packed.items():
        server.answers["/"] = plain(sent, more=f"content-encoding: {coding}\r\n")

        assert answered(await perform(server.url)).body == {"a": "x" * 5000}, coding


async def test_a_large_answer_is_read_whole(perform: Perform, server: Upstream) -> None:
    rows = [{"id": n, "secret": "x${workflow"} for n in range(30_000)]
    server.answers["/"] = plain(json.dumps(rows).encode())

    assert answered(await perform(server.url)).body == rows


async def test_an_answer_of_just_the_limit_is_taken(perform: Perform, server: Upstream) -> None:
    server.answers["/"] = plain(b"x" * 5000, content_type="text/plain")

    assert answered(await perform(server.url, max_response_bytes=5000)).body == "x" * 5000
    outcome = failed(await perform(server.url, max_response_bytes=4999))
    assert outcome.reason == "The response is larger than 4999 bytes."


async def test_connections_are_used_again(perform: Perform, server: Upstream) -> None:
    server.answers["/"] = plain(b"{}")
    for _ in range(3):
        await perform(server.url, "POST", body={})

    assert server.connections == 1


async def test_a_get_on_a_connection_that_closed_meanwhile_is_sent_again(
    perform: Perform, server: Upstream
) -> None:
    async def close_the_second(asked: object, _: object, writer: asyncio.StreamWriter) -> None:
        if len(server.asked) == 2:
            writer.close()
        else:
            writer.write(plain(b"{}"))

    server.answers["/"] = close_the_second

    for _ in range(2):
        assert answered(await perform(server.url)).status == 200
    assert (len(server.asked), server.connections) == (3, 2)


async def test_cookies_are_not_kept(perform: Perform, server: Upstream) -> None:
    server.answers["/"] = plain(b"{}", more="set-cookie: session=1; Path=/\r\n")

    assert answered(await perform(server.url)).headers["set-cookie"] == ["session=1; Path=/"]
    await perform(server.url)

    assert "cookie" not in server.asked[1].headers


async def test_a_proxy_of_the_environment_is_not_used(
    perform: Perform, server: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server.answers["/"] = plain(b"{}")

    assert answered(await perform(server.url)).status == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_get_follows_redirects(perform: Perform, server: Upstream, status: int) -> None:
    server.answers["/a"] = plain(b"moved", status, more="location: ../b?x=%2F\r\n")
    server.answers["/b"] = plain(b"{}")

    answer = answered(await perform(server.url + "/a", headers={"Authorization": "Bearer t"}))

    assert answer.status == 200
    assert server.asked[1].target == "/b?x=%2F"
    assert server.asked[1].headers["authorization"] == "Bearer t"


async def test_a_redirect_is_the_answer_to_other_methods(
    perform: Perform, server: Upstream
) -> None:
    server.answers["/"] = plain(b"", 302, more="location: /elsewhere\r\n")

    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert answered(await perform(server.url, method)).headers["location"] == ["/elsewhere"]


async def test_a_redirect_without_a_location_is_an_answer(
    perform: Perform, server: Upstream
) -> None:
    server.answers["/"] = plain(b'"where?"', 302)

    assert answered(await perform(server.url)).body == "where?"


async def test_five_redirects_are_followed_and_a_sixth_is_not(
    perform: Perform, server: Upstream
) -> None:
    for n in range(6):
        server.answers[f"/{n}"] = plain(b"", 302, more=f"location: /{n + 1}\r\n")
    server.answers["/6"] = plain(b'"there"')

    assert answered(await perform(server.url + "/1")).body == "there"
    outcome = failed(await perform(server.url + "/0"))

    assert outcome.reason.startswith("It was redirected more than 5 times")
    assert (outcome.unknown, outcome.transient, outcome.status) == (False, False, 302)


@pytest.mark.parametrize("location", ["ftp://x/", "javascript:alert(1)", "http://h:x/"])
async def test_a_redirect_to_what_cannot_be_called_fails(
    perform: Perform, server: Upstream, location: str
) -> None:
    server.answers["/"] = plain(b"", 302, more=f"location: {location}\r\n")

    assert "redirects to what is no http or https URI" in failed(await perform(server.url)).reason


async def test_another_origin_gets_no_credentials(perform: Perform, server: Upstream) -> None:
    async with upstream() as other:
        to = other.url.replace("//", "//evil:credentials@")
        server.answers["/"] = plain(b"", 302, more=f"location: {to}\r\n")
        other.answers["/"] = plain(b"{}")

        await perform(
            server.url,
            headers={
                "Authorization": "Bearer t",
                "Cookie": "c=1",
                "X-Key": "${workflow.secrets.TOKEN}",
                "X-Api-Key": "as it stands in the definition",
                "X-Auth-Token": "as it stands in the definition",
                "X-Plain": "1",
            },
            body={"with": "a body"},
        )

        kept = other.asked[0].headers
        assert kept["x-plain"] == "1"
        dropped = {"authorization", "cookie", "x-key", "x-api-key", "x-auth-token"}
        assert not (dropped | {"content-length"}) & set(kept)


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A certificate that nobody vouches for."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    make_certificate(key, certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def make_certificate(key: Path, certificate: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=127.0.0.1", "-days", "2"],
        check=True, capture_output=True,
    )  # fmt: skip


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    perform: Perform, self_signed: ssl.SSLContext
) -> None:
    async with upstream(self_signed) as secure:
        outcome = failed(await perform(f"https://127.0.0.1:{secure.port}/", "POST", body={}))

    assert outcome.reason.startswith(f"TLS with 127.0.0.1:{secure.port} failed: its certificate")
    assert (outcome.unknown, outcome.transient, secure.asked) == (False, True, [])


async def test_tls_with_a_server_that_has_none_fails(perform: Perform, server: Upstream) -> None:
    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(garbage, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        outcome = failed(await perform(f"https://127.0.0.1:{port}/"))

    assert outcome.reason.startswith(f"TLS with 127.0.0.1:{port} failed: ")
    assert not outcome.unknown


async def test_many_calls_run_side_by_side(perform: Perform, server: Upstream) -> None:
    server.answers["/"] = plain(b"[1]")

    # On a machine that does much else, to connect 200 times takes longer than the limit of one.
    limit = timedelta(seconds=20)
    calls = (perform(server.url, "POST", body={}, connect_timeout=limit) for _ in range(200))
    outcomes = await asyncio.gather(*calls)

    assert all(answered(outcome).body == [1] for outcome in outcomes)


async def test_a_limit_of_zero_is_no_limit(perform: Perform, server: Upstream) -> None:
    server.answers["/"] = plain(b"{}")
    none = timedelta()

    assert answered(await perform(server.url, connect_timeout=none, read_timeout=none)).body == {}


async def test_an_effect_performs_what_is_its_own(server: Upstream) -> None:
    async with opened(Egress.allowing(["loopback"])) as effects:
        assert set(effects) == {"http", WEBHOOK}

        with pytest.raises(TypeError, match="HttpRequest"):
            await effects["http"].perform("GET /", HANDOFF)
        assert await effects["http"].perform(HttpRequest("GET", server.url), HANDOFF)
