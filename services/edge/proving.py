"""Who calls a service: by key, by token, or anybody; and what is said to all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.edge.auth import api_key, authenticate
from services.edge.problems import (
    Problem,
    basic_challenge,
    challenge,
    no_key,
    no_token,
    retry_after,
)
from services.edge.tokens.model import TokenRefused

if TYPE_CHECKING:
    from services.edge.auth.model import AuthConfig, Caller
    from services.edge.call import Call
    from services.edge.gateway import Gateway


async def proven(
    call: Call, gateway: Gateway, config: AuthConfig, realm: str, *, by_browser: bool = False
) -> Caller:
    """Who calls.

    Args:
        realm: The service.
        by_browser: It is a page: the browser asks its user for a key.

    Raises:
        Problem: 401; 403 for a token without a scope; 503 where the issuer's keys are away.
    """
    now = gateway.now().timestamp()
    if config.tokens is None:
        if caller := authenticate(config, call.header, now):
            return caller
        error = "invalid_token" if api_key.presented(call.header) else ""
        basic = (basic_challenge(realm),) if by_browser else ()
        raise no_key(challenge(realm, error), *basic)
    try:
        known = await gateway.tokens.caller(config, call.header, now)
    except TokenRefused as refused:
        raise token_problem(refused, realm) from None
    if known is None:
        raise no_token(challenge(realm))
    return known


async def caller_by(call: Call, gateway: Gateway, config: AuthConfig) -> Caller | None:
    """Who calls, if the configuration lets them in: where another one may."""
    now = gateway.now().timestamp()
    if config.tokens is None:
        return authenticate(config, call.header, now)
    try:
        return await gateway.tokens.caller(config, call.header, now)
    except TokenRefused:
        return None


def token_problem(refused: TokenRefused, realm: str) -> Problem:
    """What is said of a token that lets nobody in (RFC 6750, 3): the reason is for operators."""
    inside = (("", refused.reason),)
    if refused.kind == "unavailable":
        return Problem("unavailable", headers=(retry_after(),), inside=inside)
    if refused.kind == "insufficient-scope":
        scope = " ".join(sorted(refused.scopes))
        told = challenge(realm, "insufficient_scope", refused.told, scope)
        return Problem("insufficient-scope", headers=(told,), inside=inside)
    told = challenge(realm, "invalid_token", refused.told)
    return Problem("unauthenticated", refused.told, headers=(told,), inside=inside)
