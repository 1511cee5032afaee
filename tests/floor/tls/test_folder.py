"""A suite's own certificates: made, renewed, and their authority replaced, step by step."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from services.tls import clients, servers
from services.tls.checking import names_of
from services.tls.files import BadCertificates, Named
from services.tls.folder import ALWAYS, Folder, settings_of
from services.tls.following import Followed

YEAR = timedelta(days=365)
NOW = datetime.now(UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "tls")
    made.make(["podium.internal", "10.0.0.7"], NOW, YEAR)
    return made


def server(folder: Folder) -> Followed:
    told = {name: Path(text) for name, text in settings_of(folder.path).items()}
    files = Named(
        ("PODIUM_TLS_CERT_FILE", told["PODIUM_TLS_CERT_FILE"]),
        ("PODIUM_TLS_KEY_FILE", told["PODIUM_TLS_KEY_FILE"]),
        ("PODIUM_TLS_CLIENT_CA_FILE", told["PODIUM_TLS_CLIENT_CA_FILE"]),
    ).server()
    assert files is not None
    return servers.followed(files)


def authorities(folder: Folder) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates((folder.path / "ca.crt").read_bytes())


def read(folder: Folder, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder.path / name).read_bytes())


def test_what_is_made_can_be_served_and_called_with(folder: Folder) -> None:
    server(folder)
    told = {name: Path(text) for name, text in settings_of(folder.path, "gateway").items()}
    files = Named(
        ("CERT", told["PODIUM_TLS_CLIENT_CERT_FILE"]),
        ("KEY", told["PODIUM_TLS_CLIENT_KEY_FILE"]),
        ("CA", told["PODIUM_TLS_CA_FILE"]),
    ).client()
    assert files is not None
    clients.followed(files)
    assert told["PODIUM_GATEWAY_TLS_CERT_FILE"] == folder.path / "server.crt"
    assert set(names_of(read(folder, "server.crt"))) == {*ALWAYS, "podium.internal", "10.0.0.7"}
    assert names_of(read(folder, "client.crt")) == []


def test_only_its_owner_reads_it(folder: Folder) -> None:
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    for each in folder.path.iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o600


def test_nothing_is_made_over_what_is_there(folder: Folder) -> None:
    with pytest.raises(BadCertificates, match="podium certificates renew"):
        folder.make([], NOW, YEAR)


def test_what_was_half_made_is_made(folder: Folder) -> None:
    key = (folder.path / "ca.key").read_bytes()
    (folder.path / "ca.crt").unlink()
    assert not folder.exists

    folder.make([], NOW, YEAR)

    assert folder.fits
    assert (folder.path / "ca.key").read_bytes() == key


def test_what_was_half_renewed_does_not_fit_until_it_is_renewed(
    folder: Folder, tmp_path: Path
) -> None:
    assert folder.fits
    other = Folder(tmp_path / "other")
    other.make([], NOW, YEAR)
    (other.path / "server.key").replace(folder.path / "server.key")
    assert not folder.fits

    folder.renew([], NOW, YEAR)

    assert folder.fits


def test_renewed_files_are_read_by_those_who_could_before(folder: Folder) -> None:
    key = folder.path / "server.key"
    key.chmod(0o640)
    before = key.read_bytes()
    if os.geteuid() == 0:
        os.chown(key, 10001, 10001)
    owner = key.stat().st_uid, key.stat().st_gid

    folder.renew([], NOW, YEAR)

    after = key.stat()
    assert key.read_bytes() != before
    assert (after.st_uid, after.st_gid) == owner
    assert stat.S_IMODE(after.st_mode) == 0o640


def test_renewed_certificates_keep_their_hosts_and_authority(folder: Folder) -> None:
    before, trusted = read(folder, "server.crt"), authorities(folder)

    folder.renew(["another.internal"], NOW, YEAR)

    assert read(folder, "server.crt") != before
    assert set(names_of(read(folder, "server.crt"))) == {*names_of(before), "another.internal"}
    assert authorities(folder) == trusted
    assert folder.missing(["another.internal", "elsewhere"]) == ["elsewhere"]


def test_an_authority_is_replaced_without_anybody_shut_out(folder: Folder) -> None:
    (old,) = authorities(folder)
    before = read(folder, "server.crt")

    folder.replace_authority(NOW)
    new, kept = authorities(folder)
    assert kept == old
    assert read(folder, "server.crt") == before

    folder.renew([], NOW, YEAR)
    assert authorities(folder) == [new, old]
    read(folder, "server.crt").verify_directly_issued_by(new)
    server(folder)

    folder.renew([], NOW, YEAR)
    assert authorities(folder) == [new]


def test_an_authority_that_is_replaced_twice_still_trusts_what_is_in_use(folder: Folder) -> None:
    (old,) = authorities(folder)
    folder.replace_authority(NOW)
    folder.replace_authority(NOW)
    assert old in authorities(folder)

    folder.renew([], NOW, YEAR)

    assert len(authorities(folder)) == 2
    assert old in authorities(folder)


def test_a_certificate_ends_with_its_authority(folder: Folder) -> None:
    folder.renew([], NOW + timedelta(days=3600), YEAR)

    (authority,) = authorities(folder)
    assert read(folder, "server.crt").not_valid_after_utc == authority.not_valid_after_utc


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("ca.key", "", "ca.key holds no private key"),
        ("ca.crt", "", "ca.crt holds no certificate"),
        ("server.crt", "x", "server.crt holds no certificate"),
    ],
)
def test_a_folder_that_is_not_whole_is_told(
    folder: Folder, name: str, text: str, told: str
) -> None:
    (folder.path / name).write_text(text)

    with pytest.raises(BadCertificates, match=told):
        folder.renew([], NOW, YEAR)


def test_another_s_key_signs_nothing(folder: Folder) -> None:
    (folder.path / "ca.key").write_bytes((folder.path / "client.key").read_bytes())

    with pytest.raises(BadCertificates, match="key of no certificate"):
        folder.renew([], NOW, YEAR)
