"""``/api/gateway/config/auth``: how callers of services prove who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.edge.call import Answer, Call
from services.edge.management.configuration.auths import auth_shown, auth_written
from services.edge.management.configuration.exchange import answered, asked, done, of_id

if TYPE_CHECKING:
    from services.edge.management.pages import Management


async def create(call: Call, management: Management) -> Answer:
    """POST: 200 with the new configuration; a key that was generated is in this answer only."""
    request = asked(call, management)
    kept = await request.registry.create(auth_written(await request.document("an auth")))
    return await answered(kept.size, auth_shown, kept)


async def list_all(call: Call, management: Management) -> Answer:
    """GET: 200 with a list of those that the caller may read."""
    every = await asked(call, management).registry.all("auth")
    size = sum(each.size for each in every)
    return await answered(size, lambda: [auth_shown(each) for each in every])


async def get(call: Call, management: Management, auth_id: str) -> Answer:
    """GET of one: 200."""
    kept = await asked(call, management).registry.get("auth", auth_id)
    return await answered(kept.size, auth_shown, kept)


async def replace(call: Call, management: Management, auth_id: str) -> Answer:
    """PUT: 200. Keys that are left out stay, and so does one that comes back behind its mask."""
    request = asked(call, management)
    document = auth_written(of_id(await request.document("an auth"), auth_id))
    kept = await request.registry.change("auth", auth_id, lambda _before: document)
    return await answered(kept.size, auth_shown, kept)


async def delete(call: Call, management: Management, auth_id: str) -> Answer:
    """DELETE: 200; 409 names the services that use it."""
    await asked(call, management).registry.delete("auth", auth_id)
    return done()
