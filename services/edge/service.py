"""EdgeService: how the edge is."""

from __future__ import annotations

from datetime import timedelta

from podium.edge.v1 import edge_pb2 as pb, edge_pb2_grpc
from services.edge.definitions import Definitions
from services.edge.session import Session
from services.rpc import Context

# Who waits without a deadline is answered after this long.
_LONGEST_WAIT_SECONDS = 60.0
# Of the caller's deadline: to bring the answer home.
_MARGIN_SECONDS = 0.1


class EdgeService(edge_pb2_grpc.EdgeServiceServicer):
    """Answers for this process."""

    def __init__(self, version: str, definitions: Definitions, session: Session) -> None:
        self._version = version
        self._definitions = definitions
        self._session = session

    async def GetEdgeStatus(
        self, request: pb.GetEdgeStatusRequest, context: Context
    ) -> pb.GetEdgeStatusResponse:
        replica = self._definitions.replica
        if request.wait_for_revision > replica.revision:
            left = context.time_remaining()
            seconds = _LONGEST_WAIT_SECONDS if left is None else max(left - _MARGIN_SECONDS, 0.0)
            within = timedelta(seconds=min(seconds, _LONGEST_WAIT_SECONDS))
            await replica.reached(request.wait_for_revision, within)
        return pb.GetEdgeStatusResponse(
            version=self._version,
            revision=replica.revision,
            definitions_stale=replica.stale,
            executor_connected=self._session.connected,
        )
