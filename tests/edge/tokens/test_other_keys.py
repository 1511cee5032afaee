"""Keys that their issuer replaces or withdraws, by whatever name: what they have signed ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.edge.tokens.desk import Desk
from tests.edge.tokens.issuer import claims, jwk, signed


@pytest.mark.parametrize("kid", ["k", None])
async def test_another_key_of_the_same_name_ends_what_the_former_has_signed(
    desk: Desk, kid: str | None
) -> None:
    old = signed(claims(desk.issuer.url), "ES256", "one", {"kid": kid})
    desk.issuer.publish(named(jwk("ES256", "one"), kid))
    await desk.show(old)
    desk.issuer.publish(named(jwk("ES256", "two"), kid))
    desk.now = 290.0

    # It is known yet, and has the keys fetched behind the scenes.
    await desk.show(old)
    await fetched(desk)

    assert "signature does not hold" in (await desk.refused(old)).reason
    await desk.show(signed(claims(desk.issuer.url), "ES256", "two", {"kid": kid}))


async def test_an_issuer_that_withdraws_all_its_keys_is_believed_at_once(desk: Desk) -> None:
    token = desk.issuer.token()
    await desk.show(token)
    desk.issuer.publish()
    desk.now = 290.0
    await desk.show(token)
    await fetched(desk)

    for shown in (token, desk.issuer.token(sub="bob")):
        refused = await desk.refused(shown)
        assert refused.kind == "unavailable"
        assert "No key that is there" in refused.reason
    desk.issuer.publish(jwk("ES256", "one"))
    desk.now = 300.0
    await desk.show(token)


@pytest.mark.parametrize("kid", ["two", None])
async def test_keys_that_go_while_they_are_looked_at_again_let_nobody_in(
    desk: Desk, kid: str | None
) -> None:
    desk.issuer.publish(named(jwk("ES256", "one"), None))
    await desk.show(desk.issuer.token())
    desk.issuer.publish()
    desk.now = 20.0

    await desk.refused(signed(claims(desk.issuer.url), "ES256", "two", {"kid": kid}))


async def test_a_new_key_without_a_name_is_fetched_for_a_token_that_names_one(desk: Desk) -> None:
    desk.issuer.publish(named(jwk("ES256", "one"), None))
    await desk.show(desk.issuer.token())
    desk.issuer.publish(named(jwk("ES256", "two"), None))
    desk.now = 20.0

    assert await desk.show(desk.issuer.token(key="two"))
    assert desk.issuer.fetched == 2


def named(key: dict[str, Any], kid: str | None) -> dict[str, Any]:
    rest = {name: value for name, value in key.items() if name != "kid"}
    return rest | ({"kid": kid} if kid else {})


async def fetched(desk: Desk) -> None:
    """Until what is fetched behind the scenes is here."""
    (remote,) = desk.tokens._sources.values()
    assert remote._flight is not None
    await asyncio.wait_for(asyncio.shield(remote._flight), 20)
