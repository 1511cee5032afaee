"""``/api/environment``: the variables of the executor's environment that workflows may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podium.common.v1 import sealing_pb2 as pb
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import as_json, as_text, asked
from services.edge.management.page import Page
from services.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from services.edge.management.pages import Management


async def list_all(call: Call, management: Management) -> Answer:
    """GET: 200 with an object of name and value."""
    return as_json(await _variables(call, management))


async def get(call: Call, management: Management, key: str) -> Answer:
    """GET of one: 200 with its value as text."""
    variables = await _variables(call, management)
    if key not in variables:
        raise NotFound(f"No environment variable that workflows may read is named {key}.")
    return as_text(variables[key])


async def refuse(call: Call, management: Management, key: str) -> Answer:
    """PUT and DELETE of one: 400. They are not kept here."""
    asked(call, management)
    raise InvalidRequest(
        "Variables are those of the executor's environment: set them where it is started, and let "
        "workflows read them by PODIUM_WORKFLOW_ENVIRONMENT."
    )


async def _variables(call: Call, management: Management) -> dict[str, str]:
    request = asked(call, management)
    answer = await request.ask(
        request.stubs.variables.ListVariables, pb.ListVariablesRequest(with_values=True)
    )
    return {each.name: each.value for each in answer.variables}


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/api/environment", list_all),
    ("GET", "/api/environment/{key}", get),
    ("PUT", "/api/environment/{key}", refuse),
    ("DELETE", "/api/environment/{key}", refuse),
)
