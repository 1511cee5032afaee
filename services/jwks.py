"""Public keys that tokens are verified by: sets of them (RFC 7517) and PEM. No IO.

The cryptography is imported when a key is first read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from services.json_text import UNWRITABLE

if TYPE_CHECKING:
    from jwt.algorithms import Algorithm

# Those that only a public key is needed for. None of them is an HMAC, for which a public key would
# be a secret that all know, and "none" is none (RFC 8725, 3.1 and 3.2).
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
MOST_KEYS = 100

_MOST_TRIED = 8
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_RSA = frozenset(name for name in ALGORITHMS if name[:2] in ("RS", "PS"))
# Shorter ones are broken (RFC 7518, 3.3); verifying by longer ones, or by a large exponent, is
# work for whoever sends a token.
_RSA_BITS = range(2048, 8193)
_LARGEST_EXPONENT = 1 << 32
_LONGEST_KID = 512
# The members of a public key: of a private one, nothing else is read.
_PUBLIC = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")


class KeyFault(ValueError):
    """What is no set of keys, or no key. The message goes on after what it is about."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One key.

    Attributes:
        kid: Its id; "" where it has none.
        algorithms: What it may have signed by.
        key: The cryptography's; another one under the same kid is another key.
    """

    kid: str
    algorithms: frozenset[str]
    key: Any = field(hash=False, repr=False)

    def has_signed(self, algorithm: str, message: bytes, signature: bytes) -> bool:
        """Whether ``signature`` is its own, of ``message``, by one of its ``algorithms``."""
        return _algorithm(algorithm).verify(message, self.key, signature)


@dataclass(frozen=True, slots=True)
class KeySet:
    """Keys of one issuer.

    Attributes:
        passed_over: How many of the set are of no use here.
    """

    keys: tuple[PublicKey, ...] = ()
    passed_over: int = 0

    def of(self, kid: str, algorithm: str) -> Sequence[PublicKey]:
        """Those that may have signed what names ``kid``, or no key where that is "".

        At most eight: each is tried, for whoever sends a token.
        """
        found = [
            key
            for key in self.keys
            if algorithm in key.algorithms and (not kid or key.kid in ("", kid))
        ]
        return found[:_MOST_TRIED]


def read_jwks(text: str | bytes) -> KeySet:
    """The keys of a JWKS that verify signatures; others are passed over (RFC 7517, 5).

    Raises:
        KeyFault: It is none, or of too many keys.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise KeyFault("is no JSON") from None
    return keys_of(document)


def keys_of(document: object) -> KeySet:
    """As :func:`read_jwks`, of a value.

    Raises:
        KeyFault: As there.
    """
    entries = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        raise KeyFault("is no set of keys: it has no list 'keys'")
    if len(entries) > MOST_KEYS:
        raise KeyFault(f"has more than {MOST_KEYS} keys")
    keys = tuple(filter(None, map(_read, entries)))
    return KeySet(keys, len(entries) - len(keys))


def read_pem(text: str) -> KeySet:
    """The key of a PEM ``PUBLIC KEY``, as a set of one without a kid.

    Raises:
        KeyFault: It is none that can be verified by.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(text.encode())
        return KeySet((PublicKey("", _algorithms_of(key), key),))
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFault(
            "is no PEM of a public key: RSA of 2048 bits or more, EC (P-256, P-384, P-521), "
            "Ed25519 or Ed448"
        ) from None


def _read(entry: object) -> PublicKey | None:
    """None: nothing that a signature can be verified by here."""
    if not isinstance(entry, Mapping) or not _is_for_verifying(entry):
        return None
    kid, kty = entry.get("kid", ""), entry.get("kty")
    # It is written down when the key was last used: what no database takes is nobody's name.
    if not isinstance(kid, str) or len(kid) > _LONGEST_KID or UNWRITABLE.search(kid):
        return None
    if not isinstance(kty, str) or kty not in _PUBLIC:
        return None
    try:
        key = _key(kty, entry)
        algorithms = _algorithms_of(key)
    except (ValueError, KeyError, TypeError):
        return None
    if (named := entry.get("alg")) is not None:
        algorithms = frozenset(each for each in algorithms if each == named)
    return PublicKey(kid, algorithms, key) if algorithms else None


def _is_for_verifying(entry: Mapping[str, Any]) -> bool:
    operations = entry.get("key_ops")
    return entry.get("use", "sig") == "sig" and (
        operations is None or (isinstance(operations, list) and "verify" in operations)
    )


def _key(kty: str, entry: Mapping[str, Any]) -> Any:
    import jwt
    from cryptography.exceptions import UnsupportedAlgorithm
    from jwt import algorithms

    public = {name: entry[name] for name in _PUBLIC[kty]} | {"kty": kty}
    if not all(isinstance(value, str) for value in public.values()):
        raise ValueError(kty)
    reading: Mapping[str, type[Algorithm]] = {
        "RSA": algorithms.RSAAlgorithm,
        "EC": algorithms.ECAlgorithm,
        "OKP": algorithms.OKPAlgorithm,
    }
    try:
        return reading[kty].from_jwk(public)
    except (jwt.PyJWTError, UnsupportedAlgorithm) as error:
        raise ValueError(kty) from error


def _algorithms_of(key: object) -> frozenset[str]:
    """What a key can sign by. Raises ValueError: by nothing that is known, or safe."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

    match key:
        case rsa.RSAPublicKey():
            if key.key_size not in _RSA_BITS or key.public_numbers().e > _LARGEST_EXPONENT:
                raise ValueError("RSA")
            return _RSA
        case ec.EllipticCurvePublicKey() if key.curve.name in _CURVES:
            return frozenset((_CURVES[key.curve.name],))
        case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
            return frozenset(("EdDSA",))
    raise ValueError("unknown")


def _algorithm(name: str) -> Algorithm:
    if not _loaded:
        from jwt.algorithms import get_default_algorithms

        known = get_default_algorithms()
        _loaded.update((each, known[each]) for each in ALGORITHMS)
    return _loaded[name]


_loaded: dict[str, Algorithm] = {}


def has_private_part(document: object) -> bool:
    """Whether a JWKS holds what nobody but its issuer may have."""
    entries = document.get("keys") if isinstance(document, Mapping) else None
    some: Iterable[object] = entries if isinstance(entries, list) else ()
    return any(isinstance(each, Mapping) and any(name in each for name in PRIVATE) for each in some)
