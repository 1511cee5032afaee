"""Calls through the policy to real servers: names that change, redirects, and proxies."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp.connector
import pytest

from services.egress.configured import Egress, EgressSettings
from services.egress.failures import CallFailed
from services.egress.sender import Call, Reply
from services.settings import SettingsError, read
from tests.egress.proxies import forward_proxy
from tests.executor.effects.upstream import Asked, Upstream, plain, upstream

Names = Callable[[str, Callable[[int], list[str]]], None]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Says where a name is, at its n-th lookup: the machine's resolver, in the hand of a test."""
    real = socket.getaddrinfo
    said: dict[str, Callable[[int], list[str]]] = {}
    asked: dict[str, int] = {}

    def found(host: str, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in said:
            return real(host, port, *args, **kwargs)
        asked[host] = asked.get(host, 0) + 1
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, 1, 6, "", (each, port))
            for each in said[host](asked[host])
        ]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    return said.__setitem__


def egress(**settings: str) -> Egress:
    return read(
        EgressSettings, {f"PODIUM_EGRESS_{name.upper()}": text for name, text in settings.items()}
    ).egress()


async def sent(egress: Egress, *urls: str, method: str = "GET", **headers: str) -> list[Reply]:
    async with egress.sender() as sender:
        return [await sender.send(Call(method, url, headers, None)) for url in urls]


async def refused(egress: Egress, url: str, method: str = "GET") -> str:
    with pytest.raises(CallFailed) as caught:
        await sent(egress, url, method=method)
    return caught.value.reason


async def test_a_name_that_moves_is_dialled_where_it_was_judged_to_be(
    server: Upstream, names: Names
) -> None:
    # As DNS rebinding has it: allowed at the first lookup, forbidden at every later one.
    names("turns.example", lambda n: ["127.0.0.1"] if n == 1 else ["127.0.0.2"])
    loopback = egress(allow="127.0.0.1")

    (reply,) = await sent(loopback, f"http://turns.example:{server.port}/")
    assert reply.status == 200
    reason = await refused(loopback, f"http://turns.example:{server.port}/")

    assert reason.startswith("turns.example is at 127.0.0.2, which is loopback: ")
    assert server.connections == 1


async def test_of_a_name_with_several_addresses_only_those_allowed_are_dialled(
    server: Upstream, names: Names
) -> None:
    names("both.example", lambda n: ["127.0.0.2", "127.0.0.1", "169.254.169.254", "::1"])
    names("none.example", lambda n: ["169.254.169.254", "127.0.0.2"])
    only = egress(allow="127.0.0.1")

    assert (await sent(only, f"http://both.example:{server.port}/"))[0].status == 200
    assert "metadata" in await refused(only, f"http://none.example:{server.port}/")
    assert server.connections == 1


async def test_a_redirect_to_a_name_that_leads_inside_is_not_followed(
    server: Upstream, names: Names
) -> None:
    names("inside.example", lambda n: ["169.254.169.254"])
    server.answers["/"] = plain(b"", 302, more="location: http://inside.example/latest\r\n")

    reason = await refused(egress(allow="loopback"), server.url)

    assert reason.startswith(f"Redirected by 127.0.0.1:{server.port}: inside.example is at 169.")


@pytest.mark.parametrize(
    "to",
    ["http://0x7f.2/", "http://[::ffff:7f00:2]/", "http://127.0.0.2.:80/", "http://2130706434/",
     "http://good.example@127.0.0.2/", "//127.0.0.2", "http://denied.example/",
     "http://127.0.0.1:22/", "http://\u2460\u2461\u2466.0.0.2/"],
)  # fmt: skip
async def test_each_hop_is_judged_in_whatever_form_it_is_written(server: Upstream, to: str) -> None:
    server.answers["/"] = plain(b"", 307, more=f"location: {to}\r\n")

    reason = await refused(egress(allow="127.0.0.1", deny="denied.example"), server.url)

    assert reason.startswith(f"Redirected by 127.0.0.1:{server.port}: ")
    assert "PODIUM_EGRESS_" in reason
    assert server.connections == 1


@pytest.mark.parametrize("to", ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://x/", "data:,x"])
async def test_another_scheme_is_refused_at_the_first_call_and_at_each_hop(
    server: Upstream, to: str
) -> None:
    server.answers["/"] = plain(b"", 302, more=f"location: {to}\r\n")

    assert "no http or https" in await refused(egress(allow="loopback"), server.url)
    assert "must be http://HOST/" in await refused(egress(allow="loopback"), to)


async def test_a_strict_list_looks_up_no_other_name(server: Upstream, names: Names) -> None:
    def told_to_nobody(n: int) -> list[str]:
        raise AssertionError("a lookup tells whoever answers for the name")

    names("leak.example", told_to_nobody)
    names("partner.example", lambda n: ["127.0.0.1"])
    strict = egress(allow="partner.example=loopback", strict="1")

    assert (await sent(strict, f"http://partner.example:{server.port}/"))[0].status == 200
    for other in ("leak.example", "127.0.0.1"):
        reason = await refused(strict, f"http://{other}:{server.port}/")
        assert "loopback" in reason or "PODIUM_EGRESS_STRICT" in reason
    assert server.connections == 1


async def test_calls_go_through_the_proxy_that_the_settings_name(
    server: Upstream, tmp_path: Path, names: Names
) -> None:
    (tmp_path / "proxy").write_text("ann:pä:ss\n")
    wanted = "Basic " + b64encode("ann:pä:ss".encode()).decode()
    names("known.example", lambda n: ["1.1.1.1"])
    async with forward_proxy(wanted) as proxy:
        proxy.names["known.example"] = "127.0.0.1"
        through = egress(
            proxy=f"http://127.0.0.1:{proxy.port}",
            proxy_credentials_file=str(tmp_path / "proxy"),
        )
        assert "ss" not in repr(through.proxy).replace("less", "")

        url = f"http://known.example:{server.port}/?a=1"
        replies = await sent(through, url, method="POST", X="1")

        assert [reply.status for reply in replies] == [200]
        assert proxy.asked == [f"POST {url} HTTP/1.1"]
        assert server.asked[0].target == "/?a=1"
        assert server.asked[0].headers["host"] == f"known.example:{server.port}"
        assert "proxy-authorization" not in server.asked[0].headers
        assert server.asked[0].headers["x"] == "1"


async def test_a_proxy_takes_nobody_where_the_policy_does_not_let_them(
    server: Upstream, names: Names
) -> None:
    names("inside.example", lambda n: ["10.0.0.1"])
    names("both.example", lambda n: ["10.0.0.1", "1.1.1.1"])
    names("denied.example", lambda n: ["1.1.1.1"])
    async with forward_proxy() as proxy:
        proxy.names["both.example"] = "127.0.0.1"
        place = f"http://127.0.0.1:{proxy.port}"
        through = egress(proxy=place, deny="denied.example", no_proxy="*.direct.example")

        for host in ("127.0.0.1", "0x7f.1", "inside.example", "denied.example", "169.254.169.254"):
            assert "PODIUM_EGRESS_" in await refused(through, f"http://{host}:{server.port}/")
        # Opened for the way out, not for whoever names it as a target.
        opened = egress(proxy=place, allow="loopback")
        assert "the proxy" in await refused(through, f"{place}/")
        assert "the proxy" in await refused(opened, f"{place}/")
        assert proxy.asked == []
        assert (await sent(through, f"http://both.example:{server.port}/"))[0].status == 200
        assert len(proxy.asked) == 1


async def test_a_name_that_only_the_proxy_knows_is_the_proxys_to_judge(
    server: Upstream, names: Names
) -> None:
    def unknown(n: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    names("far.example", unknown)
    async with forward_proxy() as proxy:
        proxy.names["far.example"] = "127.0.0.1"
        place = f"http://127.0.0.1:{proxy.port}"

        assert (await sent(egress(proxy=place), f"http://far.example:{server.port}/"))[0].status
        strict = egress(proxy=place, strict="1", allow="near.example")
        assert "PODIUM_EGRESS_STRICT" in await refused(strict, f"http://far.example:{server.port}/")


async def test_a_proxy_is_asked_for_the_host_that_was_judged_alone(
    server: Upstream, names: Names
) -> None:
    names("known.example", lambda n: ["1.1.1.1"])
    async with forward_proxy() as proxy:
        proxy.names["known.example"] = "127.0.0.1"
        through = egress(proxy=f"http://127.0.0.1:{proxy.port}")

        await sent(through, f"http://known.example:{server.port}/", Host="metadata.internal")

        assert proxy.hosts == [[f"known.example:{server.port}"]]


async def test_nobody_reads_the_proxys_credentials_in_its_answer(
    names: Names, tmp_path: Path
) -> None:
    """As an answer to TRACE has them, and pages of errors that show what was asked."""
    (tmp_path / "proxy").write_text("ann:pw")
    names("known.example", lambda n: ["1.1.1.1"])
    async with upstream() as proxy:

        async def echo(asked: Asked, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            told = asked.headers["proxy-authorization"]
            page = f"proxy-authorization: {told}&nbsp;".encode()
            length = len(page)
            head = f"HTTP/1.1 403 Not {told}\r\nx: {told}\r\n"
            writer.write(f"{head}content-length: {length}\r\n\r\n".encode() + page)

        proxy.answers["http://known.example/"] = echo
        through = egress(proxy=proxy.url, proxy_credentials_file=str(tmp_path / "proxy"))

        for method in ("TRACE", "POST", "GET"):
            (reply,) = await sent(through, "http://known.example/", method=method)
            assert reply.status == 403
            assert b64encode(b"ann:pw").decode().rstrip("=") not in f"{reply}"
            assert reply.body == b"proxy-authorization: ***&nbsp;"


async def test_another_origin_is_not_called_by_the_host_of_the_first(server: Upstream) -> None:
    async with upstream() as other:
        other.answers["/"] = plain(b"{}")
        server.answers["/"] = plain(b"", 302, more="location: /next\r\n")
        server.answers["/next"] = plain(b"", 302, more=f"location: {other.url}/\r\n")

        await sent(egress(allow="loopback"), f"{server.url}/", Host="shop.example")

        assert [each.headers["host"] for each in server.asked] == ["shop.example"] * 2
        assert other.asked[0].headers["host"] == f"127.0.0.1:{other.port}"


@pytest.mark.parametrize(
    "host",
    ["127%2e0%2e0%2e1", "127%2E0.0.1", "a%00b", "127.0.0.1..", "1.2.3.4.5", "1.2.3.256", "0x",
     "a.0x7f", "a..b", ".a", "[::ffff:1.2.3.256]"],
)  # fmt: skip
async def test_what_a_proxy_may_take_for_another_host_goes_to_none(
    server: Upstream, host: str
) -> None:
    server.answers["/"] = plain(b"", 302, more=f"location: http://{host}/\r\n")
    async with forward_proxy() as proxy:
        through = egress(
            proxy=f"http://127.0.0.1:{proxy.port}", allow="loopback", no_proxy="127.0.0.1"
        )

        assert "The URI is not one" in await refused(through, f"http://{host}:{server.port}/")
        assert "no http or https URI" in await refused(through, server.url)
        assert proxy.asked == []


async def test_what_needs_no_proxy_is_called_without_it(server: Upstream) -> None:
    async with forward_proxy() as proxy:
        past = egress(
            proxy=f"http://127.0.0.1:{proxy.port}", no_proxy="127.0.0.0/8", allow="loopback"
        )
        await sent(past, server.url + "/")

        assert (proxy.asked, len(server.asked)) == ([], 1)


async def test_a_proxy_that_is_denied_or_away_or_wants_other_credentials_is_told_of(
    server: Upstream, names: Names
) -> None:
    names("known.example", lambda n: ["1.1.1.1"])
    names("proxy.example", lambda n: ["127.0.0.1"])
    async with forward_proxy("Basic other") as proxy:
        named = f"http://proxy.example:{proxy.port}"
        for scheme in ("http", "https"):
            url = f"{scheme}://known.example:{server.port}/"
            denied = await refused(egress(proxy=named, deny="127.0.0.0/8"), url)
            assert "proxy.example is at 127.0.0.1, which is refused by PODIUM_EGRESS_DENY" in denied
            assert "proxy" in (await refused(egress(proxy=named), url))
    away = await refused(egress(proxy="http://127.0.0.1:1"), "http://known.example/")
    assert away.startswith("The proxy 127.0.0.1:1 refused the connection")


async def test_https_goes_through_a_tunnel_that_ends_at_the_host_that_was_called(
    tmp_path: Path, names: Names
) -> None:
    tls = certified(tmp_path, "far.example")
    names("far.example", lambda n: ["1.1.1.1"])
    (tmp_path / "proxy").write_text("ann:pw")
    wanted = "Basic " + b64encode(b"ann:pw").decode()
    async with upstream(tls) as secure, forward_proxy(wanted) as proxy:
        secure.answers["/"] = plain(b'"in the tunnel"')
        proxy.names["far.example"] = "127.0.0.1"
        through = egress(
            proxy=f"http://127.0.0.1:{proxy.port}", proxy_credentials_file=str(tmp_path / "proxy")
        )

        replies = await sent(through, *[f"https://far.example:{secure.port}/"] * 2)

        assert [reply.body for reply in replies] == [b'"in the tunnel"'] * 2
        assert proxy.asked == [f"CONNECT far.example:{secure.port} HTTP/1.1"]
        assert proxy.credentials == [wanted]
        assert "proxy-authorization" not in secure.asked[0].headers

        # Who is called may be told another Host; the proxy, which may go by it, is not.
        await sent(through, f"https://far.example:{secure.port}/", hOST="shop.example")

        assert secure.asked[2].headers["host"] == "shop.example"
        assert proxy.hosts == [[f"far.example:{secure.port}"]] * 2


def certified(folder: Path, name: str) -> ssl.SSLContext:
    """A server's TLS, with a certificate that this process trusts from now on."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", key, "-out", certificate, "-subj", f"/CN={name}", "-days", "2",
         "-addext", f"subjectAltName=DNS:{name}"],
        check=True, capture_output=True,
    )  # fmt: skip
    aiohttp.connector._SSL_CONTEXT_VERIFIED.load_verify_locations(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@pytest.mark.parametrize("text", ["", "ann", "ann:a\nb:c", ":pw"])
def test_credentials_that_are_none_are_refused_without_being_told(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "proxy").write_text(text)
    settings = read(
        EgressSettings,
        {
            "PODIUM_EGRESS_PROXY": "http://proxy:3128",
            "PODIUM_EGRESS_PROXY_CREDENTIALS_FILE": str(tmp_path / "proxy"),
        },
    )
    with pytest.raises(SettingsError, match="USER:PASSWORD") as caught:
        settings.egress()

    assert "ann" not in str(caught.value)


async def test_many_calls_through_one_proxy_look_a_name_up_once(
    server: Upstream, names: Names
) -> None:
    lookups: list[int] = []

    def counted(n: int) -> list[str]:
        lookups.append(n)
        return ["1.1.1.1"]

    names("known.example", counted)
    async with forward_proxy() as proxy:
        proxy.names["known.example"] = "127.0.0.1"
        async with egress(proxy=f"http://127.0.0.1:{proxy.port}").sender() as sender:
            call = Call("GET", f"http://known.example:{server.port}/", {}, None)
            for _ in range(3):
                await sender.send(call)
            await asyncio.gather(*(sender.send(call) for _ in range(3)))

    assert lookups == [1]
