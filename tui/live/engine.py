"""What the engine does, second by second, and how it stands."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from podium.executor.v1 import executor_pb2 as pb
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.sources import Source
from tui.views.engine import Span, span_of, taken_in

if TYPE_CHECKING:
    from tui.clients import Clients

TEN_MINUTES, DAY = "ten minutes", "day"
_HISTORIES = {
    TEN_MINUTES: (pb.ENGINE_HISTORY_TEN_MINUTES, 5, 600),
    DAY: (pb.ENGINE_HISTORY_DAY, 60, 86_400),
}
MOST_SAMPLES = 600


class Sample(NamedTuple):
    """How the engine stood at a moment, in epoch seconds."""

    at: float
    state: pb.EngineState


def step_of(query: str) -> int:
    """How many seconds a span is."""
    return _HISTORIES[query or TEN_MINUTES][1]


async def _watch(clients: Clients, query: str, spans: Collection[Span], line: Line) -> None:
    """Spans as they were, then each second as it has passed, added to its span."""
    history, step, length = _HISTORIES[query or TEN_MINUTES]
    request = pb.WatchEngineMetricsRequest(history=history)
    first = True
    async for told in clients.executor.WatchEngineMetrics(request):
        _stand(spans, told.state)
        if first:
            # The second that has passed is in it already.
            spans.replace({each.id: each for each in map(span_of, told.history)})
        elif told.HasField("last"):
            span, gone = taken_in(spans.records, span_of(told.last), step, length)
            spans.put([span])
            spans.drop(gone)
        first = False
        line.live()


def _stand(spans: Collection[Span], state: pb.EngineState) -> None:
    samples: deque[Sample] = spans.facts.setdefault("samples", deque(maxlen=MOST_SAMPLES))
    samples.append(Sample(time.time(), state))
    spans.facts["state"] = state


SOURCE: Source[Span] = Source("engine", "executor", _watch, most=2_000)
