"""The access keys of an application as lines and as data."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from podium.registry.v1 import registry_pb2 as pb
from tui.views.access_keys import fields, lines

MADE = 1_800_000_000
NOW = datetime.fromtimestamp(MADE + 60, UTC)


def key(**times: int) -> pb.AccessKey:
    made = pb.AccessKey(key_id="k1", application_id="robot")
    for name, at in times.items():
        getattr(made, f"{name}_at").CopyFrom(Timestamp(seconds=MADE + at))
    return made


def state(*keys: pb.AccessKey) -> list[str]:
    return [line.split(maxsplit=6)[6] for line in lines(keys, NOW)][1:]


def test_a_key_is_live_until_it_ends_or_is_revoked() -> None:
    assert state(key(created=0), key(created=0, expires=61), key(created=0, expires=60)) == [
        "live", "live", "expired",
    ]  # fmt: skip
    assert state(key(created=0, expires=60, revoked=5)) == ["revoked 2027-01-15T08:00:05Z"]


def test_what_is_not_known_is_null() -> None:
    assert fields(key(created=0)) == {
        "keyId": "k1", "applicationId": "robot", "createdAt": "2027-01-15T08:00:00Z",
        "expiresAt": None, "revokedAt": None, "lastUsedAt": None,
        "createdBy": None, "replaces": None,
    }  # fmt: skip
