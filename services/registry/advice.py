"""What can be put and will not do what its author means, as other definitions show. No IO."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from services.access import Application, tags_of
from services.registry.definitions import Definition, Document, Json, pinned
from services.registry.definitions.reading import shortened
from services.registry.references import Lookup


def warnings(definition: Definition, lookup: Lookup) -> Iterator[str]:
    """Sentences about a definition without fault, in a batch without fault."""
    if definition.kind != "service":
        return
    auth = lookup("auth", f"{definition.document.get('authConfigId')}", None) or {}
    stored = lookup("application", f"{auth.get('applicationId')}", None)
    application = Application.from_document(stored) if stored else None
    for index, route in enumerate(_routes(definition.document)):
        if route.get("idempotencyOnPublic") is True and auth.get("authenticationType") == "API_KEY":
            yield (
                f"routes[{index}].idempotencyOnPublic: has no effect: auth "
                f"'{shortened(str(auth.get('id')))}' wants a key, and an Idempotency-Key is heeded "
                "anyway"
            )
        if application is not None and (lacking := _lacking(route, application, lookup)):
            yield f"routes[{index}].mappedWorkflow.name: {lacking}"


def _routes(service: Document) -> list[Document]:
    routes = service.get("routes")
    return [each for each in routes if isinstance(each, dict)] if isinstance(routes, list) else []


def _lacking(route: Mapping[str, Json], application: Application, lookup: Lookup) -> str:
    """Which grant ``application`` has not; empty if it has, or that cannot be known."""
    mapped = route.get("mappedWorkflow")
    if not isinstance(mapped, dict):
        return ""
    name = str(mapped.get("name"))
    workflow = lookup("workflow", name, pinned(mapped.get("version")))
    if workflow is None or application.allows("EXECUTE", "workflow", name, tags_of(workflow)):
        return ""
    return (
        f"application '{shortened(application.id)}' may not EXECUTE workflow '{shortened(name)}', "
        "so every call gets 403: add to its permissions "
        f"{{target: {{type: workflow, id: {shortened(name)}}}, access: [EXECUTE]}}"
    )
