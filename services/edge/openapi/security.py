"""How callers prove who they are, in the words of OpenAPI. No IO."""

from __future__ import annotations

from dataclasses import dataclass

from services.edge.auth.model import AuthConfig
from services.edge.openapi.words import Document
from services.edge.routes import Route

_KEYS: Document = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Bearer": {"type": "http", "scheme": "bearer", "description": "The key as a token."},
    "Basic": {"type": "http", "scheme": "basic", "description": "The key as the password."},
}
_TOKEN = "Token"
_METADATA = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Security:
    """What a document is told of an auth.

    Attributes:
        public: Anybody may call.
        issuer: Whose tokens are taken; "" where keys are.
        discovered: The issuer's metadata say the rest.
        scopes: That every token must have.
    """

    public: bool = False
    issuer: str = ""
    discovered: bool = False
    scopes: tuple[str, ...] = ()

    def schemes(self) -> Document:
        """By their names; none where anybody may call."""
        if self.public:
            return {}
        if not self.issuer:
            return _KEYS
        bearer = {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": f"A token of the issuer {self.issuer}.",
        }
        if not self.discovered:
            return {_TOKEN: bearer}
        url = self.issuer.rstrip("/") + _METADATA
        return {_TOKEN: bearer, "OpenId": {"type": "openIdConnect", "openIdConnectUrl": url}}

    def required(self, more: frozenset[str] = frozenset()) -> list[Document]:
        """Any one of them, with the scopes; ``more`` are a route's."""
        scopes = sorted({*self.scopes, *more}) if self.issuer else []
        return [{name: scopes} for name in self.schemes()]

    def put_in_operation(self, operation: Document, route: Route) -> None:
        """Say what ``route`` asks for beside what all do."""
        if self.issuer and route.scopes:
            operation["security"] = self.required(route.scopes)


def security_of(config: AuthConfig) -> Security:
    """What a document is told of ``config``."""
    rules = config.tokens
    if rules is None:
        return Security(config.public)
    discovered = rules.source is not None and rules.source.discovered
    return Security(False, rules.issuer, discovered, tuple(sorted(rules.scopes)))
