"""What a dialog says of what an action will come to: of one, and of several."""

from __future__ import annotations

import pytest

from tui.resources import executions
from tui.resources.execution_row import Execution

ROW = Execution(
    "9f2c", "order", 1, "RUNNING", 0.0, 0.0, None, "", "", "ada", (), ()
)  # fmt: skip
ACTIONS = [action for action in executions.RESOURCE.actions if action.effect is not None]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda each: each.id)
def test_one_is_no_number_and_several_are_counted(action: object) -> None:
    effect = action.effect  # type: ignore[attr-defined]

    assert not effect([ROW]).startswith(("1 will", "In 1"))
    assert "1,200" in effect([ROW] * 1200)
