"""What can be put and will not do what its author means, as other definitions show. No IO."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from services.access import Application, tags_of
from services.registry.definitions import Definition, Document, Json, pinned
from services.registry.definitions.reading import shortened
from services.registry.references import Lookup, granted

MayRead = Callable[[str, str, Mapping[str, Json]], bool]
"""Whether who puts may read the definition of that kind, name and document."""


@dataclass(slots=True)
class Adviser:
    """Advises on the definitions of one batch, and finds each thing out once.

    Attributes:
        lookup: What is there once all are put.
        may_read: What may be told.
    """

    lookup: Lookup
    may_read: MayRead
    _read: dict[tuple[str, str], Mapping[str, Json]] = field(default_factory=dict)
    _applications: dict[str, Application | None] = field(default_factory=dict)
    _lacking: dict[tuple[str, str, int | None], bool] = field(default_factory=dict)

    def warnings(self, definition: Definition) -> Iterator[str]:
        """Sentences about a definition without fault, in a batch without fault."""
        if definition.kind == "application":
            yield from self._granted_in_vain(definition.document)
        if definition.kind == "workflow":
            yield from self._started_in_vain(definition)
        if definition.kind != "service":
            return
        auth = self._readable("auth", f"{definition.document.get('authConfigId')}")
        application = self._application(f"{auth.get('applicationId')}")
        has_keys = auth.get("authenticationType") == "API_KEY"
        has_tokens = auth.get("authenticationType") == "JWT"
        for index, route in enumerate(_routes(definition.document)):
            if auth and not has_tokens and route.get("scopes"):
                yield (
                    f"routes[{index}].scopes: nobody can call it: auth "
                    f"'{shortened(str(auth.get('id')))}' takes no tokens, and nothing else has "
                    "scopes"
                )
            if has_keys and route.get("idempotencyOnPublic") is True:
                yield (
                    f"routes[{index}].idempotencyOnPublic: has no effect: auth "
                    f"'{shortened(str(auth.get('id')))}' wants a key, and an Idempotency-Key is "
                    "heeded anyway"
                )
            if application is not None and (lacking := self._grant(route, application)):
                yield f"routes[{index}].mappedWorkflow.name: {lacking}"

    def _started_in_vain(self, workflow: Definition) -> Iterator[str]:
        """What it starts without waiting for it, and nobody has put: that may come later."""
        for reference in workflow.references:
            awaited = reference.required or reference.kind != "workflow"
            if not awaited and self.lookup("workflow", reference.name, reference.version) is None:
                version = "" if reference.version is None else f"version {reference.version} of "
                yield (
                    f"{reference.path}: there is no {version}workflow "
                    f"'{shortened(reference.name)}' yet; until there is, the task fails"
                )

    def _granted_in_vain(self, application: Document) -> Iterator[str]:
        """What is granted on names that nothing has: they may come later, or be mistyped."""
        for reference in granted(application):
            if self.lookup(reference.kind, reference.name, None) is None:
                named = f"{reference.kind} '{shortened(reference.name)}'"
                # Workers may take tasks of a type that has no definition.
                is_task = reference.kind == "task"
                then = "is for workers of that type" if is_task else "waits for one"
                yield f"{reference.path}: there is no {named} yet; the grant {then}"

    def _readable(self, kind: str, name: str) -> Mapping[str, Json]:
        """The document; empty where there is none, or it may not be read."""
        if (kind, name) not in self._read:
            found = self.lookup(kind, name, None)
            told = found is not None and self.may_read(kind, name, found)
            self._read[kind, name] = found if found is not None and told else {}
        return self._read[kind, name]

    def _application(self, name: str) -> Application | None:
        if name not in self._applications:
            document = self._readable("application", name)
            self._applications[name] = Application.from_document(document) if document else None
        return self._applications[name]

    def _grant(self, route: Mapping[str, Json], application: Application) -> str:
        """Which grant ``application`` has not; empty if it has, or that cannot be known."""
        mapped = route.get("mappedWorkflow")
        if not isinstance(mapped, dict):
            return ""
        name, version = str(mapped.get("name")), pinned(mapped.get("version"))
        key = application.id, name, version
        if key not in self._lacking:
            self._lacking[key] = self._lacks(application, name, version)
        if not self._lacking[key]:
            return ""
        return (
            f"application '{shortened(application.id)}' may not EXECUTE workflow "
            f"'{shortened(name)}', so every call gets 403: add to its permissions "
            f"{{target: {{type: workflow, id: {shortened(name)}}}, access: [EXECUTE]}}"
        )

    def _lacks(self, application: Application, name: str, version: int | None) -> bool:
        workflow = self.lookup("workflow", name, version)
        if workflow is None:
            return False
        return not application.allows("EXECUTE", "workflow", name, tags_of(workflow))


def _routes(service: Document) -> list[Document]:
    routes = service.get("routes")
    return [each for each in routes if isinstance(each, dict)] if isinstance(routes, list) else []
