"""Secrets go in at the last moment, where the definition says so, and never come out again."""

from __future__ import annotations

import json
from base64 import b64decode
from urllib.parse import parse_qsl, quote_plus, unquote

import pytest
from hypothesis import example, given, strategies as st

from services.egress.uris import target
from services.executor.core.expressions import as_text
from services.executor.core.model import Json
from services.executor.core.references import escaped, written
from services.executor.effects.effect import HandOff
from services.executor.effects.handoff import Filling, NotHandedOver
from services.executor.effects.masking import Mask
from tests.executor.core.simulator import Simulator, http, workflow
from tests.executor.effects.performing import (
    CALLBACK,
    CALLBACK_TOKEN,
    HANDOFF,
    NAMES,
    SECRETS,
    Perform,
    answered,
    failed,
)
from tests.executor.effects.upstream import Asked, Upstream, plain

TOKEN = SECRETS["TOKEN"]


def filled(text: str) -> str:
    return Filling(NAMES, HANDOFF, Mask()).text(text)


@pytest.mark.parametrize(
    ("text", "put_in"),
    [
        ("Bearer ${workflow.secrets.TOKEN}", f"Bearer {TOKEN}"),
        ("${workflow.secrets.TOKEN}${workflow.secrets.TOKEN}", TOKEN + TOKEN),
        ("${workflow.secrets.PAIR.user}", "ann"),
        ("${workflow.secrets.PAIR.password}", 'pa"ss wörd'),
        ("${workflow.secrets.PAIR.pin}", "123456"),
        ("${workflow.secrets.PAIR['pin']}", "123456"),
        ("${workflow.secrets.PAIR}", SECRETS["PAIR"]),
        ("${task.callbackUrl}?x=1", f"{CALLBACK}?x=1"),
        ("$${workflow.secrets.TOKEN}", "${workflow.secrets.TOKEN}"),
        ("$$${workflow.secrets.TOKEN}", f"${TOKEN}"),
        ("$$$${workflow.secrets.TOKEN}", "$${workflow.secrets.TOKEN}"),
        ("${${workflow.secrets.TOKEN}}", f"${{{TOKEN}}}"),
        ("$${task.callbackUrl}", "${task.callbackUrl}"),
        ("${workflow.secrets.NESTING}", "${workflow.secrets.TOKEN}"),
        ("$${workflow.secrets.", "${workflow.secrets."),
        ("${workflow.secrets.NOT_NAMED}", "${workflow.secrets.NOT_NAMED}"),
        ("${workflow.input.x} $${other} ${", "${workflow.input.x} $${other} ${"),
        ("nothing here", "nothing here"),
    ],
)
def test_a_reference_is_replaced_once_and_nothing_else(text: str, put_in: str) -> None:
    assert filled(text) == put_in


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${workflow.secrets.NOPE}", "There is no secret 'NOPE', or it has no value."),
        ("${workflow.secrets.PAIR.nope}", "The secret 'PAIR' has no field 'nope'."),
        ("${workflow.secrets.PAIR.user.x}", "The secret 'PAIR' has no field 'user.x'."),
        ("${workflow.secrets.PAIR[0]}", "The secret 'PAIR' has no field '[0]'."),
        ("${workflow.secrets.TOKEN.x}", "The secret 'TOKEN' is no JSON, so it has no field 'x'."),
    ],
)
def test_what_does_not_exist_is_named_without_any_value(text: str, said: str) -> None:
    with pytest.raises(NotHandedOver) as caught:
        filled(text)

    assert str(caught.value) == said


@given(st.text(min_size=4), st.text(), st.text())
def test_no_text_shows_what_was_hidden(secret: str, before: str, after: str) -> None:
    mask = Mask()
    mask.hide(secret)

    assert mask.text(before + secret + after).count(secret) <= "***".count(secret)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=4))
def test_an_escaped_echo_is_hidden_too(secret: str) -> None:
    mask = Mask()
    mask.hide(secret)

    for echo in (json.dumps(secret)[1:-1], quote_plus(secret)):
        assert mask.text(f"<{echo}>") == "<***>"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=4), st.booleans())
@example("q8Zr+LkV2xWn/7d==", True)
@example("p@ss w&rd!", False)
@example("50%25off!key", True)
def test_a_server_reads_the_secret_in_a_uri_and_none_of_its_echoes_shows_it(
    secret: str, encode: bool
) -> None:
    mask = Mask()
    filling = Filling(NAMES, HandOff("e", "t", lambda _: secret, lambda: CALLBACK), mask)
    reference = "${workflow.secrets.TOKEN}"
    filled_in = filling.uri(f"http://ann:{reference}@h.example/x/{reference}/y?token={reference}")

    url, basic = target(filled_in, encode)

    segment, (_, _, field) = url.raw_path.split("/")[2], url.raw_query_string.partition("=")
    read = [unquote(segment), dict(parse_qsl(url.raw_query_string))["token"]]
    assert read == [secret, secret]
    assert b64decode((basic or "").removeprefix("Basic ")).decode() == f"ann:{secret}"
    assert [mask.text(echo) for echo in (segment, field, *read)] == ["***"] * 4


def test_a_value_that_a_server_decodes_is_hidden_as_it_reads_it() -> None:
    mask = Mask()
    mask.hide("50%25off+key")

    assert mask.text("50%off+key, 50%off key") == "***, ***"


HOOK = "http://h.example/services/T0/B-0?sig=a%2Bb%3D%3Dmuch-longer&wait=json"


@pytest.mark.parametrize(
    ("uri", "secret", "sent"),
    [
        ("${workflow.secrets.TOKEN}", HOOK, HOOK),
        ("${workflow.secrets.TOKEN}&x=$${workflow.secrets.", HOOK, HOOK + "&x=${workflow.secrets."),
        ("${workflow.secrets.TOKEN}/x", "http://h.example/base", "http://h.example/base/x"),
        ("https://${workflow.secrets.TOKEN}/x", "h.example:81", "https://h.example:81/x"),
        ("http://${workflow.secrets.TOKEN}@h/", "ann:a/b", "http://ann:a%2Fb@h/"),
        ("http://h/${workflow.secrets.TOKEN}@h/", "a:b/c", "http://h/a%3Ab%2Fc@h/"),
        ("http://h/?${workflow.secrets.OTHER}", "a", "http://h/?${workflow.secrets.OTHER}"),
    ],
)
def test_what_is_uri_already_is_put_in_as_it_is(uri: str, secret: str, sent: str) -> None:
    handoff = HandOff("e", "t", lambda _: secret, lambda: CALLBACK)

    assert Filling(NAMES, handoff, Mask()).uri(uri) == sent


def test_of_a_uri_that_is_secret_no_telling_part_is_shown() -> None:
    mask = Mask()
    Filling(NAMES, HandOff("e", "t", lambda _: HOOK, lambda: CALLBACK), mask).uri(
        "${workflow.secrets.TOKEN}"
    )

    assert mask.text("/services/T0/B-0") == "***"
    assert mask.text("a+b==much-longer") == "***"
    assert mask.text(target(HOOK, True)[0].raw_path_qs) == "***"
    assert mask.text("application/json") == "application/json"


def test_of_a_base_that_is_secret_what_follows_its_host_is_no_secret() -> None:
    mask = Mask()
    base = "http://h.example/jobs/of/today"
    Filling(NAMES, HandOff("e", "t", lambda _: base, lambda: CALLBACK), mask).uri(
        "${workflow.secrets.TOKEN}/1"
    )

    assert mask.text(f"{base}/1 /jobs/of/today/1") == "***/1 /jobs/of/today/1"


def test_a_value_is_masked_in_strings_keys_and_numbers_at_any_depth() -> None:
    mask = Mask()
    mask.hide("123456")
    deep: list[object] = ["a 123456"]
    for _ in range(400):
        deep = [deep]

    assert mask.value({"k123456": [123456, -1234567, 1.5, True, None, "x"]}) == {
        "k***": ["***", "***", 1.5, True, None, "x"]
    }
    assert "123456" not in json.dumps(mask.value(deep))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "echo",
    [
        b'["a longer value"]',
        b'["a\\u0020longer value"]',
        b'["a%20longer+value", "a+longer+value"]',
        '["a longer value"]'.encode("utf-16"),
        '["é a longer value"]'.encode(),
    ],
)
def test_no_spelling_of_a_hidden_value_is_overlooked(echo: bytes) -> None:
    mask = Mask()
    mask.hide("a longer value")

    assert mask.found_in(echo)
    assert not mask.found_in(b'["another text"]')
    assert not Mask().found_in(echo)


def test_what_is_shorter_than_four_characters_is_not_looked_for() -> None:
    mask = Mask()
    mask.hide("a")

    assert mask.text("banana") == "banana"


async def test_secrets_reach_the_server_and_their_echo_reaches_nobody(
    perform: Perform, server: Upstream
) -> None:
    async def echo(asked: Asked, _: object, writer: object) -> None:
        asked_for = {"url": asked.target, "args": parse_qsl(asked.target.partition("?")[2])}
        text = json.dumps(
            {TOKEN: asked.headers, "body": asked.body.decode(), "pin": 123456, **asked_for}
        )
        more = f"x-echo: {asked.headers['authorization']}\r\n"
        writer.write(plain(text.encode(), more=more))  # type: ignore[attr-defined]

    server.answers["/in"] = echo
    outcome = answered(
        await perform(
            server.url + "/in?t=${workflow.secrets.TOKEN}",
            "POST",
            headers={"Authorization": "Bearer ${workflow.secrets.TOKEN}"},
            body={
                "callback": ["${task.callbackUrl}"],
                "password": "${workflow.secrets.PAIR.password}",
                "pin": "${workflow.secrets.PAIR.pin}",
            },
        )
    )

    asked = server.asked[0]
    assert parse_qsl(asked.target.partition("?")[2]) == [("t", TOKEN)]
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert json.loads(asked.body)["callback"] == [CALLBACK]
    assert json.loads(asked.body)["password"] == 'pa"ss wörd'
    shown = repr(outcome) + json.dumps(outcome.body)
    for hidden in (TOKEN, "s3cr3t", CALLBACK_TOKEN, 'pa"ss', "wörd", "123456"):
        assert hidden not in shown
    assert outcome.headers["x-echo"] == ["Bearer ***"]


async def test_a_form_is_filled_before_it_is_escaped(perform: Perform, server: Upstream) -> None:
    await perform(
        server.url,
        "POST",
        body={"t": "${workflow.secrets.TOKEN}", "$${task.callbackUrl}": "$${task.callbackUrl}"},
        content_type="application/x-www-form-urlencoded",
    )

    assert server.asked[0].body == (
        b"t=s3cr3t%2Fva%2Blue&%24%7Btask.callbackUrl%7D=%24%7Btask.callbackUrl%7D"
    )


async def test_a_reason_does_not_show_a_secret(perform: Perform) -> None:
    outcome = failed(await perform("http://${workflow.secrets.PAIR.pin}.invalid/"))

    assert "'***.invalid'" in outcome.reason


async def test_a_missing_secret_fails_the_call_before_it_is_made(
    perform: Perform, server: Upstream
) -> None:
    outcome = failed(await perform(server.url, headers={"X": "${workflow.secrets.NOPE}"}))

    assert outcome.reason == "There is no secret 'NOPE', or it has no value."
    assert (outcome.unknown, outcome.transient, server.connections) == (False, False, 0)


async def test_a_secret_cannot_bring_a_header_of_its_own(
    perform: Perform, server: Upstream
) -> None:
    outcome = failed(await perform(server.url, headers={"X": "${workflow.secrets.BROKEN}"}))

    assert outcome.reason == (
        "The value of the header 'X' has a line break or another control character in it."
    )
    assert (outcome.unknown, outcome.transient, server.connections) == (False, False, 0)


def test_without_a_reference_nothing_is_asked_for() -> None:
    def nobody(*_: str) -> str:
        raise AssertionError

    handoff = HandOff("e", "t", nobody, nobody)

    for names in (frozenset[str](), NAMES):
        filling = Filling(names, handoff, Mask())
        assert filling.value({"a": ["${b}", 1]}) == {"a": ["${b}", 1]}


# What a caller, or a remote, writes to have a secret put in, in pieces of every size.
SCRAPS = ("$", "$$", "{", "${", "$${", "}", "workflow.", "secrets.TOKEN", "workflow.secrets.TOKEN}",
          "{workflow.secrets.TOKEN}", "${workflow.secrets.TOKEN}", "${task.callbackUrl}", "task.",
          "callbackUrl", "${ workflow.secrets.TOKEN}", "x", " ", "'", '"', "\\")  # fmt: skip
SAID = st.lists(st.sampled_from(SCRAPS), max_size=5).map("".join)
SENT = st.recursive(
    SAID | st.none() | st.booleans() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SAID, inner, max_size=3),
    max_leaves=6,
)
# Pieces of a definition's text: what it says itself, names of inputs, and references.
PIECES = st.lists(
    st.sampled_from(("", "$${", "{", "}", ": ", "workflow.secrets.TOKEN}"))
    | st.sampled_from("abc").map(lambda name: f"${{workflow.input.{name}}}")
    | st.sampled_from((written("workflow.secrets.TOKEN"), written("task.callbackUrl"))),
    max_size=5,
)


def told(pieces: list[str], sent: dict[str, Json]) -> Json:
    """What a definition's text says: its inputs and secrets where it names them, and no others."""
    values: dict[str, Json] = {f"${{workflow.input.{name}}}": item for name, item in sent.items()}
    values |= {written("workflow.secrets.TOKEN"): TOKEN, written("task.callbackUrl"): CALLBACK}
    values |= {"$${": "${"}
    said = [values.get(piece, piece) for piece in pieces if piece]
    return said[0] if len(said) == 1 else "".join(map(as_text, said))


@given(SAID | SENT)
def test_data_that_reads_like_a_reference_is_sent_as_it_is(data: Json) -> None:
    """Whatever a caller writes, no secret is put into it."""
    assert Filling(NAMES, HANDOFF, Mask()).value(escaped(data)) == data


@given(st.fixed_dictionaries({"a": SENT, "b": SENT, "c": SENT}), PIECES, PIECES, SAID)
@example(
    {"a": "$", "b": "$$", "c": ""},
    ["${workflow.input.a}", written("workflow.secrets.TOKEN")],
    ["${workflow.input.b}", written("task.callbackUrl"), "${workflow.input.b}"],
    "$$${workflow.secrets.TOKEN}",
)
def test_a_request_holds_what_its_definition_names_and_data_as_it_came(
    sent: dict[str, Json], one: list[str], other: list[str], key: str
) -> None:
    body: Json = {key: "".join(one), "list": ["".join(other)], "constant": {key: 1}}
    headers: Json = {
        "Authorization": f"Bearer {written('workflow.secrets.TOKEN')}",
        "X-Said": "${workflow.input.a}",
        "X-All": "all: ${workflow.input}",
    }
    flow = workflow(http("t", {"headers": headers, "body": body}))
    asked = Simulator(flow, sent).begin().request("t")
    filling = Filling(asked.handoff, HANDOFF, Mask())

    expected = {key: told(one, sent), "list": [told(other, sent)], "constant": {key: 1}}
    assert filling.value(asked.body) == expected
    assert filling.text(asked.headers["Authorization"]) == f"Bearer {TOKEN}"
    assert filling.text(asked.headers["X-All"]) == f"all: {as_text(sent)}"
    if isinstance(sent["a"], str | list | dict):
        assert filling.text(asked.headers["X-Said"]) == as_text(sent["a"])


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("${workflow.input.a}${workflow.input.b}", {"a": "$", "b": "{workflow.secrets.TOKEN}"}),
        ("${workflow.input.a}${workflow.input.b}", {"a": "${", "b": "workflow.secrets.TOKEN}"}),
        ("${workflow.input.a}{workflow.secrets.TOKEN}", {"a": "$"}),
        ("all: ${workflow.input}", {"${workflow.secrets.TOKEN}": 1}),
        ("${workflow.input}", {"${workflow.secrets.TOKEN}": [{"${task.callbackUrl}": 1}]}),
    ],
)
def test_a_caller_cannot_have_a_secret_put_in(text: str, sent: dict[str, Json]) -> None:
    headers: Json = {"Authorization": written("workflow.secrets.TOKEN")}
    flow = workflow(http("t", {"headers": headers, "body": text}))
    asked = Simulator(flow, sent).begin().request("t")

    assert TOKEN not in json.dumps(Filling(asked.handoff, HANDOFF, Mask()).value(asked.body))


def test_a_long_row_of_dollars_is_looked_at_once() -> None:
    row = "$" * 1_000_000

    assert filled(f"{row}${{") == f"{row}${{"
    assert escaped(row + "${") == row + "${"


async def test_a_request_that_names_nothing_is_sent_as_it_is(
    perform: Perform, server: Upstream
) -> None:
    text = "${workflow.secrets.TOKEN} $${task.callbackUrl}"

    await perform(server.url, "POST", headers={"X": text}, body=[text], handoff=frozenset())

    assert server.asked[0].headers["x"] == text
    assert json.loads(server.asked[0].body) == [text]


async def test_documents_as_deep_as_any_are_filled_and_masked(
    perform: Perform, server: Upstream
) -> None:
    """They nest 512 deep, on top of the frames of whatever performs the call."""
    deep: object = "${workflow.secrets.TOKEN}"
    for _ in range(505):
        deep = {"x": deep}

    async def echo(asked: Asked, _: object, writer: object) -> None:
        writer.write(plain(asked.body, more="content-type: application/json\r\n"))  # type: ignore[attr-defined]

    server.answers["/deep"] = echo
    outcome = answered(await perform(server.url + "/deep", "POST", body=deep))

    inner = outcome.body
    while isinstance(inner, dict):
        inner = inner["x"]
    assert TOKEN.encode() in server.asked[0].body
    assert inner == "***"


def test_a_spelling_in_lower_case_is_hidden_too() -> None:
    mask = Mask()
    mask.hide("Ab/c+D?e")

    for echo in ("ab/c+d?e", "Ab%2fc%2bD%3fe", "ab%2fc%2bd%3fe", "ab%2Fc%2Bd%3Fe"):
        assert mask.text(f"<{echo}>") == "<***>"
