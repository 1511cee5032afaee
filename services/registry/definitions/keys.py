"""Keys that routes write, like ``${principal}-${query.page}``: what tells requests apart."""

from __future__ import annotations

import re
from collections.abc import Collection

from services.registry.definitions.reading import Place, shown
from services.registry.definitions.values import Text

KEY = Text(longest=1024)

_REFERENCE = re.compile(r"\$\{([^${}]*)\}")
# What proves who calls is no key: the principal is.
_SECRET_HEADERS = frozenset(
    {"authorization", "cookie", "proxy-authorization", "x-api-key", "x-authorization"}
)


def check_key(key: str, parameters: Collection[str], at: Place, *, of_body: bool = False) -> None:
    """Tells references of a key that no request has a value for.

    Args:
        parameters: The path's.
        of_body: Whether the key is made after the body was read.
    """
    for reference in _REFERENCE.findall(key):
        _check_reference(reference.strip(), parameters, at, of_body)
    if "${" in _REFERENCE.sub("", key):
        at.fault("has a '${' without its '}'")


def _check_reference(reference: str, parameters: Collection[str], at: Place, of_body: bool) -> None:
    root, dot, name = reference.partition(".")
    match root:
        case "path":
            if name not in parameters:
                at.fault(f"{shown(name)} is no parameter of the path{at.guess(name, parameters)}")
        case "headers" if name.lower() in _SECRET_HEADERS:
            at.fault(f"must not name the header {name}: ${{principal}} is who calls")
        case "query" | "headers":
            if not name:
                at.fault(f"{shown(reference)} names nothing")
        case "body" if not of_body:
            at.fault(f"must not name {reference}: calls are counted before the body is read")
        case "body":
            if dot and not all(name.split(".")):
                at.fault(f"{shown(reference)} names nothing")
        case _ if reference != "principal":
            body = ", body, body.FIELD" if of_body else ""
            at.fault(
                f"{shown(reference)} is none of principal, path.NAME, query.NAME, "
                f"headers.NAME{body}"
            )
