"""`podium certificates` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from tui.cli.main import main


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
