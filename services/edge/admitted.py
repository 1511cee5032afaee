"""Whether whoever reads an answer that goes on may still have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.edge.auth import authenticate

if TYPE_CHECKING:
    from services.edge.auth.model import Caller
    from services.edge.call import Call
    from services.edge.gateway import Gateway
    from services.edge.routes import Route


def still_admitted(call: Call, gateway: Gateway) -> bool:
    """Whether ``call`` would be let in now: its key opens, and the application may what it asked.

    A link to what anybody may start proves itself, and goes on.
    """
    if call.caller is None:
        return True
    caller = _caller_now(call, gateway, call.caller)
    if caller is None:
        return False
    application = gateway.definitions.replica.application(caller.application_id)
    if application is None or not application.enabled:
        return False
    route = call.route or answered_route(call, gateway)
    if route is None:
        return True
    may = gateway.definitions.may_execute(caller.application_id, route.workflow, route.version)
    return may and route.scopes <= caller.scopes


def _caller_now(call: Call, gateway: Gateway, before: Caller) -> Caller | None:
    config = gateway.definitions.auth(before.auth_id)
    if config is None:
        return None
    now = gateway.now().timestamp()
    prove = authenticate if config.tokens is None else gateway.tokens.known
    caller = prove(config, call.header, now)
    return caller if caller and caller.principal == before.principal else None


def answered_route(call: Call, gateway: Gateway) -> Route | None:
    """The route whose execution is looked at by its own URL; None where there is none any more."""
    service, route = call.answers_for or ("", "")
    stored = gateway.definitions.replica.get("service", service)
    routes = gateway.definitions.routes_of_service(stored) if stored else ()
    return next((each for each in routes if f"{each.method} {each.path}" == route), None)
