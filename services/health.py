"""`python -m services.health HOST:PORT`: exit 0 if the service there says that it serves."""

from __future__ import annotations

import sys

import grpc
from grpc_health.v1 import health_pb2

LIMIT_SECONDS = 3.0


def serving(address: str) -> bool:
    """Whether the service at ``address`` answers grpc.health.v1 with SERVING in time."""
    with grpc.insecure_channel(address) as channel:
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


if __name__ == "__main__":
    sys.exit(0 if serving(sys.argv[1]) else 1)
