"""What was put in is masked in every form in which upstreams give it back."""

from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from unicodedata import normalize
from urllib.parse import quote, quote_plus, urlencode
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import example, given, strategies as st

from services.executor.effects.masking import Mask

SECRET = "q8Zr+LkV2x/Wn~7d==\"<&'é é\\x\t$!*"
LETTERS = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=60)
LONG = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=60)


def mask_of(*secrets: str) -> Mask:
    mask = Mask()
    for each in secrets:
        mask.hide(each)
    return mask


def javascript_escaped(text: str) -> str:
    return json.dumps(text).replace("/", "\\/").replace("<", "\\u003C").replace("&", "\\u0026")


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "json": lambda text: json.dumps(text)[1:-1],
    "json, utf-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json for html": lambda text: javascript_escaped(text)[1:-1],
    "json in json": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "json thrice": lambda text: json.dumps(json.dumps(json.dumps(text)[1:-1])[1:-1])[1:-1],
    "percent": lambda text: quote(text, safe=""),
    "percent, path": quote,
    "percent, lower": lambda text: quote(text, safe="").replace("%2F", "%2f").replace("%3D", "%3d"),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent, every byte": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "form": quote_plus,
    "form, java": lambda text: quote_plus(text, safe="*").replace("~", "%7E"),
    "encodeURI": lambda text: quote(text, safe=";,/?:@&=+$#!~*'()"),
    "encodeURIComponent": lambda text: quote(text, safe="!~*'()"),
    "html": html.escape,
    "html in html": lambda text: html.escape(html.escape(text)),
    "xml": escape,
    "xml attribute": lambda text: quoteattr(text)[1:-1],
    "entities": lambda text: "".join(f"&#{ord(each)};" for each in text),
    "entities, hex": lambda text: "".join(f"&#x{ord(each):X};" for each in text),
    "hex": lambda text: text.encode().hex(),
    "hex, upper": lambda text: text.encode().hex().upper(),
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64, no padding": lambda text: b64encode(text.encode()).decode().rstrip("="),
    "base64, url": lambda text: urlsafe_b64encode(text.encode()).decode(),
    "base64, url, no padding": lambda text: urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64, percent": lambda text: quote(b64encode(text.encode()).decode(), safe=""),
    "percent of json": lambda text: quote(json.dumps(text)[1:-1], safe=""),
    "html of json": lambda text: html.escape(json.dumps(text)[1:-1]),
    "json of upper": lambda text: json.dumps(text.upper())[1:-1],
    "base64 of json": lambda text: b64encode(json.dumps(text)[1:-1].encode()).decode(),
    "hex of percent": lambda text: quote(text, safe="").encode().hex(),
    "percent of form": lambda text: quote(quote_plus(text), safe=""),
    "upper": str.upper,
    "lower": str.lower,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_secret_is_masked(form: str) -> None:
    mask, echo = mask_of(SECRET), FORMS[form](SECRET)

    assert mask.text(f"<{echo}>") == "<***>"
    assert mask.value({echo: [echo]}) == {"***": ["***"]}
    assert mask.found_in(json.dumps([f"before {echo} after"]).encode())


@given(
    LONG,
    st.sampled_from([form for form in FORMS if form not in ("upper", "lower", "json of upper")]),
)
@example("\x01\x01\x01\x01\x01\x01\x01\x01", "json")
@example("0000000&", "html in html")
def test_no_form_of_any_secret_is_left(secret: str, form: str) -> None:
    if secret.strip() == secret:
        echo = FORMS[form](secret)
        assert mask_of(secret).text(f"<{echo}>") == "<***>", echo


@given(st.binary(max_size=9), LONG, st.binary(max_size=9))
def test_within_longer_base64_none_of_its_own_digits_is_left(
    before: bytes, secret: str, after: bytes
) -> None:
    raw = secret.encode()
    mask = mask_of(secret)

    for encode in (b64encode, urlsafe_b64encode):
        text = encode(before + raw + after).decode()
        first = -(-len(before) * 8 // 6)
        inner = text[first : (len(before) + len(raw)) * 8 // 6]
        assert inner not in mask.text(text)


def test_credentials_of_basic_are_masked_at_each_alignment() -> None:
    mask = mask_of("the-s3cret/pass")

    for user in ("a", "ab", "abc", "abcd"):
        basic = b64encode(f"{user}:the-s3cret/pass".encode()).decode()
        assert "***" in mask.text(basic)
        assert len(mask.text(basic)) <= 3 + len(user) * 2 + 3


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        ("a", "banana", "banana"),
        ("abc", "abc", "abc"),
        ("abcd", "xabcdx", "x***x"),
        # Of five characters, three digits of base64 would be theirs alone: every text has them.
        ("abcde", b64encode(b"1abcde1").decode(), b64encode(b"1abcde1").decode()),
        ("abcde", b64encode(b"abcde").decode(), "***"),
        ("abcd", b"abcd".hex(), "***"),
    ],
)
def test_a_short_secret_does_not_turn_everything_into_stars(
    secret: str, text: str, shown: str
) -> None:
    assert mask_of(secret).text(text) == shown


def test_of_a_document_that_is_secret_its_longer_values_are_masked_too() -> None:
    mask = mask_of('{"user": "ann", "keys": [{"private": "a-long-private-key"}]}')

    assert mask.text("ann has a-long-private-key") == "ann has ***"


def test_of_a_secret_of_several_lines_each_is_masked() -> None:
    lines = [f"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC{number:032}" for number in range(30)]
    mask = mask_of("-----BEGIN KEY-----\n" + "\n".join(lines) + "\n-----END KEY-----\n")

    assert mask.text(f"at line 7: {lines[7]}!") == "at line 7: ***!"
    assert lines[3] not in mask.text("\r\n".join(lines))


def test_of_a_long_secret_what_is_cut_off_is_masked() -> None:
    secret = "".join(f"{number:x}" for number in range(10_000))

    shown = mask_of(secret).text(secret[:6000])

    assert len(shown) < 6000 % 512 + 512 + 3
    assert mask_of(secret).text(secret) == "***"


def test_secrets_that_overlap_are_masked_as_one() -> None:
    mask = mask_of("first-half", "half-second", "first-half-second-third")

    assert mask.text("first-half-second") == "***"
    assert mask.text("<first-half-second-third>") == "<***>"
    assert mask.text("first-half first-half") == "*** ***"


@given(st.dictionaries(LETTERS, LETTERS, max_size=3), LETTERS)
def test_forms_that_are_sent_are_masked(fields: dict[str, str], secret: str) -> None:
    if secret.strip() == secret and not any(
        secret in each for pair in fields.items() for each in pair
    ):
        sent = urlencode({**fields, "token": secret})

        assert f"token={quote_plus(secret)}" not in mask_of(secret).text(sent) or "%" not in sent


@pytest.mark.parametrize("hostile", ["\\", "%25", "&amp;", "%", "aaa", "%%%" + "25" * 10_000])
@pytest.mark.parametrize(
    "secret", ["\\\\\\\\\\\\\\\\x", "%%%%%25%25%", "&&&&&&&&&&", '""""""""', "aaa-aaa-"]
)
def test_a_hostile_echo_costs_no_more_than_its_length(secret: str, hostile: str) -> None:
    """It would never end, were what could be read in several ways tried in all of them."""
    echo = hostile * (30_000 // len(hostile)) + "aaa"

    assert len(mask_of(secret).text(echo)) <= len(echo)


@pytest.mark.parametrize("number", ["1.2345678e7", "12345678", "12345678.0", "1234567.8e1"])
def test_a_secret_that_is_a_number_is_masked_however_it_is_written(number: str) -> None:
    document = f'{{"n": [{number}], "m": 1}}'

    masked = mask_of("12345678").found_in(document.encode()).value(json.loads(document))

    assert masked == {"n": ["***"], "m": 1}


def test_a_secret_with_accents_is_masked_in_either_way_to_write_them() -> None:
    composed = "p\u00e4ssw\u00f6rd-1"
    apart = normalize("NFD", composed)

    for each in (composed, apart):
        assert mask_of(each).text(f"<{composed}> <{apart}>") == "<***> <***>"


@pytest.mark.parametrize(
    "sign", ["&", '"', "<", "%", "%2", "\u00f6", "\u00b5", " ", "+", "\\", "\n"]
)
@pytest.mark.parametrize(
    "form", ["html", "html in html", "percent", "percent twice", "form", "json", "entities"]
)
def test_what_begins_like_a_secret_of_many_signs_costs_no_more(sign: str, form: str) -> None:
    """It would never end, were each of them read in two ways: 2**60 of them in all."""
    secret = f"{sign}, " * 60 + "end"
    echo = FORMS[form](secret)

    assert mask_of(secret).text(echo) == "***"
    assert mask_of(secret).text(echo[:-2]) == echo[:-2]


def test_a_document_in_another_charset_is_looked_into() -> None:
    mask = mask_of("the secret value")

    for charset in ("utf-16", "utf-32-le", "cp037", "iso2022_jp"):
        assert mask.found_in('["日本 the secret value"]'.encode(charset, "replace"))
    assert not mask.found_in('["日本 another"]'.encode())
    assert mask.found_in(b'["the \\u0073ecret value"]').value(["the secret value"]) == ["***"]
