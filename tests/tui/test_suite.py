"""Where a suite is, as a context of the settings says it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from services.home import DEFAULT_ADDRESSES, Home
from tui.settings import Context
from tui.suite import HomeUnusable, find, of_context


def test_a_secret_that_cannot_be_read_is_told_by_its_name_in_the_settings(tmp_path: Path) -> None:
    context = Context("there", home=str(tmp_path), secret_file=str(tmp_path / "none"))

    with pytest.raises(HomeUnusable) as caught:
        of_context(context)

    assert str(caught.value) == (
        f"The secret_file {tmp_path / 'none'} of the context there cannot be read: "
        "No such file or directory."
    )


def test_a_context_says_whom_it_trusts_and_who_it_is(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s")
    context = Context(
        "there", registry="a:1", executor="a:2", edge="a:3", gateway="a:4", key_id="k",
        secret_file=str(secret), ca_file="ca.crt", cert_file="c.crt", key_file="c.key",
        server_name="podium",
    )  # fmt: skip

    suite = of_context(context)

    assert suite.tls is not None
    assert suite.tls.authorities.path == Path("ca.crt")
    assert suite.tls.pair is not None
    assert suite.tls.server_name == "podium"
    assert suite.gateway == "https://a:4"
    with pytest.raises(HomeUnusable, match="The key_file of the context there is not set"):
        of_context(replace(context, key_file=""))


def test_commands_find_the_certificates_of_a_home_or_of_the_environment(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.write_endpoints(
        DEFAULT_ADDRESSES,
        {"supervisor": 1},
        encrypted=("gateway",),
        tls={"caFile": "/x/ca.crt", "certFile": "/x/c.crt", "keyFile": "/x/c.key"},
    )
    home.credentials_path.write_text('{"keyId": "k", "keySecret": "s"}')

    of_home = find(tmp_path, {})
    assert of_home.tls is not None
    assert of_home.tls.authorities.path == Path("/x/ca.crt")
    assert of_home.gateway == "https://127.0.0.1:8080"
    assert of_home.management == "http://127.0.0.1:8081"

    said = find(tmp_path, {"PODIUM_TLS_CA_FILE": "/y/ca.crt"})
    assert said.tls is not None
    assert (said.tls.authorities.path, said.tls.pair) == (Path("/y/ca.crt"), None)
    with pytest.raises(HomeUnusable, match="PODIUM_TLS_CLIENT_KEY_FILE is not set"):
        find(tmp_path, {"PODIUM_TLS_CA_FILE": "a", "PODIUM_TLS_CLIENT_CERT_FILE": "c"})
