"""What is in the files of certificates: checked as who is shown them would check it.

What is wrong is told when a service starts, not when its first caller is refused.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, ObjectIdentifier

from services.tls.files import BadCertificates, ClientFiles, File, Pair, ServerFiles

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_UNSOUND = (x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType)
_PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "servers",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clients",
}


@dataclass(frozen=True, slots=True)
class Material:
    """What a listener or a caller has, read and checked.

    Attributes:
        chain: PEM; the first is its own. Empty: a caller that shows none; so is ``key``.
        authorities: PEM; of clients, for a listener. Empty: it asks for none.
        context: The same for asyncio; new for each reading, so that no session of an earlier one
            is resumed, whose certificate might be refused by now.
        ends_at: Of its own certificate; None: there is none.
    """

    chain: bytes
    key: bytes
    authorities: bytes
    context: ssl.SSLContext
    ends_at: datetime | None


def server_material(files: ServerFiles) -> Material:
    """What a listener is served with.

    Raises:
        BadCertificates: It could not be, or no client would have it.
    """
    chain, key, leaf = _pair(files.pair, ExtendedKeyUsageOID.SERVER_AUTH)
    _check_names(files.pair.certificate, leaf)
    authorities = _authorities(files.clients) if files.clients else b""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    _load(context, files.pair)
    if files.clients:
        _trust(context, files.clients, authorities)
        context.verify_mode = ssl.CERT_REQUIRED
    return _settled(
        files.all(),
        (chain, key, authorities),
        Material(chain, key, authorities, context, leaf.not_valid_after_utc),
    )


def client_material(files: ClientFiles) -> Material:
    """What a caller calls with.

    Raises:
        BadCertificates: It could not, or no server would have it.
    """
    authorities, chain, key, ends_at = _authorities(files.authorities), b"", b"", None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _trust(context, files.authorities, authorities)
    if files.pair:
        chain, key, leaf = _pair(files.pair, ExtendedKeyUsageOID.CLIENT_AUTH)
        ends_at = leaf.not_valid_after_utc
        _load(context, files.pair)
    return _settled(
        files.all(), (authorities, chain, key), Material(chain, key, authorities, context, ends_at)
    )


def _settled(files: Sequence[File], seen: Sequence[bytes], material: Material) -> Material:
    # OpenSSL reads the files itself: it must have found what was checked.
    if sorted(file.read() for file in files) != sorted(data for data in seen if data):
        raise BadCertificates(f"{files[0]} is being written just now.")
    return material


def _pair(files: Pair, purpose: ObjectIdentifier) -> tuple[bytes, bytes, x509.Certificate]:
    chain, key = files.certificate.read(), files.key.read()
    certificates = certificates_in(files.certificate, chain)
    leaf = certificates[0]
    _check_sound(files.certificate, leaf)
    _check_key(files, key, certificates)
    _check_time(files.certificate, leaf)
    _check_purpose(files.certificate, leaf, purpose)
    return chain, key, leaf


def certificates_in(file: File, data: bytes) -> list[x509.Certificate]:
    """All certificates of a PEM file, in their order. Raises :class:`BadCertificates`."""
    if _BEGIN not in data:
        raise BadCertificates(
            f"{file} holds no certificate in PEM, which begins with {_BEGIN.decode()}."
        )
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise BadCertificates(f"{file} holds a certificate that cannot be read.") from error


def _check_sound(file: File, certificate: x509.Certificate) -> None:
    # They are read one by one, and only when they are asked for.
    try:
        certificate.public_key()
        names_of(certificate)
    except (ValueError, UnsupportedAlgorithm, *_UNSOUND) as error:
        raise BadCertificates(
            f"{file} holds a certificate that cannot be read: {error}."
        ) from error


def _check_key(files: Pair, data: bytes, certificates: Sequence[x509.Certificate]) -> None:
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except TypeError as error:
        raise BadCertificates(
            f"{files.key} is locked by a passphrase, which nobody is there to type: "
            f"openssl pkey -in {files.key.path} -out FILE writes it without."
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadCertificates(f"{files.key} holds no private key in PEM.") from error
    own = _public(key.public_key())
    if own == _public(certificates[0].public_key()):
        return
    if any(own == _public(each.public_key()) for each in certificates[1:]):
        raise BadCertificates(
            f"{files.certificate} has its certificates in the wrong order: that of the key comes "
            "first, then who signed it."
        )
    raise BadCertificates(
        f"{files.key} is not the key of {files.certificate}: they must be made together."
    )


def _public(key: object) -> bytes:
    told: bytes = key.public_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return told


def _check_time(file: File, certificate: x509.Certificate) -> None:
    now = datetime.now(UTC)
    if certificate.not_valid_after_utc < now:
        raise BadCertificates(
            f"{file} expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC: renew it."
        )
    if certificate.not_valid_before_utc > now:
        raise BadCertificates(
            f"{file} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC: "
            "is this machine's clock right?"
        )


def _check_purpose(file: File, certificate: x509.Certificate, wanted: ObjectIdentifier) -> None:
    try:
        usage = certificate.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE).value
    except x509.ExtensionNotFound:
        return
    if isinstance(usage, x509.ExtendedKeyUsage) and not (
        {wanted, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(usage)
    ):
        raise BadCertificates(
            f"{file} was not made for {_PURPOSES[wanted]}: its extended key usage says so."
        )


def _check_names(file: File, certificate: x509.Certificate) -> None:
    if not names_of(certificate):
        raise BadCertificates(
            f"{file} names no host as subject alternative name, and no client looks at its common "
            "name: make one with the names and addresses that it is reached by."
        )


def names_of(certificate: x509.Certificate) -> list[str]:
    """The hosts that a certificate is for: names and addresses."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [
        *names.get_values_for_type(x509.DNSName),
        *map(str, names.get_values_for_type(x509.IPAddress)),
    ]


def _authorities(file: File) -> bytes:
    data = file.read()
    known, now = certificates_in(file, data), datetime.now(UTC)
    if all(each.not_valid_after_utc < now for each in known):
        raise BadCertificates(f"{file} holds only authorities that have expired.")
    return data


def _trust(context: ssl.SSLContext, file: File, authorities: bytes) -> None:
    try:
        context.load_verify_locations(cadata=authorities.decode("ascii", "ignore"))
    except ssl.SSLError as error:
        raise BadCertificates(f"{file} cannot be used: {_reason(error)}.") from error


def _load(context: ssl.SSLContext, files: Pair) -> None:
    try:
        # A passphrase is asked for on the terminal, if none is given.
        context.load_cert_chain(files.certificate.path, files.key.path, password="")
    except ssl.SSLError as error:
        raise BadCertificates(f"{files.certificate} cannot be used: {_reason(error)}.") from error
    except OSError as error:
        raise BadCertificates(
            f"{files.certificate} cannot be read: {error.strerror or error}."
        ) from error


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).lower().replace("_", " ")
