"""``GET /metrics``: the gateway's figures for Prometheus."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING

from podium.registry.v1 import registry_pb2
from services import origins
from services.access import application_principal
from services.edge.auth.api_key import basic
from services.edge.call import Answer, Call
from services.edge.endpoint import problem_of
from services.edge.management.callers import caller_of, proven
from services.edge.problems import Problem, basic_challenge, challenge
from services.errors import PermissionDenied, Unauthenticated
from services.rights.pages import rights_of
from services.rpc import raising_ours

if TYPE_CHECKING:
    from podium.registry.v1.registry_pb2_grpc import RegistryServiceAsyncStub
    from services.access import AccessInterceptor, Verifier
    from services.edge.management.pages import Management
    from services.edge.metrics.archive import Totals
    from services.edge.metrics.gauges import Gauges
    from services.edge.metrics.keeping import Metrics

(RIGHT,) = rights_of("GET /metrics")
_SECONDS = 5.0
_MOST_KEYS = 64


class Keys:
    """Access keys that were proved by ``Basic``, each with the token that it was given.

    Who asks every few seconds costs the registry a token every quarter of an hour, and needs it
    no more often.
    """

    def __init__(self, verifier: Verifier, registry: RegistryServiceAsyncStub) -> None:
        self._verifier = verifier
        self._registry = registry
        self._tokens: OrderedDict[bytes, str] = OrderedDict()

    async def application(self, key_id: bytes, secret: bytes) -> str:
        """The application whose key that is.

        Raises:
            Unauthenticated, RateLimited, Unavailable: As ``IssueToken``.
        """
        # By its hash: a secret at hand in memory is one that could leak.
        proof = sha256(b"%d:%b:%b" % (len(key_id), key_id, secret)).digest()
        token = self._tokens.get(proof)
        if token is not None:
            try:
                return self._verifier.verify(token).application_id
            except Unauthenticated:
                del self._tokens[proof]
        request = registry_pb2.IssueTokenRequest(
            key_id=key_id.decode("utf-8", "replace"), key_secret=secret.decode("utf-8", "replace")
        )
        with raising_ours():
            issued = await self._registry.IssueToken(
                request, timeout=_SECONDS, metadata=origins.metadata()
            )
        self._tokens[proof] = issued.token
        while len(self._tokens) > _MOST_KEYS:
            self._tokens.popitem(last=False)
        return self._verifier.verify(issued.token).application_id


class Exposition:
    """What ``/metrics`` needs: who may see it, and what there is to see."""

    def __init__(
        self,
        metrics: Metrics,
        gauges: Callable[[], Gauges],
        guard: AccessInterceptor,
        keys: Keys,
    ) -> None:
        self._metrics = metrics
        self._gauges = gauges
        self._guard = guard
        self._keys = keys

    async def check(self, call: Call, management: Management) -> None:
        """Refuse who has not the right to see metrics.

        Raises:
            Problem: 401, 403.
            ServiceError: As :meth:`Keys.application`.
        """
        application_id = await self._caller(call, management)
        try:
            self._guard.check(application_principal(application_id), RIGHT)
        except PermissionDenied as error:
            raise problem_of(error, to_stranger=False) from None

    async def _caller(self, call: Call, management: Management) -> str:
        given = basic(call.header.get(b"authorization", b""))
        try:
            if given is None:
                return caller_of(call, management)
            return proven(call, await self._keys.application(*given))
        except (Problem, Unauthenticated) as error:
            headers = (challenge(), basic_challenge("podium"))
            raise Problem("unauthenticated", headers=headers) from error

    async def text(self) -> tuple[bytes, bytes]:
        """Its content type and the text."""
        totals, gauges = await self._metrics.totals(), self._gauges()
        return await asyncio.to_thread(_written, totals, gauges)


def _written(totals: Totals, gauges: Gauges) -> tuple[bytes, bytes]:
    # It takes a tenth of a second to import.
    from services.edge.metrics import prometheus

    return prometheus.CONTENT_TYPE, prometheus.text(totals, gauges)


async def metrics(call: Call, management: Management) -> Answer:
    """All figures, for whoever may see them.

    Raises:
        Problem: 401, 403.
        ServiceError: 429, 503 where a key is to be proved and cannot be.
    """
    await management.exposition.check(call, management)
    content_type, text = await management.exposition.text()
    return Answer(200, text, ((b"content-type", content_type), (b"cache-control", b"no-store")))
