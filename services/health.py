"""`python -m services.health HOST:PORT`: exit 0 if the service there says that it serves.

Over TLS where PODIUM_TLS_CA_FILE is set, as the services call each other.
"""

from __future__ import annotations

import os
import sys

import grpc
from grpc_health.v1 import health_pb2

from services.process import StartupError
from services.settings import Common, read
from services.tls.files import ClientFiles

LIMIT_SECONDS = 3.0
# As the services call each other: past the proxy that their environment names for calls out.
_OPTIONS = (("grpc.enable_http_proxy", 0),)


def serving(address: str) -> bool:
    """Whether the service at ``address`` answers grpc.health.v1 with SERVING in time."""
    with _channel(address, read(Common, os.environ).call_tls()) as channel:
        try:
            check = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            answer = check(health_pb2.HealthCheckRequest(), timeout=LIMIT_SECONDS)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def _channel(address: str, tls: ClientFiles | None) -> grpc.Channel:
    if tls is None:
        return grpc.insecure_channel(address, options=_OPTIONS)
    # Late: reading certificates is a library of its own, which most do without.
    from services.tls.checking import client_material
    from services.tls.clients import channel_credentials, name_options

    credentials = channel_credentials(client_material(tls))
    return grpc.secure_channel(
        address, credentials, options=(*_OPTIONS, *name_options(tls.server_name))
    )


def main(address: str) -> int:
    """The exit code."""
    try:
        return 0 if serving(address) else 1
    except StartupError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
