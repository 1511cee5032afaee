"""Who is calling and what they may do: tokens, applications, and the guard before every RPC."""

from services.access.cluster import ClusterKeys, Keys
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
from services.access.reach import Reach, reach
from services.access.sight import EVERY, Sight, could_see, sight_of
from services.access.streams import Streams, keep_checking
from services.access.tokens import (
    ISSUER,
    SERVICE_TOKEN_SECONDS,
    USER_AUDIENCE,
    ServiceIdentity,
    Verifier,
)

__all__ = [
    "ACCESS",
    "EVERY",
    "ISSUER",
    "ON_BEHALF_OF",
    "SERVICE_TOKEN_SECONDS",
    "USER_AUDIENCE",
    "AccessInterceptor",
    "Application",
    "Authority",
    "ClusterKeys",
    "Grant",
    "Keys",
    "Principal",
    "Reach",
    "ServiceIdentity",
    "Sight",
    "Streams",
    "Verifier",
    "application_principal",
    "bearer_token",
    "could_see",
    "current",
    "keep_checking",
    "reach",
    "require",
    "roles_with",
    "sight_of",
    "tags_of",
]
