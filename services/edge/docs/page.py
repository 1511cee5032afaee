"""The page of a service as HTML, and what a browser may do with it. No IO."""

from __future__ import annotations

from html import escape

from services.edge.call import Headers

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
HEADERS: Headers = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", "; ".join(_POLICY).encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="{assets}/swagger-ui.css">
<link rel="stylesheet" href="{assets}/index.css">
<link rel="icon" type="image/png" sizes="32x32" href="{assets}/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui" data-document="{document}"></div>
<noscript>This needs JavaScript; the document is <a href="{document}">{document}</a>.</noscript>
<script src="{assets}/swagger-ui-bundle.js"></script>
<script src="{assets}/initializer.js"></script>
</body>
</html>
"""


def page(title: str, document: str, assets: str) -> bytes:
    """The page.

    Args:
        title: Of the service, any text.
        document: The path of its document.
        assets: The path below which the files are.
    """
    return _PAGE.format(
        title=escape(title), document=escape(document), assets=escape(assets)
    ).encode()
