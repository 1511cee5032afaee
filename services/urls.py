"""URLs that are called later: which are taken, and what is wrong with others."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

LONGEST_URL = 2048

_WANTED = "must be an absolute http or https URL"
_NOT_IN_A_URL = re.compile(r"[\s\x00-\x20\x7f<>\"\\^`{|}]")


def url_fault(text: str) -> str:
    """What ``text`` must be to be called, as a fault says it; empty where it can be.

    What is at its address is not asked: who may be called is decided when it is.
    """
    if len(text) > LONGEST_URL:
        return f"must be at most {LONGEST_URL} characters, not {len(text)}"
    if _NOT_IN_A_URL.search(text):
        return _WANTED
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        return _WANTED
    if url.scheme not in ("http", "https") or not host or port == 0:
        return _WANTED
    if "@" in url.netloc:
        return "must have no user name or password in it"
    if "#" in text:
        return "must have no fragment (#…)"
    return ""
