"""What the edge serves by: routes, auth configurations and rights, always as they are now.

They come from its own copy of the registry's definitions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING

from services.access import tags_of
from services.edge.auth.model import AuthConfig, read_config
from services.edge.cors import Cors
from services.edge.routes import Route, RouteTable, routes_of
from services.edge.schemas import SchemaUse

if TYPE_CHECKING:
    from services.replica import Removed, Replica, Stored


class Definitions:
    """The tables that requests are served by.

    A change only marks them; the next who asks builds the new one. What a request holds stays as
    it is.
    """

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self._table: RouteTable | None = None
        self._routes: dict[str, tuple[Route, ...]] = {}
        self._auths: dict[str, AuthConfig] = {}
        self._rights: dict[tuple[str, str, int], bool] = {}
        self._schemas: dict[SchemaUse, str] = {}
        self._scopes: dict[tuple[str, ...], tuple[Route, bytes]] = {}
        self.forget = replica.subscribe(self._changed)

    def _changed(self, change: Stored | Removed | None) -> None:
        kind = change.kind if change else ""
        if kind in ("service", ""):
            self._table = None
            if change is None:
                self._routes.clear()
            else:
                self._routes.pop(change.name, None)
        if kind in ("auth", ""):
            self._auths.clear()
        if kind in ("application", "workflow", ""):
            self._rights.clear()
        if kind in ("schema", ""):
            self._schemas.clear()
        self._scopes.clear()

    @property
    def revision(self) -> int:
        """That of the definitions which a request is served by now."""
        return self.replica.revision

    @property
    def routes(self) -> RouteTable:
        """All routes of all services."""
        if self._table is None:
            self._table = RouteTable(self._all_routes())
        return self._table

    def services(self) -> Iterable[Route]:
        """One route of each service that has any, for what all of them share."""
        every = map(self.routes_of_service, self.replica.all("service"))
        return (routes[0] for routes in every if routes)

    def cors_of(self, service_id: str) -> Cors | None:
        """Which pages of other origins may call that service."""
        stored = self.replica.get("service", service_id)
        routes = self.routes_of_service(stored) if stored else ()
        return routes[0].cors if routes else None

    def _all_routes(self) -> Iterable[Route]:
        for stored in self.replica.all("service"):
            yield from self.routes_of_service(stored)

    def routes_of_service(self, service: Stored) -> tuple[Route, ...]:
        """Its routes, in order; those of a service that has not changed are not read again."""
        known = self._routes.get(service.name)
        if known is None:
            known = self._routes[service.name] = routes_of(service.document)
        return known

    def auth(self, auth_id: str) -> AuthConfig | None:
        """The auth configuration of that id."""
        config = self._auths.get(auth_id)
        if config is None and (stored := self.replica.get("auth", auth_id)) is not None:
            config = self._auths[auth_id] = read_config(stored.document)
        return config

    def auths(self) -> Iterable[AuthConfig]:
        """All auth configurations."""
        for stored in self.replica.all("auth"):
            if (config := self.auth(stored.name)) is not None:
                yield config

    def schema(self, use: SchemaUse) -> str | None:
        """JSON text of the schema that a route names; None: it has not come yet."""
        if use.text:
            return use.text
        known = self._schemas.get(use)
        if known is None and (stored := self.replica.get("schema", use.name, use.version)):
            known = self._schemas[use] = json.dumps(stored.document["data"], ensure_ascii=False)
        return known

    def cache_scope(self, route: Route) -> bytes | None:
        """A digest of all definitions that make the answers of ``route``.

        None: it is no longer what is defined, or something of it has not come yet.
        """
        asked = (route.service_id, route.method, route.path)
        known = self._scopes.get(asked)
        if known is None or known[0] is not route:
            scope = self._cache_scope(route)
            if scope is None:
                return None
            known = self._scopes[asked] = route, scope
        return known[1]

    def _cache_scope(self, route: Route) -> bytes | None:
        service = self.replica.get("service", route.service_id)
        if service is None or all(each is not route for each in self.routes_of_service(service)):
            return None
        uses = [use for use in (route.input_schema, route.output_schema) if use and use.name]
        makers = [
            service,
            self.replica.get("workflow", route.workflow, route.version),
            *(self.replica.get("schema", use.name, use.version) for use in uses),
        ]
        made = blake2b(f"{route.method}\n{route.path}".encode(), digest_size=16)
        for maker in makers:
            if maker is None:
                return None
            made.update(f"\n{maker.kind}\n{maker.name}\n{maker.version}\n{maker.etag}".encode())
        return made.digest()

    def may_execute(self, application_id: str, workflow: str, version: int) -> bool:
        """Whether the application has EXECUTE on the workflow, by name or by tag."""
        asked = (application_id, workflow, version)
        known = self._rights.get(asked)
        if known is None:
            known = self._rights[asked] = self._may_execute(*asked)
        return known

    def _may_execute(self, application_id: str, workflow: str, version: int) -> bool:
        application = self.replica.application(application_id)
        if application is None:
            return False
        stored = self.replica.get("workflow", workflow, version)
        tags = tags_of(stored.document) if stored else frozenset[str]()
        return application.allows("EXECUTE", "workflow", workflow, tags)
