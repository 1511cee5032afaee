"""Why nobody was let in: for whoever tries a route, and never for callers. No IO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.edge.auth import api_key
from services.edge.call import Call
from services.edge.problems import Problem
from services.edge.trial.notes import Notes

if TYPE_CHECKING:
    from services.edge.gateway import Gateway


def reason(problem: Problem, call: Call, gateway: Gateway) -> Notes:
    """What of keys or rights has refused ``call``; nothing where it was something else."""
    route = call.route
    if route is None:
        return {}
    if problem.kind == "unauthenticated":
        config = gateway.definitions.auth(route.auth_id)
        if config is None:
            return {}
        if config.tokens is not None:
            # What has judged the token has noted it.
            return {}
        return {"reason": api_key.refusal(config, call.header, gateway.now().timestamp())}
    if problem.kind == "forbidden" and call.caller is not None:
        return {"reason": _missing(call.caller.application_id, route.workflow, gateway)}
    return {}


def _missing(application_id: str, workflow: str, gateway: Gateway) -> str:
    if gateway.definitions.replica.application(application_id) is None:
        return f"There is no application {application_id!r}."
    return f"The application {application_id!r} has no EXECUTE on the workflow {workflow!r}."
