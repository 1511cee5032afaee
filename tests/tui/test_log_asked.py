"""`podium log` asks three services; whom the first refuses asks no other."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

import pytest

from podium.common.v1 import log_pb2 as pb
from services.errors import PermissionDenied
from tui.cli import log
from tui.clients import SERVICES


@pytest.mark.parametrize(
    ("away", "asked"), [((), SERVICES[:1]), (SERVICES[:1], SERVICES[:2]), (SERVICES, SERVICES)]
)
def test_whoever_is_refused_is_refused_once(
    monkeypatch: pytest.MonkeyPatch, away: tuple[str, ...], asked: tuple[str, ...]
) -> None:
    called: list[str] = []

    async def answer(_: object, service: str, __: object) -> pb.WatchLogResponse:
        called.append(service)
        if service not in away:
            raise PermissionDenied("no")
        return pb.WatchLogResponse()

    monkeypatch.setattr(log, "_asked", answer)
    with nullcontext() if away == SERVICES else pytest.raises(PermissionDenied):
        asyncio.run(log._all_asked(None, SERVICES, pb.WatchLogRequest()))  # type: ignore[arg-type]

    assert tuple(called) == asked


def test_the_others_are_asked_together_and_answer_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def answer(_: object, service: str, __: object) -> pb.WatchLogResponse:
        place = pb.LogPosition(process=service, sequence=1)
        return pb.WatchLogResponse(resume=place)

    monkeypatch.setattr(log, "_asked", answer)
    answers = asyncio.run(
        log._all_asked(None, SERVICES, pb.WatchLogRequest())  # type: ignore[arg-type]
    )

    assert tuple(each.resume.process for each in answers) == SERVICES
