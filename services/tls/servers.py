"""A listener's certificates: for gRPC's own TLS, and for that of asyncio."""

from __future__ import annotations

import threading

import grpc

from services.tls.checking import server_material
from services.tls.files import ServerFiles
from services.tls.following import Followed


def followed(files: ServerFiles) -> Followed:
    """The certificates of a listener. Raises :class:`services.tls.files.BadCertificates`."""
    return Followed(files.all(), lambda: server_material(files))


def grpc_credentials(certificates: Followed) -> grpc.ServerCredentials:
    """For ``add_secure_port``: each new connection has the newest certificate.

    gRPC asks in threads of its own, at each handshake, and keeps what it was given last.
    """
    lock, given = threading.Lock(), certificates.number

    def newest() -> grpc.ServerCertificateConfiguration | None:
        nonlocal given
        with lock:
            number = certificates.number
            if number == given:
                return None
            given = number
            return _configuration(certificates)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(certificates),
        newest,  # type: ignore[arg-type]  # None is no change, as its manual says
        require_client_authentication=bool(certificates.material.authorities),
    )


def _configuration(certificates: Followed) -> grpc.ServerCertificateConfiguration:
    material = certificates.material
    return grpc.ssl_server_certificate_configuration(
        [(material.key, material.chain)], material.authorities or None
    )
