"""The settings of calls that go out, the same for every service that calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from services.egress.listeners import Listeners
from services.egress.policy import ALLOW, DENY, STRICT, EgressPolicy
from services.egress.proxy import CREDENTIALS, Proxy, credentials, only_listing, proxy_url
from services.egress.rules import rules
from services.settings import address, path, setting, words

if TYPE_CHECKING:
    from services.egress.sender import Sender


def _allowed(text: str) -> tuple[str, ...]:
    rules(words(text))
    return words(text)


def _listed(text: str) -> tuple[str, ...]:
    only_listing(rules(words(text)))
    return words(text)


def _proxy_text(text: str) -> str:
    proxy_url(text)
    return text


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(map(address, words(text)))


@dataclass(frozen=True, kw_only=True)
class EgressSettings:
    """What a service that calls others is told of whom it may call, and how."""

    egress_allow: tuple[str, ...] = setting(
        ALLOW,
        (),
        "What may be called beside public addresses: `loopback`, `private`, networks "
        "(10.1.0.0/16), a host at such addresses (jobs.internal=10.1.0.0/16), any of these on one "
        "port (jobs.internal:8443=private), between commas. Hosts alone (api.partner.com, "
        f"*.partner.com) are what may be called where {STRICT} is set.",
        parse=_allowed,
    )
    egress_deny: tuple[str, ...] = setting(
        DENY,
        (),
        f"What is never called, whatever {ALLOW} says: hosts (*.example.com), networks, words, any "
        "of these on one port (*:8080), between commas.",
        parse=_listed,
    )
    egress_strict: bool = setting(
        STRICT,
        False,
        f"Call only what {ALLOW} lists: hosts by name, addresses written as such by network. A "
        "listed host still has to be at a public or an allowed address.",
    )
    egress_own: tuple[str, ...] = setting(
        "PODIUM_EGRESS_OWN",
        (),
        "Where this suite listens itself, HOST:PORT between commas: not called, unless "
        f"{ALLOW} names it with its port. `podium up` says where its services listen, but for the "
        "gateway.",
        parse=_addresses,
    )
    egress_proxy: str = setting(
        "PODIUM_EGRESS_PROXY",
        "",
        "The proxy that calls go through, http://HOST:PORT; https by CONNECT. Whom the proxy may "
        "call where this machine does not know the name, is the proxy's to decide.",
        parse=_proxy_text,
    )
    egress_no_proxy: tuple[str, ...] = setting(
        "PODIUM_EGRESS_NO_PROXY",
        (),
        "What is called without the proxy: hosts, networks (for addresses written as such), words, "
        "between commas.",
        parse=_listed,
    )
    egress_proxy_credentials_file: Path | None = setting(
        CREDENTIALS,
        None,
        "The file with the proxy's USER:PASSWORD, one line.",
        parse=path,
    )

    def egress(self, *listening: str) -> Egress:
        """The policy and the way out.

        Args:
            listening: Where the service itself listens, ``HOST:PORT``, beside what settings say.

        Raises:
            SettingsError: The proxy's credentials cannot be read.
        """
        proxy = self._proxy()
        listeners = Listeners((*self.egress_own, *listening))
        policy = EgressPolicy(
            rules(self.egress_allow),
            rules(self.egress_deny),
            self.egress_strict,
            listeners,
            proxy.place if proxy else None,
            listeners.names,
        )
        return Egress(policy, proxy)

    def _proxy(self) -> Proxy | None:
        if not self.egress_proxy:
            return None
        file = self.egress_proxy_credentials_file
        return Proxy(
            proxy_url(self.egress_proxy),
            credentials(file) if file else None,
            rules(self.egress_no_proxy),
        )


@dataclass(frozen=True, slots=True)
class Egress:
    """Whom calls may reach, and by which way."""

    policy: EgressPolicy
    proxy: Proxy | None = None

    def sender(self) -> Sender:
        """One more pool of connections."""
        # The HTTP client takes a while to load: who never calls out never waits for it.
        from services.egress.sender import Sender

        return Sender(self.policy, self.proxy)

    @classmethod
    def allowing(cls, entries: Iterable[str]) -> Egress:
        """No proxy, and ``entries`` allowed, as :meth:`EgressPolicy.allowing` has it."""
        return cls(EgressPolicy.allowing(entries))
