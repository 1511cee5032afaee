"""Paths of routes, as the gateway has them."""

from __future__ import annotations


def whole_path(base: str, path: str) -> str:
    """That of a route whose ``path`` is below its service's, ``base``."""
    return "/" + "/".join(part for part in (*base.split("/"), *path.split("/")) if part)
