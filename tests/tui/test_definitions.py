"""What `podium get` and its like make of refusals."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.errors import NotFound
from tui.cli.definitions import of_known_kind


def test_who_names_an_unknown_revision_is_told_where_they_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def work(clients: Any) -> None:
        raise NotFound("There is none.", kind="workflow", name="two words", revision="9")

    checked: Any = of_known_kind(work)
    with pytest.raises(SystemExit):
        asyncio.run(checked(None))

    said = capsys.readouterr().err
    assert said == "podium: There is none. podium history workflow 'two words' lists them.\n"
