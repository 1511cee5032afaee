"""Which calls of a route have the same answer: ``cacheConfig``, and the key of a call. No IO."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from services.edge.counted import shown, shown_target
from services.edge.keeping import Place, Tag
from services.edge.keys import Key, read_key

if TYPE_CHECKING:
    from services.edge.call import Call

DEFAULT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """A route's ``cacheConfig``.

    Attributes:
        key: What tells calls apart; None: path, query and body.
        seconds: How long an answer is kept.
        shared: One answer for all callers.
        with_body: All of the body is in the key, for nothing of it is named.
        headers: Names of the request headers that are in the key, in lower case.
    """

    place: Place
    key: Key | None
    seconds: float
    shared: bool
    with_body: bool
    headers: tuple[str, ...]


def read_cache_config(place: Place, declared: Mapping[str, Any] | None) -> CacheConfig | None:
    """What a route's ``cacheConfig`` says, as the registry keeps it."""
    if declared is None:
        return None
    key = read_key(declared["key"]) if declared.get("key") else None
    references = key.references if key else ()
    named = {each.partition(".")[2].lower() for each in references if each.startswith("headers.")}
    return CacheConfig(
        place=place,
        key=key,
        seconds=float(declared.get("ttlInSecond") or DEFAULT_SECONDS),
        shared=declared.get("shared") is True,
        with_body=key is None or not key.of_body,
        headers=tuple(sorted(named)),
    )


def effective_key(config: CacheConfig, scope: bytes, call: Call) -> bytes:
    """What the answer of ``call``, whose input was read, is kept under: 32 bytes.

    Args:
        scope: Of the definitions that make the answer; of one length always.
    """
    made = blake2b(scope, digest_size=32)
    owner = _owner(config, call)
    words = _input(call) if config.key is None else config.key.exact(call)
    if not config.shared and (seen := _seen_of_caller(call)):
        owner = f"{owner}\n{seen}"
    for word in (owner, *words):
        written = word.encode("utf-8", "surrogatepass")
        made.update(b"%d:%b" % (len(written), written))
    if config.with_body:
        # Last, so that no word can be taken for it.
        made.update(call.body)
    return made.digest()


def tag_of(config: CacheConfig, call: Call) -> Tag:
    """By what the answer of ``call`` is found to be purged."""
    if config.key is not None:
        written, told = config.key.written(call), shown(config.key, call)
    else:
        path, query = call.raw_path.decode("latin-1"), call.query.decode("latin-1")
        written = path + (f"?{query}" if query else "")
        told = shown_target(path, query, call.parameters)
    return Tag(config.place, _owner(config, call), written_digest(written), told)


def written_digest(written: str) -> bytes:
    """Of a key as its author wrote it, with values in it: what callers send may be long."""
    return blake2b(written.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _owner(config: CacheConfig, call: Call) -> str:
    assert call.caller is not None, "the authenticate stage comes first"
    return "" if config.shared else call.caller.principal


def _seen_of_caller(call: Call) -> str:
    """What a workflow is told of its caller's token and certificate: others, other answers."""
    claims = call.caller.claims if call.caller else None
    told = json.dumps(claims, sort_keys=True) if claims else ""
    return f"{told}\n{call.certificate['fingerprint']}" if call.certificate else told


def _input(call: Call) -> tuple[str, ...]:
    """What a workflow's input is made of, but for the body and what goes with every call."""
    query = json.dumps(sorted(call.query_fields.items())) if call.query_fields else ""
    return query, *call.parameters.values()
