"""Which URLs are called later."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from yarl import URL

from services.urls import url_fault


@pytest.mark.parametrize(
    "url",
    [
        "https://partner.example/hooks",
        "HTTPS://partner.example",
        "http://127.0.0.1:8080/a%20b?x=1&y={}".replace("{}", "%7B"),
        "http://[2001:db8::1]:8443/ü",
        "https://müller.example/?q=@",
    ],
)
def test_an_absolute_url_is_taken(url: str) -> None:
    assert url_fault(url) == ""


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "absolute"),
        ("/hooks", "absolute"),
        ("ftp://partner.example/", "absolute"),
        ("javascript:alert(1)", "absolute"),
        ("http://", "absolute"),
        ("http://:80/", "absolute"),
        ("http://h:0/", "absolute"),
        ("http://h:99999/", "absolute"),
        ("http://h:x/", "absolute"),
        ("http://[::1/", "absolute"),
        ("http://h/a b", "absolute"),
        ("http://h/\r\nX: y", "absolute"),
        ("http://h\\@evil.example/", "absolute"),
        ("http://user:word@h/", "user name"),
        ("http://h@evil.example/", "user name"),
        ("http://h/#part", "fragment"),
        ("http://h/" + "x" * 2048, "at most 2048"),
    ],
)
def test_any_other_is_told_what_it_must_be(url: str, says: str) -> None:
    assert says in url_fault(url)


@given(st.from_regex(r"https?://[a-z0-9.@:\[\]\\%#?/ -]{0,30}", fullmatch=True))
def test_what_is_taken_leads_where_it_reads(url: str) -> None:
    if url_fault(url):
        return
    try:
        called = URL(url)
    except ValueError:
        # It is refused once it is called.
        return
    assert called.user is None
    assert called.fragment == ""
    host = url.partition("://")[2].partition("/")[0].partition("?")[0]
    assert (called.raw_host or "") in host
