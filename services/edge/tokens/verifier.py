"""Who calls with a token: verified once, and known again until it ends."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from services.edge.auth.model import AuthConfig, Caller
from services.edge.tokens.claims import check_before_keys, holder_of
from services.edge.tokens.form import Token, parsed
from services.edge.tokens.issuers import Fetch, KeysAway, RemoteKeys, Terms
from services.edge.tokens.model import Source, TokenRefused, TokenRules
from services.jwks import PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_KNOWN = 5000
_MOST_SOURCES = 500


class _Known(NamedTuple):
    config: AuthConfig
    caller: Caller
    until: float
    keys: RemoteKeys | None
    generation: int


class Tokens:
    """What was verified, and the keys of issuers."""

    def __init__(
        self, fetch: Fetch, monotonic: Callable[[], float], terms: Terms | None = None
    ) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._terms = terms or Terms()
        self._known: OrderedDict[tuple[str, bytes], _Known] = OrderedDict()
        self._sources: OrderedDict[Source, RemoteKeys] = OrderedDict()

    async def caller(
        self, config: AuthConfig, headers: Mapping[bytes, bytes], now: float
    ) -> Caller | None:
        """Who calls; None: no token was sent.

        Args:
            headers: By lower-case name, the first of each.
            now: Seconds since 1970.

        Raises:
            TokenRefused: The token lets nobody in.
        """
        sent = bearer(headers)
        if not sent or config.tokens is None:
            return None
        if (known := self._kept(config, sent, now)) is not None:
            return known
        token = parsed(sent)
        check_before_keys(token, config.tokens)
        remote = self._remote(config.tokens)
        key = await _signer(token, config.tokens, remote)
        # What was fetched meanwhile may have been fetched for it.
        return self._keep(config, config.tokens, sent, token, key, remote, now)

    def known(
        self, config: AuthConfig, headers: Mapping[bytes, bytes], now: float
    ) -> Caller | None:
        """As :meth:`caller`, by the keys that are here; None: the token lets nobody in."""
        sent, rules = bearer(headers), config.tokens
        if not sent or rules is None:
            return None
        if (known := self._kept(config, sent, now)) is not None:
            return known
        try:
            token = parsed(sent)
            check_before_keys(token, rules)
            remote = self._remote(rules)
            keys = (remote.held() if remote else rules.keys).of(token.kid, token.algorithm)
            key = _signed_by(token, keys)
            if key is None:
                return None
            return self._keep(config, rules, sent, token, key, remote, now)
        except TokenRefused:
            return None

    def _kept(self, config: AuthConfig, sent: bytes, now: float) -> Caller | None:
        known = self._known.get((config.id, sha256(sent).digest()))
        if known is None or known.config is not config or not _holds(known, now):
            return None
        return known.caller

    def _keep(
        self,
        config: AuthConfig,
        rules: TokenRules,
        sent: bytes,
        token: Token,
        key: PublicKey,
        remote: RemoteKeys | None,
        now: float,
    ) -> Caller:
        """Who has the token, which ``key`` has signed. Raises TokenRefused."""
        holder = holder_of(token, rules, now)
        caller = Caller(
            config.id,
            f"jwt:{config.id}/{holder.name}",
            config.application_id,
            key=key.kid,
            scopes=holder.scopes,
            claims=holder.claims,
        )
        generation = remote.generation if remote is not None else 0
        place = config.id, sha256(sent).digest()
        self._known[place] = _Known(config, caller, holder.until, remote, generation)
        self._known.move_to_end(place)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return caller

    def _remote(self, rules: TokenRules) -> RemoteKeys | None:
        source = rules.source
        if source is None:
            return None
        remote = self._sources.get(source)
        if remote is None:
            remote = RemoteKeys(source, self._fetch, self._terms, self._monotonic)
            self._sources[source] = remote
            if len(self._sources) > _MOST_SOURCES:
                self._sources.popitem(last=False)
        return remote

    def key_names(self, config: AuthConfig) -> list[str]:
        """Of the keys that may have signed its tokens, as far as they are here."""
        if (rules := config.tokens) is None:
            return []
        remote = self._sources.get(rules.source) if rules.source else None
        held = remote.held() if remote else rules.keys
        return [key.kid for key in held.keys if key.kid]

    async def close(self) -> None:
        """Let go of what is under way."""
        remotes: Iterable[RemoteKeys] = self._sources.values()
        for remote in remotes:
            await remote.close()


def _holds(known: _Known, now: float) -> bool:
    if now >= known.until:
        return False
    keys = known.keys
    return keys is None or (keys.current() and keys.generation == known.generation)


async def _signer(token: Token, rules: TokenRules, remote: RemoteKeys | None) -> PublicKey:
    """The key by which the token's signature holds."""
    if remote is None:
        keys: Sequence[PublicKey] = rules.keys.of(token.kid, token.algorithm)
        key = _signed_by(token, keys)
    else:
        try:
            keys, key = await _of_issuer(token, remote)
        except KeysAway:
            reason = f"The keys of the issuer cannot be had: {remote.fault or 'they take long.'}"
            raise TokenRefused(reason, "The token cannot be judged now.", "unavailable") from None
    if key is None:
        named = f"the key {token.kid[:100]!r}" if token.kid else "a key without a name"
        why = "and its signature does not hold" if keys else "which the issuer does not have"
        raise TokenRefused(f"It names {named}, {why}.")
    return key


async def _of_issuer(
    token: Token, remote: RemoteKeys
) -> tuple[Sequence[PublicKey], PublicKey | None]:
    """The keys that may have signed the token, and the one that has. Raises KeysAway."""
    keys = await remote.of(token.kid, token.algorithm)
    key = _signed_by(token, keys)
    if key is None and keys and not (token.kid and any(each.kid for each in keys)):
        # Without a name, of the token's or of the keys', a new key shows by its signature only.
        await remote.look_again()
        keys = await remote.of(token.kid, token.algorithm)
        key = _signed_by(token, keys)
    return keys, key


def _signed_by(token: Token, keys: Sequence[PublicKey]) -> PublicKey | None:
    for key in keys:
        if key.has_signed(token.algorithm, token.signed, token.signature):
            return key
    return None


def bearer(headers: Mapping[bytes, bytes]) -> bytes:
    """The token in ``Authorization: Bearer`` (RFC 6750, 2.1); empty without one."""
    scheme, _, credentials = headers.get(b"authorization", b"").partition(b" ")
    return credentials.strip() if scheme.lower() == b"bearer" else b""
