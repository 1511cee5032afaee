"""A caller's certificates, for gRPC's channels and for HTTP."""

from __future__ import annotations

import ssl

import grpc

from services.tls.checking import Material, client_material
from services.tls.files import ClientFiles
from services.tls.following import Followed


def followed(files: ClientFiles) -> Followed:
    """The certificates of a caller. Raises :class:`services.tls.files.BadCertificates`."""
    return Followed(files.all(), lambda: client_material(files))


def context_of(files: ClientFiles) -> ssl.SSLContext:
    """For HTTP clients. Raises :class:`services.tls.files.BadCertificates`."""
    return client_material(files).context


def channel_credentials(material: Material) -> grpc.ChannelCredentials:
    """For a channel of gRPC's own."""
    return grpc.ssl_channel_credentials(
        material.authorities, material.key or None, material.chain or None
    )


def name_options(server_name: str) -> tuple[tuple[str, str], ...]:
    """The channel arguments that have a certificate be for ``server_name``."""
    return (("grpc.ssl_target_name_override", server_name),) if server_name else ()
