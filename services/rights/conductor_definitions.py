"""What the pages of definitions need, of Conductor's API: the RPCs that they are put into."""

from __future__ import annotations

from collections.abc import Mapping

_GET, _LIST = ("registry.GetDefinition",), ("registry.ListDefinitions",)
_PUT, _DELETE = ("registry.PutDefinitions",), ("registry.DeleteDefinition",)
# Read, changed, and put back if nobody else was quicker.
_CHANGE = (*_GET, *_PUT)
_VARIABLES = ("secrets.ListVariables",)

_METADATA = {
    "POST /api/metadata/workflow": _PUT,
    "POST /api/metadata/workflow/validate": _PUT,
    "PUT /api/metadata/workflow": _PUT,
    "GET /api/metadata/workflow": _LIST,
    "GET /api/metadata/workflow/names": _LIST,
    "GET /api/metadata/workflow/names-and-versions": _LIST,
    "GET /api/metadata/workflow/latest-versions": _LIST,
    "GET /api/metadata/workflow/{name}": _GET,
    "GET /api/metadata/workflow/{name}/versions": _LIST,
    "DELETE /api/metadata/workflow/{name}/{version}": _DELETE,
    "GET /api/metadata/workflow/{name}/rate-limit": _GET,
    "PUT /api/metadata/workflow/{name}/rate-limit": _CHANGE,
    "DELETE /api/metadata/workflow/{name}/rate-limit": _CHANGE,
    "POST /api/metadata/taskdefs": _PUT,
    "PUT /api/metadata/taskdefs": _CHANGE,
    "GET /api/metadata/taskdefs": _LIST,
    "GET /api/metadata/taskdefs/{tasktype}": _GET,
    "DELETE /api/metadata/taskdefs/{tasktype}": _DELETE,
}
_TAGS = {
    f"{method} {path}/tags": _GET if method == "GET" else _CHANGE
    for path in (
        "/api/metadata/workflow/{name}",
        "/api/metadata/task/{taskName}",
        "/api/secrets/{key}",
    )
    for method in ("GET", "POST", "PUT", "DELETE")
}
_SCHEMAS = {
    "POST /api/schema": _PUT,
    "GET /api/schema": _LIST,
    "GET /api/schema/{name}": _GET,
    "GET /api/schema/{name}/{version}": _GET,
    "DELETE /api/schema/{name}": _DELETE,
    "DELETE /api/schema/{name}/{version}": _DELETE,
}
_SECRETS = {
    "GET /api/secrets": _LIST,
    "POST /api/secrets": _LIST,
    "GET /api/secrets/v2": _LIST,
    "GET /api/secrets-v2": _LIST,
    "PUT /api/secrets/{key}": _PUT,
    "GET /api/secrets/{key}": _GET,
    "DELETE /api/secrets/{key}": _DELETE,
    "GET /api/secrets/{key}/exists": _GET,
}
_ENVIRONMENT = {
    "GET /api/environment": _VARIABLES,
    "GET /api/environment/{key}": _VARIABLES,
    # They are refused to everybody.
    "PUT /api/environment/{key}": _VARIABLES,
    "DELETE /api/environment/{key}": _VARIABLES,
}

DEFINITIONS: Mapping[str, tuple[str, ...]] = {
    **_METADATA,
    **_TAGS,
    **_SCHEMAS,
    **_SECRETS,
    **_ENVIRONMENT,
}
