"""URIs as definitions and redirects write them: what to call, and with which credentials."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache
from urllib.parse import quote

from yarl import URL

from services.egress.addresses import ends_in_a_number, literal
from services.egress.failures import CallFailed

_SPACES = "".join(map(chr, range(0x21)))
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NAME = re.compile(r"[A-Za-z0-9_~-]+(\.[A-Za-z0-9_~-]+)*\.?")
# What may stand in a request line; the rest is percent-encoded even in a query left as it stands.
_IN_A_QUERY = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


@lru_cache(256)
def target(uri: str, encode: bool) -> tuple[URL, str | None]:
    """What to call, and the ``Authorization`` that its user name and password ask for.

    Raises:
        CallFailed: It is no absolute http or https URI.
    """
    text = _CONTROL.sub(lambda control: f"%{ord(control[0]):02X}", uri.strip(_SPACES))
    try:
        url = URL(text) if encode else _with_query_as_it_stands(text)
        host, port = url.raw_host, url.port
        user, password = url.user, url.password
    except ValueError as error:
        raise CallFailed(
            f"The URI is not one that can be called: {str(error).rstrip('.')}.", lasting=True
        ) from None
    if url.scheme not in ("http", "https") or not host or not port:
        raise CallFailed(
            "The URI is not one that can be called: it must be http://HOST/… or https.",
            lasting=True,
        )
    if not _is_host(host):
        raise CallFailed(
            "The URI is not one that can be called: "
            f"'{host[:100]}' is neither the name of a host nor an address.",
            lasting=True,
        )
    if user is None and password is None:
        return url, None
    credentials = b64encode(f"{user or ''}:{password or ''}".encode()).decode()
    return url.with_user(None), f"Basic {credentials}"


def _is_host(host: str) -> bool:
    """An address or a name, not what one reads as this and another as that.

    A proxy may decode ``127%2e0.0.1``; what ends in a number is meant for an address (as the URL
    standard of the WHATWG has it).
    """
    if literal(host) is not None:
        return True
    return bool(_NAME.fullmatch(host)) and not ends_in_a_number(host)


def _with_query_as_it_stands(text: str) -> URL:
    head, mark, query = text.partition("#")[0].partition("?")
    url = URL(head)
    return URL(f"{url}{mark}{quote(query, safe=_IN_A_QUERY)}", encoded=True) if mark else url


def parts_sent(uri: str) -> set[str]:
    """What of ``uri`` goes out in a request line: path and query, together and each by itself.

    Nothing where it cannot be called.
    """
    parts: set[str] = set()
    for encode in (True, False):
        try:
            url, _ = target(uri, encode)
        except CallFailed:
            continue
        parts |= {url.raw_path_qs, url.raw_path, url.raw_query_string, *url.query.values()}
    return parts


def redirect_target(url: URL, location: str) -> URL | None:
    """Where a redirect from ``url`` leads; None: to nothing that can be called.

    Credentials in it are dropped: they are nobody's here.
    """
    try:
        reference = _with_query_as_it_stands(_CONTROL.sub("", location.strip(_SPACES)))
        return target(str(url.join(reference)), False)[0]
    except (ValueError, CallFailed):
        return None


def origin_of(url: URL) -> str:
    """``host:port``, for people."""
    return f"{url.host_subcomponent}:{url.port}"
