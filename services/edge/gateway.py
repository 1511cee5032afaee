"""What the stages of the gateway are given beside the call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from podium.executor.v1 import executor_pb2 as pb
from services.edge.bodies import BodyLimits
from services.edge.broken import BrokenRoutes
from services.edge.counted import Refusals, SlotKeys
from services.edge.definitions import Definitions
from services.edge.exchange import Exchange
from services.edge.executor import Executor
from services.edge.flights import Flights
from services.edge.judging import RouteJudges
from services.edge.keeping import Cache
from services.edge.links import Links
from services.edge.mcp.serving import Tools
from services.edge.observing import Spanning
from services.edge.scripting import RouteScripts
from services.edge.streams import Streams
from services.edge.tokens.verifier import Tokens
from services.edge.windows import Windows


class Starts(Protocol):
    """What begins executions: see :class:`services.edge.session.Session`."""

    @property
    def connected(self) -> bool:
        """Whether the executor can be heard."""

    def start(
        self, start: pb.Start, timeout_seconds: float, *, until_accepted: bool = False
    ) -> Exchange:
        """Ask for an execution."""

    def withdraw(self, exchange: Exchange) -> None:
        """Have it begin no more if it waits for a slot; if it has begun, that is the outcome."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway's means.

    Attributes:
        broken: Tells of routes whose scripts or schemas break.
        judges: Judge by the schemas of routes.
        scripts: Workers for the scripts of routes.
        cache: Answers that are kept.
        flights: Executions that several calls wait for.
        refusals: How many the limits of routes have refused.
        slot_keys: What the executor counts executions by, in words.
        metadata_headers: Names of the request headers that workflows may see, in lower case.
        spanning: Has spans of calls sent; None: nobody wants them.
        streams: How many answers go on.
        tokens: Who calls by tokens of issuers.
        tools: For clients to whom routes are tools.
        windows: How often routes were called of late.
        now: The clock.
        monotonic: Seconds, by a clock that nobody sets.
        new_id: Makes request ids: random UUIDs.
        new_execution_id: Makes execution ids.
    """

    definitions: Definitions
    session: Starts
    executor: Executor
    links: Links
    judges: RouteJudges
    scripts: RouteScripts
    windows: Windows
    streams: Streams
    tools: Tools
    tokens: Tokens
    cache: Cache
    flights: Flights
    body_limits: BodyLimits
    metadata_headers: frozenset[bytes]
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    new_id: Callable[[], str]
    new_execution_id: Callable[[], str]
    spanning: Spanning | None = None
    broken: BrokenRoutes = field(default_factory=BrokenRoutes)
    refusals: Refusals = field(default_factory=Refusals)
    slot_keys: SlotKeys = field(default_factory=SlotKeys)
