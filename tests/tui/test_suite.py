"""Where a suite is, as a context of the settings says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.settings import Context
from tui.suite import HomeUnusable, of_context


def test_a_secret_that_cannot_be_read_is_told_by_its_name_in_the_settings(tmp_path: Path) -> None:
    context = Context("there", home=str(tmp_path), secret_file=str(tmp_path / "none"))

    with pytest.raises(HomeUnusable) as caught:
        of_context(context)

    assert str(caught.value) == (
        f"The secret_file {tmp_path / 'none'} of the context there cannot be read: "
        "No such file or directory."
    )
