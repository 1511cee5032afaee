"""Only public addresses are called, and what the setting names, however they are written."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

import pytest
from aiohttp.abc import ResolveResult
from hypothesis import given, strategies as st

from services.egress.addresses import literal
from services.egress.configured import Egress
from services.egress.policy import AddressRefused, EgressPolicy
from services.egress.resolver import PinningResolver
from services.executor.effects import opened
from tests.executor.effects.performing import answered, failed, performing
from tests.executor.effects.upstream import Upstream, plain

STRICT = EgressPolicy.allowing([])
LOOPBACK = EgressPolicy.allowing(["loopback"])
PRIVATE = EgressPolicy.allowing(["private"])

LOOPBACKS = [
    "127.0.0.1",
    "127.8.9.10",
    "127.1",
    "0x7f000001",
    "0x7f.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "127.0.0.1.",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "::ffff:0:127.0.0.1",
    "::1%25lo",
    "::1%1",
    "2606:4700::5efe:7f00:1",
    "2606:4700::200:5efe:7f00:1",
    "2001:0:101:101:0:0:80ff:fffe",
    "0177.0.0.0x1",
    "127.0.0.1",
    "127.65535",
]
METADATA = [
    "169.254.169.254",
    "0xa9fea9fe",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::a9fe:a9fe",
    "fe80::a9fe:a9fe%2",
    "169.254.0.23",
]
REFUSED = [
    ("10.0.0.1", "private"),
    ("172.31.255.255", "private"),
    ("192.168.1.1", "private"),
    ("::ffff:10.0.0.1", "private"),
    ("fd12::1", "private"),
    ("169.254.1.1", "link-local"),
    ("fe80::1", "link-local"),
    ("fe80::1%25eth0", "link-local"),
    ("0.0.0.0", "unspecified"),
    ("0", "unspecified"),
    ("::", "unspecified"),
    ("::ffff:0.0.0.0", "unspecified"),
    ("100.64.0.1", "shared"),
    ("224.0.0.1", "multicast"),
    ("ff02::1", "multicast"),
    ("255.255.255.255", "reserved"),
    ("192.0.2.1", "reserved"),
    ("198.18.0.1", "reserved"),
    ("::127.0.0.1", "reserved"),
    ("2001:db8::1", "reserved"),
    ("64:ff9b:1::7f00:1", "reserved"),
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::101:101"]


@pytest.mark.parametrize("host", LOOPBACKS)
def test_loopback_is_refused_in_every_notation_until_it_is_allowed(host: str) -> None:
    for policy in (STRICT, PRIVATE):
        with pytest.raises(AddressRefused, match="loopback"):
            policy.check(host)

    assert LOOPBACK.check(host)


@pytest.mark.parametrize("host", METADATA)
def test_metadata_addresses_are_refused_until_named_themselves(host: str) -> None:
    for policy in (STRICT, EgressPolicy.allowing(["loopback", "private"])):
        with pytest.raises(AddressRefused, match="metadata"):
            policy.check(host)

    address = literal(host)
    assert EgressPolicy.allowing([str(address)]).judge(address or ip_address("::")) is None


@pytest.mark.parametrize(("host", "what"), REFUSED)
def test_addresses_that_are_nobodys_public_service_are_refused(host: str, what: str) -> None:
    with pytest.raises(AddressRefused, match=what) as caught:
        LOOPBACK.check(host)

    assert "PODIUM_EGRESS_ALLOW" in str(caught.value)


@pytest.mark.parametrize("host", PUBLIC)
def test_public_addresses_are_called_as_they_are_written(host: str) -> None:
    assert STRICT.check(host) == host


def test_an_odd_notation_is_dialled_as_the_address_that_was_judged() -> None:
    assert LOOPBACK.check("0x7f.1") == "127.0.0.1"
    assert STRICT.check("16843009") == "1.1.1.1"


def test_a_network_can_be_allowed_by_itself() -> None:
    policy = EgressPolicy.allowing(["10.1.0.0/16", "fd12::/16"])

    assert policy.check("10.1.2.3")
    assert policy.check("fd12::1")
    assert policy.check("::ffff:10.1.2.3")
    with pytest.raises(AddressRefused):
        policy.check("10.2.0.1")


@pytest.mark.parametrize(
    "entry",
    ["", "public", "privat", "10.0.0.0/33", "10.1.2.3/8", "10.1", "0x7f000001", "1.2.3.256",
     "a b.c", "http://host.example", "u@host.example", "host.example/path", "*.", "*x.example",
     "a.*.example", "host.example:", "host.example:0", "host.example:65536", "host.example=",
     "host.example=public", "10.0.0.1=private", "=private", "loopback=private", ".example.com",
     "-", "fd12::1:80:"],
)  # fmt: skip
def test_an_entry_that_means_nothing_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(entry))):
        EgressPolicy.allowing([entry])


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_whatever_it_is_wrapped(address: IPv4Address) -> None:
    number = int(address)
    wrapped = [
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address((0x64FF9B << 96) | number),
        IPv6Address((0x2002 << 112) | (number << 80)),
    ]

    assert {STRICT.judge(each) for each in wrapped} == {STRICT.judge(address)}
    assert literal(str(number)) == literal(hex(number)) == address


@given(st.ip_addresses(v=4))
def test_what_python_calls_no_global_address_is_never_called(address: IPv4Address) -> None:
    if not address.is_global and address not in IPv4Network("192.0.0.0/24"):
        assert STRICT.judge(address)


async def test_a_name_leads_only_to_addresses_that_may_be_called() -> None:
    async def addresses(policy: EgressPolicy) -> list[ResolveResult]:
        resolver = PinningResolver(policy)
        try:
            return await resolver.resolve("localhost", 80)
        finally:
            await resolver.close()

    with pytest.raises(AddressRefused, match=r"^localhost is at .*, which is loopback"):
        await addresses(STRICT)
    v4_only = await addresses(EgressPolicy.allowing(["127.0.0.0/8"]))
    assert {each["host"] for each in v4_only} == {"127.0.0.1"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f000001", "x@127.0.0.1", "[::1]"])
async def test_a_refused_address_is_never_dialled(server: Upstream, host: str) -> None:
    server.answers["/"] = plain(b"{}")
    async with opened(Egress(STRICT)) as effects:
        perform = performing(effects["http"], timedelta(seconds=1))

        outcome = failed(await perform(f"http://{host}:{server.port}/", "POST"))

    assert "loopback: the egress policy does not allow it" in outcome.reason
    assert (outcome.unknown, outcome.transient) == (False, False)
    assert server.connections == 0


async def test_an_allowed_address_is_dialled_in_any_notation(server: Upstream) -> None:
    server.answers["/"] = plain(b"{}")
    async with opened(Egress(LOOPBACK)) as effects:
        perform = performing(effects["http"], timedelta(seconds=1))

        for host in ("127.0.0.1", "localhost", "0x7f000001", "127.1", "\uff11\uff12\uff17.0.0.1"):
            assert answered(await perform(f"http://{host}:{server.port}/")).status == 200


@pytest.mark.parametrize("to", ["http://10.0.0.1/", "//169.254.169.254/latest", "http://[::]/"])
async def test_a_redirect_is_judged_too(server: Upstream, to: str) -> None:
    server.answers["/"] = plain(b"", 302, more=f"location: {to}\r\n")
    async with opened(Egress(LOOPBACK)) as effects:
        perform = performing(effects["http"], timedelta(seconds=1))

        outcome = failed(await perform(server.url))

    assert outcome.reason.startswith(f"Redirected by 127.0.0.1:{server.port}: ")
    assert "the egress policy does not allow it" in outcome.reason
    assert (outcome.unknown, outcome.transient, outcome.status) == (False, False, 302)
