"""The keys of an auth as lines and as data."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from podium.registry.v1 import registry_pb2 as pb
from tui.views.keys import fields, lines

MADE = 1_800_000_000
NOW = datetime.fromtimestamp(MADE + 60, UTC)
KEY = pb.ApiKey(name="web", principal="key:a/web", created_at=Timestamp(seconds=MADE))


def test_the_use_of_a_key_that_had_the_name_before_is_not_told() -> None:
    before = {"web": Timestamp(seconds=MADE - 1, nanos=999_999_999)}

    assert [line.split()[3] for line in lines([KEY], NOW, before)][1:] == ["never"]
    assert fields(KEY, before)["lastUsedAt"] is None


def test_a_use_is_told_from_the_moment_at_which_the_key_was_made() -> None:
    for seconds, told in ((MADE, "2027-01-15T08:00:00Z"), (MADE + 5, "2027-01-15T08:00:05Z")):
        used = {"web": Timestamp(seconds=seconds)}
        assert fields(KEY, used)["lastUsedAt"] == told
        assert told in list(lines([KEY], NOW, used))[1]


def test_of_a_key_whose_age_nobody_knows_every_use_is_told() -> None:
    old = pb.ApiKey(name="web", principal="key:a/web")
    assert fields(old, {"web": Timestamp(seconds=1)})["lastUsedAt"] == "1970-01-01T00:00:01Z"
