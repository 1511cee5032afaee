"""What an operator lists of hosts, networks and ports is what may be called, and nothing else."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from services.egress.configured import EgressSettings
from services.egress.listeners import Listeners
from services.egress.policy import AddressRefused, EgressPolicy
from services.egress.rules import rules
from services.settings import SettingsError, read


def policy(allow: str = "", deny: str = "", strict: bool = False) -> EgressPolicy:
    return EgressPolicy(rules(allow.split()), rules(deny.split()), strict)


def fault(policy: EgressPolicy, host: str, at: str | None = None, port: int = 443) -> str | None:
    """Why a host that is found at an address is not called: as a call finds it."""
    try:
        policy.check(host, port)
    except AddressRefused as refused:
        return str(refused)
    return policy.judge(ip_address(at), port, host) if at else None


# allow | deny | strict | host | at | port | what is said of it, None: it is called
TABLE = [
    # Names alone open nothing.
    ("jobs.internal", "", False, "jobs.internal", "10.1.2.3", 443, "private"),
    ("jobs.internal=private", "", False, "jobs.internal", "10.1.2.3", 443, None),
    ("jobs.internal=private", "", False, "JOBS.Internal.", "10.1.2.3", 443, None),
    ("jobs.internal=private", "", False, "jobs.internal", "127.0.0.1", 443, "loopback"),
    ("jobs.internal=private", "", False, "other.internal", "10.1.2.3", 443, "private"),
    ("jobs.internal=private", "", False, "10.1.2.3", None, 443, "private"),
    ("jobs.internal=private", "", False, "jobs.internal", "fd00:ec2::254", 443, "metadata"),
    ("jobs.internal=fd00:ec2::254", "", False, "jobs.internal", "fd00:ec2::254", 443, None),
    ("jobs.internal=fd00::/8", "", False, "jobs.internal", "fd00:ec2::254", 443, "metadata"),
    ("169.254.169.254", "", False, "::ffff:169.254.169.254", None, 80, None),
    ("169.254.169.254", "", False, "64:ff9b::a9fe:a9fe", None, 80, None),
    ("169.254.0.0/16", "", False, "169.254.169.254", None, 80, "metadata"),
    ("169.254.0.0/16", "", False, "169.254.1.1", None, 80, None),
    ("100.64.0.0/10", "", False, "100.100.100.200", None, 80, "metadata"),
    ("0.0.0.0/0 ::/0", "", False, "::ffff:169.254.169.254", None, 80, "metadata"),
    ("0.0.0.0/0 ::/0", "", False, "leads.example", "64:ff9b::a9fe:a9fe", 80, "metadata"),
    ("0.0.0.0/0", "", False, "10.1.2.3", None, 80, None),
    ("jobs.internal=10.1.0.0/16+loopback", "", False, "jobs.internal", "127.0.0.1", 443, None),
    ("jobs.internal=10.1.0.0/16+loopback", "", False, "jobs.internal", "10.2.0.1", 443, "private"),
    ("jobs.internal:8443=private", "", False, "jobs.internal", "10.1.2.3", 8443, None),
    ("jobs.internal:8443=private", "", False, "jobs.internal", "10.1.2.3", 443, "private"),
    ("*.internal=private", "", False, "a.b.internal", "10.1.2.3", 443, None),
    ("*.internal=private", "", False, "internal", "10.1.2.3", 443, "private"),
    ("*.internal=private", "", False, "evilinternal", "10.1.2.3", 443, "private"),
    ("jobs:8080=private", "", False, "jobs", "10.1.2.3", 8080, None),
    ("jobs.=private", "", False, "jobs", "10.1.2.3", 8080, None),
    ("bücher.example=private", "", False, "xn--bcher-kva.example", "10.1.2.3", 443, None),
    # Networks on one port.
    ("10.1.0.0/16:8443", "", False, "10.1.2.3", None, 8443, None),
    ("10.1.0.0/16:8443", "", False, "10.1.2.3", None, 443, "private"),
    ("[fd12::/16]:8443", "", False, "fd12::1", None, 8443, None),
    ("[fd12::/16]:8443", "", False, "fd12::1", None, 443, "private"),
    ("loopback:8090", "", False, "127.0.0.1", None, 8090, None),
    ("loopback:8090", "", False, "localhost", "127.0.0.1", 8091, "loopback"),
    # What is denied wins.
    ("", "api.example.com", False, "api.example.com", "1.1.1.1", 443, "PODIUM_EGRESS_DENY"),
    ("", "api.example.com", False, "API.example.com.", "1.1.1.1", 443, "('api.example.com')"),
    ("", "api.example.com", False, "x.api.example.com", "1.1.1.1", 443, None),
    ("", "*.example.com", False, "x.api.example.com", "1.1.1.1", 443, "PODIUM_EGRESS_DENY"),
    ("", "*.example.com", False, "example.com", "1.1.1.1", 443, None),
    ("private", "10.2.0.0/16", False, "10.2.3.4", None, 443, "PODIUM_EGRESS_DENY"),
    ("private", "10.2.0.0/16", False, "0xa020304", None, 443, "PODIUM_EGRESS_DENY"),
    ("private", "10.2.0.0/16", False, "::ffff:10.2.3.4", None, 443, "PODIUM_EGRESS_DENY"),
    ("private", "10.2.0.0/16", False, "64:ff9b::a02:304", None, 443, "PODIUM_EGRESS_DENY"),
    ("private", "10.2.0.0/16", False, "db.example.com", "10.2.3.4", 443, "PODIUM_EGRESS_DENY"),
    ("10.2.3.4", "10.2.0.0/16", False, "10.2.3.4", None, 443, "PODIUM_EGRESS_DENY"),
    ("a.b=private", "private", False, "a.b", "10.2.3.4", 443, "PODIUM_EGRESS_DENY"),
    ("", "*:8080", False, "1.1.1.1", None, 8080, "PODIUM_EGRESS_DENY"),
    ("", "*:8080", False, "example.com", None, 8080, "PODIUM_EGRESS_DENY"),
    ("", "*:8080", False, "example.com", None, 8081, None),
    ("", "1.1.1.1:80", False, "1.1.1.1", None, 443, None),
    # Nothing but what is listed.
    ("", "", True, "1.1.1.1", None, 443, "PODIUM_EGRESS_STRICT"),
    ("", "", True, "example.com", None, 443, "PODIUM_EGRESS_STRICT"),
    ("api.example.com", "", True, "api.example.com", "1.1.1.1", 443, None),
    ("api.example.com", "", True, "api.example.com", "10.1.2.3", 443, "private"),
    ("api.example.com", "", True, "api.example.com.evil.com", "1.1.1.1", 443, "PODIUM_EGRESS_STRI"),
    ("api.example.com", "", True, "1.1.1.1", None, 443, "PODIUM_EGRESS_STRICT"),
    ("api.example.com:443", "", True, "api.example.com", "1.1.1.1", 80, "PODIUM_EGRESS_STRICT"),
    ("api.example.com", "", True, "example.com", "1.1.1.1", 443, "PODIUM_EGRESS_STRICT"),
    ("*.example.com", "", True, "api.example.com", "1.1.1.1", 443, None),
    ("*:443", "", True, "anything.example", "1.1.1.1", 443, None),
    ("*:443", "", True, "1.1.1.1", None, 443, None),
    ("*:443", "", True, "anything.example", "10.0.0.1", 443, "private"),
    ("10.1.0.0/16", "", True, "10.1.2.3", None, 443, None),
    ("10.1.0.0/16", "", True, "jobs.internal", None, 443, "PODIUM_EGRESS_STRICT"),
    ("10.1.0.0/16 jobs.internal", "", True, "jobs.internal", "10.1.2.3", 443, None),
    ("1.1.1.0/24", "", True, "1.1.1.1", None, 443, None),
    ("loopback", "", True, "localhost", "127.0.0.1", 8090, None),
    ("loopback", "", True, "x.localhost", "::1", 8090, None),
    ("loopback", "", True, "x.localhost", "1.1.1.1", 443, "PODIUM_EGRESS_STRICT"),
    ("loopback *:443", "", True, "x.localhost", "1.1.1.1", 443, None),
    ("private", "", True, "localhost", None, 8090, "PODIUM_EGRESS_STRICT"),
    # Ports of other protocols.
    ("", "", False, "mail.example.com", "1.1.1.1", 25, "called on port 25"),
    ("", "", False, "1.1.1.1", None, 22, "called on port 22"),
    ("loopback", "", False, "localhost", "127.0.0.1", 6667, "called on port 6667"),
    ("mail.example.com:25", "", False, "mail.example.com", "1.1.1.1", 25, None),
    ("mail.example.com", "", True, "mail.example.com", "1.1.1.1", 25, "called on port 25"),
    ("*:22", "", False, "1.1.1.1", None, 22, None),
    ("loopback:6667", "", False, "localhost", "127.0.0.1", 6667, None),
]  # fmt: skip


@pytest.mark.parametrize(("allow", "deny", "strict", "host", "at", "port", "what"), TABLE)
def test_what_is_called_is_what_is_listed(
    allow: str, deny: str, strict: bool, host: str, at: str | None, port: int, what: str | None
) -> None:
    found = fault(policy(allow, deny, strict), host, at, port)

    if what is None:
        assert found is None
    else:
        assert found is not None
        assert what in found
        assert "PODIUM_EGRESS_" in found


def test_where_the_suite_listens_is_called_only_where_it_is_named_with_its_port() -> None:
    own = Listeners(["127.0.0.1:7401", "0.0.0.0:8081", "[::1]:7402", "localhost:7403", "1.1.1.1:0"])
    loopback = EgressPolicy(rules(["loopback"]), own=own)

    for refused in ("127.0.0.1:7401", "::ffff:127.0.0.1:7401", "127.0.0.1:8081", "127.9.9.9:8081",
                    "::1:7402", "127.0.0.1:7403"):  # fmt: skip
        host, _, port = refused.rpartition(":")
        assert "where Podium itself listens" in (fault(loopback, host, None, int(port)) or "")
    for interface in ("%1", "%lo", "%25lo"):
        assert "where Podium" in (fault(loopback, f"::1{interface}", None, 7402) or "")
        assert "where Podium" in (fault(loopback, f"::1{interface}", None, 8081) or "")
    assert "where Podium" in (fault(loopback, "localhost", "127.0.0.1", 7401) or "")
    assert fault(loopback, "127.0.0.2", None, 7401) is None
    assert fault(loopback, "127.0.0.1", None, 7404) is None
    assert fault(loopback, "1.1.1.1", None, 8081) is None
    # All of IPv4 is allowed, as some do: what leads to loopback is no way round.
    everything = EgressPolicy(rules(["0.0.0.0/0", "::/0"]), own=own)
    for number in (7401, 7403, 8081):
        assert "where Podium" in (fault(everything, "0.0.0.0", None, number) or "")
    assert "where Podium" in (fault(everything, "::", None, 7402) or "")
    assert fault(everything, "0.0.0.0", None, 7404) is None
    named = EgressPolicy(rules(["127.0.0.1:8081"]), own=own)
    assert fault(named, "127.0.0.1", None, 8081) is None
    # Whoever has a listed name could lead it here, unless it is listed as being here.
    partner = EgressPolicy(rules(["loopback", "api.partner.com:8081"]), own=own)
    assert "where Podium" in (fault(partner, "api.partner.com", "127.0.0.1", 8081) or "")
    assert fault(partner, "api.partner.com", "1.1.1.1", 8081) is None
    here = EgressPolicy(rules(["api.partner.com:8081=loopback"]), own=own)
    assert fault(here, "api.partner.com", "127.0.0.1", 8081) is None


@pytest.mark.parametrize(
    ("host", "at"),
    [("127.0.0.1", None), ("::ffff:127.0.0.1", None), ("127.1", None), ("localhost", "127.0.0.1"),
     ("leads.example", "127.0.0.1"), ("leads.example", "::ffff:127.0.0.1")],
)  # fmt: skip
def test_the_proxy_is_no_target_however_it_is_written(host: str, at: str | None) -> None:
    opened = EgressPolicy(rules(["loopback"]), proxy=("127.0.0.1", 3128))

    assert "the proxy" in (fault(opened, host, at, 3128) or "")
    assert fault(opened, host, at, 3129) is None


@pytest.mark.parametrize("host", ["::1", "::1%1", "::1%lo"])
def test_the_proxy_is_no_target_by_whatever_interface(host: str) -> None:
    opened = EgressPolicy(rules(["loopback"]), proxy=("::1", 3128))

    assert "the proxy" in (fault(opened, host, None, 3128) or "")


def test_services_of_the_suite_on_other_machines_are_not_called_by_their_names() -> None:
    own = Listeners(["registry:7401", "localhost:7402"])
    private = EgressPolicy(rules(["private"]), own=own, own_names=own.names)

    assert "where Podium itself listens" in (fault(private, "Registry.", "10.0.0.2", 7401) or "")
    assert fault(private, "registry", "10.0.0.2", 80) is None
    named = EgressPolicy(rules(["registry:7401=private"]), own=own, own_names=own.names)
    assert fault(named, "registry", "10.0.0.2", 7401) is None


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("PODIUM_EGRESS_ALLOW", "loopback,privat"),
        ("PODIUM_EGRESS_DENY", "evil"),
        ("PODIUM_EGRESS_DENY", "evil.com=private"),
        ("PODIUM_EGRESS_NO_PROXY", "evil.com=private"),
        ("PODIUM_EGRESS_OWN", "127.0.0.1"),
        ("PODIUM_EGRESS_PROXY", "https://proxy:3128"),
        ("PODIUM_EGRESS_PROXY", "socks5://proxy:1080"),
        ("PODIUM_EGRESS_PROXY", "proxy:3128"),
        ("PODIUM_EGRESS_PROXY", "http://ann:s3cret@proxy:3128"),
        ("PODIUM_EGRESS_PROXY", "http://proxy:3128/path"),
        ("PODIUM_EGRESS_PROXY", "http://[::1"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_at_the_start(variable: str, text: str) -> None:
    with pytest.raises(SettingsError, match=variable) as caught:
        read(EgressSettings, {variable: text})

    assert "s3cret" not in str(caught.value)
