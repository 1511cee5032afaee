"""What of the environment workflows read."""

from __future__ import annotations

import pytest

from services.executor.core.environment import checked, chosen

ENVIRON = {
    "STAGE": "test", "APP_URL": "http://a", "APP_CONFIG": '{"url": ["b"]}', "APP_ODD": "{odd",
    "HOME": "/root", "PODIUM_KEY_SECRET": "secret", "APPLE": "x",
}  # fmt: skip


def test_only_what_is_allowed_is_read_and_json_of_objects_as_that() -> None:
    assert chosen(ENVIRON, ("STAGE", "APP_*", "NOT_THERE")) == {
        "STAGE": "test", "APP_URL": "http://a", "APP_CONFIG": {"url": ["b"]}, "APP_ODD": "{odd",
    }  # fmt: skip
    assert chosen(ENVIRON, ()) == {}


@pytest.mark.parametrize("entry", ["*", "A B", "1A", "A*B", "", "PODIUM_*", "POD*", "PODIUM_HOME"])
def test_no_entry_names_all_or_settings_of_our_own(entry: str) -> None:
    with pytest.raises(ValueError, match=r"neither|Podium's own"):
        checked((entry,))


def test_names_and_beginnings_of_names_are_entries() -> None:
    assert checked(("STAGE", "_x", "APP_*", "PODIUMS")) == ("STAGE", "_x", "APP_*", "PODIUMS")
