"""Keys that routes write, like ``${principal}-${query.page}``: what tells requests apart."""

from __future__ import annotations

import re
from collections.abc import Collection

from services.registry.definitions.model import Document
from services.registry.definitions.paths import parameter_names
from services.registry.definitions.reading import Place, shown
from services.registry.definitions.values import Text

KEY = Text(longest=1024)

_REFERENCE = re.compile(r"\$\{([^${}]*)\}")
# What stands bare and was meant as one.
_BARE = re.compile(r"principal|body|(?:path|query|headers|body)\.[^\s]+")
# What proves who calls is no key: the principal is.
_SECRET_HEADERS = frozenset(
    {"authorization", "cookie", "proxy-authorization", "x-api-key", "x-authorization"}
)


def check_key(key: str, route: Document, at: Place, *, of_body: bool = False) -> None:
    """Tells references of a key that no request has a value for, and a key without any.

    Args:
        route: Whose key it is, as it was read: values may be of any type.
        of_body: Whether the key is made after the body was read.
    """
    references = _REFERENCE.findall(key)
    path = route.get("path")
    parameters = parameter_names(path) if isinstance(path, str) else ()
    for reference in references:
        _check_reference(reference.strip(), parameters, _declared(route), at, of_body)
    if "${" in _REFERENCE.sub("", key):
        at.fault("has a '${' without its '}'")
    elif key and not references:
        bare = _BARE.fullmatch(key.strip())
        meant = f"${{{bare[0]}}}" if bare else "${principal}, ${path.NAME} or ${query.NAME}"
        at.warn(
            f"names nothing of a call, so all calls are alike to it: write {meant}, or leave it out"
        )


def _declared(route: Document) -> Collection[str] | None:
    """The fields of the query that a route knows; None: any, since it names none."""
    parameters = route.get("queryParameters")
    if not isinstance(parameters, list) or not parameters:
        return None
    names = [each.get("name") for each in parameters if isinstance(each, dict)]
    return [name for name in names if isinstance(name, str)]


def _check_reference(
    reference: str,
    parameters: Collection[str],
    declared: Collection[str] | None,
    at: Place,
    of_body: bool,
) -> None:
    root, dot, name = reference.partition(".")
    match root:
        case "path":
            if name not in parameters:
                at.fault(f"{shown(name)} is no parameter of the path{at.guess(name, parameters)}")
        case "headers" if name.lower() in _SECRET_HEADERS:
            at.fault(f"must not name the header {name}: ${{principal}} is who calls")
        case "query" | "headers" if not name:
            at.fault(f"{shown(reference)} names nothing")
        case "query":
            if declared is not None and name not in declared:
                at.fault(f"{shown(name)} is none of queryParameters{at.guess(name, declared)}")
        case "headers":
            pass
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
