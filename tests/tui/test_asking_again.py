"""Questions that are asked again: for what passes by itself, and for nothing else."""

from __future__ import annotations

import pytest

from services.errors import InvalidRequest, Overloaded, ServiceError, Unavailable
from tui.clients import persistently


class Busy:
    """Refuses so many times before it answers."""

    def __init__(self, *refusals: ServiceError) -> None:
        self._refusals = list(refusals)

    async def ask(self) -> str:
        if self._refusals:
            raise self._refusals.pop(0)
        return "answered"


async def test_who_has_too_much_to_do_or_is_away_is_asked_again() -> None:
    busy = Busy(Overloaded("Too much."), Unavailable("Away."))

    assert await persistently(busy.ask) == "answered"


@pytest.mark.parametrize("refusal", [Unavailable("Away."), InvalidRequest("Wrong.")])
async def test_what_does_not_pass_by_itself_is_raised_at_once(refusal: ServiceError) -> None:
    with pytest.raises(type(refusal)):
        await persistently(Busy(refusal).ask, (Overloaded,))
