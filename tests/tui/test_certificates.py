"""`podium certificates` as it is typed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.home import DEFAULT_ADDRESSES, Home
from services.tls.folder import Folder
from tui.cli.main import main
from tui.cli.up_tls import LEAST, certificates_of, dialled, encrypted_in


def typed(*words: str) -> Result:
    return CliRunner().invoke(main, ["certificates", *words])


def test_made_renewed_and_shown(tmp_path: Path) -> None:
    folder = str(tmp_path / "tls")

    made = typed("make", folder, "--host", "podium.internal")
    assert made.exit_code == 0
    assert f"PODIUM_TLS_CERT_FILE={folder}/server.crt\n" in made.stdout
    assert f"PODIUM_MANAGEMENT_TLS_KEY_FILE={folder}/server.key\n" in made.stdout
    again = typed("make", folder)
    assert (again.exit_code, again.stdout) == (1, "")
    assert f"podium certificates renew {folder}" in again.stderr

    assert typed("renew", folder, "--authority").exit_code == 0
    assert typed("renew", folder, "--days", "30").exit_code == 0
    shown = typed("show", folder, "--output", "json")
    assert shown.exit_code == 0
    files = [each["file"] for each in json.loads(shown.stdout)]
    assert files == ["ca.crt", "ca.crt", "server.crt", "client.crt"]
    assert "podium.internal" in typed("show", folder).stdout


def test_what_cannot_be_is_told_in_a_line(tmp_path: Path) -> None:
    for command in ("renew", "show"):
        done = typed(command, str(tmp_path / "none"))
        assert done.exit_code == 1
        assert done.stderr.startswith("podium: The file ")
        assert "ca.crt cannot be read: No such file" in done.stderr
    for host in ("", "a b", "https://x"):
        assert typed("make", str(tmp_path / "tls"), "--host", host).exit_code == 2
    assert not (tmp_path / "tls").exists()
    (tmp_path / "file").touch()
    assert typed("make", str(tmp_path / "file")).exit_code == 2
    assert "cannot be made" in typed("make", str(tmp_path / "file" / "tls")).stderr


ADDRESSES = {name: f"127.0.0.1:{port}" for port, name in enumerate(DEFAULT_ADDRESSES, 7000)}


def test_a_home_makes_its_certificates_once_and_again_for_another_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PODIUM_GATEWAY_TLS_CERT_FILE", raising=False)
    home = Home(tmp_path)

    told = certificates_of(home, ADDRESSES)
    server = Path(told["PODIUM_TLS_CERT_FILE"])
    assert told["PODIUM_GATEWAY_TLS_CERT_FILE"] == str(server)
    before = server.read_bytes()
    certificates_of(home, ADDRESSES)
    assert server.read_bytes() == before
    certificates_of(home, {**ADDRESSES, "gateway": "podium.internal:8443"})
    assert server.read_bytes() != before
    assert Folder(server.parent).missing(["podium.internal", "127.0.0.1"]) == []


def test_a_home_renews_its_certificates_before_they_end(tmp_path: Path) -> None:
    home, folder = Home(tmp_path), Folder(tmp_path / "tls")
    folder.make([], datetime.now(UTC), LEAST - timedelta(days=1))
    before = (folder.path / "client.crt").read_bytes()

    certificates_of(home, ADDRESSES)

    assert (folder.path / "client.crt").read_bytes() != before
    # It is the same authority that callers were given.
    assert len([name for name, _ in folder.certificates() if name == "ca.crt"]) == 1


def test_a_home_mends_what_was_half_renewed(tmp_path: Path) -> None:
    home, folder = Home(tmp_path), Folder(tmp_path / "tls")
    folder.make([], datetime.now(UTC), timedelta(days=365))
    # A renewal that was killed: the key is the next one's.
    (folder.path / "server.key").write_bytes((folder.path / "client.key").read_bytes())

    certificates_of(home, ADDRESSES)

    assert folder.fits


def test_a_gateway_keeps_the_certificate_that_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_GATEWAY_TLS_CERT_FILE", "/etc/letsencrypt/fullchain.pem")

    told = certificates_of(Home(tmp_path), ADDRESSES)

    assert "PODIUM_GATEWAY_TLS_CERT_FILE" not in told
    assert "PODIUM_MANAGEMENT_TLS_CERT_FILE" in told
    assert encrypted_in(told) == {"gateway", "management"}


@pytest.mark.parametrize(
    ("listens", "called"),
    [
        ("0.0.0.0:1", "127.0.0.1:1"),
        ("[::]:1", "[::1]:1"),
        ("127.0.0.1:1", "127.0.0.1:1"),
        ("podium.internal:1", "podium.internal:1"),
    ],
)
def test_who_listens_everywhere_is_called_by_what_certificates_name(
    listens: str, called: str
) -> None:
    assert dialled(listens) == called
