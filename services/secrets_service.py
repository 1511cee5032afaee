"""SecretsService: how this process's secrets are sealed, and which variables workflows may read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import grpc

from podium.common.v1 import sealing_pb2 as pb, sealing_pb2_grpc as rpc
from services.resealing import Resealing
from services.rpc import Context

NAME = "podium.common.v1.SecretsService"


class SecretsService(rpc.SecretsServiceServicer):
    """Tells of one process.

    Args:
        variables: Those that are set and that workflows may read: by name, their text.
        allowed: What the setting lets through.
    """

    def __init__(
        self,
        sealed: Resealing,
        variables: Mapping[str, str] | None = None,
        allowed: Sequence[str] = (),
    ) -> None:
        self._sealed = sealed
        self._variables = sorted((variables or {}).items())
        self._allowed = allowed

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve on ``server``."""
        rpc.add_SecretsServiceServicer_to_server(self, server)

    async def GetSealing(
        self, request: pb.GetSealingRequest, context: Context
    ) -> pb.GetSealingResponse:
        return pb.GetSealingResponse(sealing=await self._sealed.standing())

    async def ListVariables(
        self, request: pb.ListVariablesRequest, context: Context
    ) -> pb.ListVariablesResponse:
        values = self._variables if request.with_values else ()
        return pb.ListVariablesResponse(
            names=[name for name, _ in self._variables],
            allowed=self._allowed,
            variables=[pb.Variable(name=name, value=value) for name, value in values],
        )
