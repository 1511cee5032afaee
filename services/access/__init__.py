"""Who is calling and what they may do: tokens, applications, and the guard before every RPC."""

from services.access.guard import ON_BEHALF_OF, AccessInterceptor, bearer_token
from services.access.principals import (
    ACCESS,
    Application,
    Authority,
    Grant,
    Principal,
    application_principal,
    current,
    require,
    roles_with,
    tags_of,
)
from services.access.streams import Streams
from services.access.tokens import (
    ISSUER,
    SERVICE_TOKEN_SECONDS,
    USER_AUDIENCE,
    ServiceIdentity,
    Verifier,
)

__all__ = [
    "ACCESS",
    "ISSUER",
    "ON_BEHALF_OF",
    "SERVICE_TOKEN_SECONDS",
    "USER_AUDIENCE",
    "AccessInterceptor",
    "Application",
    "Authority",
    "Grant",
    "Principal",
    "ServiceIdentity",
    "Streams",
    "Verifier",
    "application_principal",
    "bearer_token",
    "current",
    "require",
    "roles_with",
    "tags_of",
]
