"""Files of certificates: what is told of bad ones, and how good ones are followed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

from services.tls import clients, servers
from services.tls.files import MOST_BYTES, BadCertificates, Named
from tests.certificates import DAY, Certificates, authority, certificates


@pytest.fixture
def made(tmp_path: Path) -> Certificates:
    return certificates(tmp_path)


def _without_names(made: Certificates) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    bare = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .sign(key, hashes.SHA256())
    )
    _write(made, "server.crt", bare.public_bytes(serialization.Encoding.PEM))
    _write(made, "server.key", _pem(key, serialization.NoEncryption()))


def _unsound(made: Certificates) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"no ASN.1")
    bad = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(made, "server.crt", bad.public_bytes(serialization.Encoding.PEM))
    _write(made, "server.key", _pem(key, serialization.NoEncryption()))


def _locked(made: Certificates) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    _write(made, "server.key", _pem(key, serialization.BestAvailableEncryption(b"open")))


def _pem(
    key: ec.EllipticCurvePrivateKey, encryption: serialization.KeySerializationEncryption
) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def _write(made: Certificates, name: str, data: bytes) -> None:
    (made.folder / name).write_bytes(data)


def _folder(made: Certificates) -> None:
    (made.folder / "server.crt").unlink()
    (made.folder / "server.crt").mkdir()


def _swap(made: Certificates) -> None:
    chain = (made.folder / "ca.crt").read_bytes() + (made.folder / "server.crt").read_bytes()
    key = made.authority.key
    _write(made, "server.crt", (made.folder / "server.crt").read_bytes() + chain)
    _write(made, "server.key", _pem(key, serialization.NoEncryption()))


def _cut(made: Certificates) -> None:
    data = (made.folder / "server.crt").read_bytes()
    _write(made, "server.crt", data[: len(data) // 2] + b"\n-----END CERTIFICATE-----\n")


BAD: dict[str, tuple[Callable[[Certificates], object], str]] = {
    "no certificate": (
        lambda made: (made.folder / "server.crt").unlink(),
        "THE_CERT_FILE .*server.crt cannot be read: No such file",
    ),
    "no key": (
        lambda made: (made.folder / "server.key").unlink(),
        "THE_KEY_FILE .*server.key cannot be read: No such file",
    ),
    "no authorities": (
        lambda made: (made.folder / "ca.crt").unlink(),
        "THE_CA_FILE .*ca.crt cannot be read: No such file",
    ),
    "a folder": (
        _folder,
        "cannot be read: Is a directory",
    ),
    "empty": (lambda made: _write(made, "server.crt", b""), "holds no certificate in PEM"),
    "DER": (lambda made: _write(made, "server.crt", b"0\x82\x01"), "holds no certificate in PEM"),
    "cut": (_cut, "holds a certificate that cannot be read"),
    "unsound": (_unsound, "THE_CERT_FILE .*server.crt holds a certificate that cannot be read"),
    "too large": (
        lambda made: _write(made, "ca.crt", b"x" * (MOST_BYTES + 1)),
        "larger than 4 MiB",
    ),
    "key empty": (lambda made: _write(made, "server.key", b""), "holds no private key in PEM"),
    "certificate as key": (
        lambda made: _write(made, "server.key", (made.folder / "server.crt").read_bytes()),
        "holds no private key in PEM",
    ),
    "locked": (_locked, "locked by a passphrase.*openssl pkey -in .*server.key"),
    "another's key": (
        lambda made: _write(made, "server.key", (made.folder / "client.key").read_bytes()),
        "server.key is not the key of THE_CERT_FILE .*server.crt",
    ),
    "wrong order": (_swap, "wrong order"),
    "expired": (lambda made: made.put("server", days=1, ago=2), "server.crt expired on .*renew"),
    "not yet": (lambda made: made.put("server", ago=-2), "is not valid before .*clock"),
    "no names": (_without_names, "names no host as subject alternative name"),
    "of a client": (lambda made: made.put("server", ()), "was not made for servers"),
    "authorities empty": (lambda made: _write(made, "ca.crt", b"\n"), "holds no certificate"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_files_are_told_with_the_file_and_what_is_wrong(made: Certificates, what: str) -> None:
    spoil, told = BAD[what]
    spoil(made)

    with pytest.raises(BadCertificates, match=told):
        servers.followed(made.server(mutual=True))


def test_a_caller_is_told_of_its_bad_files_too(made: Certificates) -> None:
    made.put("client", days=1, ago=2)
    with pytest.raises(BadCertificates, match=r"client\.crt expired on"):
        clients.followed(made.client("client"))
    with pytest.raises(BadCertificates, match=r"ca\.crt cannot be read"):
        (made.folder / "ca.crt").unlink()
        clients.followed(made.client())


def test_key_and_certificate_may_be_one_file(made: Certificates) -> None:
    both = (made.folder / "server.key").read_bytes() + (made.folder / "server.crt").read_bytes()
    _write(made, "server.crt", both)
    _write(made, "server.key", both)

    assert servers.followed(made.server()).material.chain == both


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("cert", None, None), "CERT cert is of no use alone: KEY is not set"),
        ((None, "key", None), "KEY key is of no use alone: CERT is not set"),
        ((None, None, "ca"), "CA ca asks clients .*: CERT is not set"),
    ],
)
def test_one_setting_without_another_is_refused(given: tuple[str | None, ...], told: str) -> None:
    certificate, key, ca = (Path(each) if each else None for each in given)

    with pytest.raises(BadCertificates, match=told):
        Named(("CERT", certificate), ("KEY", key), ("CA", ca)).server()


def test_a_caller_with_a_certificate_must_know_whom_it_trusts() -> None:
    named = Named(("CERT", Path("c")), ("KEY", Path("k")), ("CA", None))

    with pytest.raises(BadCertificates, match=r"CA says whom .* is not set"):
        named.client()
    assert Named(("CERT", None), ("KEY", None), ("CA", None)).client() is None


def test_changed_files_are_read_again(made: Certificates) -> None:
    followed = servers.followed(made.server())
    before = followed.material
    assert not followed.look()

    made.put("server")

    assert followed.look()
    assert followed.number == 1
    assert followed.material.chain != before.chain
    assert followed.material.context is not before.context
    assert not followed.look()


def test_a_link_that_is_switched_is_a_change(tmp_path: Path) -> None:
    made = certificates(tmp_path / "1")
    certificates(tmp_path / "2")
    (tmp_path / "now").symlink_to("1")
    linked = Certificates(tmp_path / "now", made.authority)
    followed = servers.followed(linked.server())

    # As Kubernetes does it, and certbot.
    (tmp_path / "next").symlink_to("2")
    (tmp_path / "next").replace(tmp_path / "now")

    assert followed.look()
    assert followed.material.chain == (tmp_path / "2" / "server.crt").read_bytes()


def test_bad_files_leave_the_old_ones_in_use_and_are_told_once(
    made: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    followed = servers.followed(made.server())
    before = followed.material
    _write(made, "server.crt", b"half")

    # It may be that somebody writes just now.
    assert not followed.look()
    assert not caplog.records
    assert not followed.look()
    assert not followed.look()

    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "server.crt holds no certificate" in record.getMessage()
    assert "The certificates of before stay in use." in record.getMessage()
    assert followed.material is before
    made.put("server")
    assert followed.look()


def test_what_is_bad_only_for_now_is_taken_once_it_is_good(made: Certificates) -> None:
    followed = servers.followed(made.server())
    # By an authority whose clock is ahead: it issues ten minutes back.
    made.put("server", ago=-(10 * 60 + 1.5) / 86400)

    assert not followed.look()
    assert not followed.look()

    limit = time.monotonic() + 20
    while not followed.look():
        assert time.monotonic() < limit
        time.sleep(0.1)


def test_files_that_are_old_again_are_no_error(
    made: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    followed = servers.followed(made.server())
    kept = made.folder / "kept"
    (made.folder / "server.crt").rename(kept)
    assert not followed.look()
    kept.rename(made.folder / "server.crt")
    assert not followed.look()
    (made.folder / "server.crt").rename(kept)
    assert not followed.look()
    assert not caplog.records


def test_that_a_certificate_ends_soon_is_said_once_a_day(
    made: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    made.put("server", days=3)

    followed = servers.followed(made.server())
    followed.look()

    (record,) = caplog.records
    assert "server.crt expires on" in record.getMessage()


def test_authorities_that_have_all_expired_are_refused(made: Certificates) -> None:
    from services.tls.authority import new_authority

    made.trust(new_authority("Old", datetime.now(UTC) - 9 * DAY, 3 * DAY))
    with pytest.raises(BadCertificates, match="only authorities that have expired"):
        clients.followed(made.client())

    made.trust(new_authority("Old", datetime.now(UTC) - 9 * DAY, 3 * DAY), authority())
    clients.followed(made.client())
