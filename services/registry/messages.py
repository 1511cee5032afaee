"""What is stored, as it goes over the wire."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from podium.registry.v1 import registry_pb2 as pb
from services.registry.api_keys import ApiKey
from services.registry.keys import AccessKey
from services.registry.store import Stored


def to_message(state: Stored, document: str = "") -> pb.Definition:
    """``state`` with ``document``, which its reader may see, in place of its own."""
    return pb.Definition(
        kind=state.kind,
        name=state.name,
        version=state.version,
        revision=state.revision,
        etag=state.etag,
        document=document,
        updated_at=timestamp(state.updated_at),
        updated_by=state.updated_by,
        created_at=timestamp(state.created_at),
    )


def key_message(key: AccessKey) -> pb.AccessKey:
    """``key`` without its hash."""
    return pb.AccessKey(
        key_id=key.key_id,
        application_id=key.application_id,
        created_at=timestamp(key.created_at),
        expires_at=timestamp(key.expires_at) if key.expires_at else None,
        revoked_at=timestamp(key.revoked_at) if key.revoked_at else None,
        last_used_at=timestamp(key.last_used_at) if key.last_used_at else None,
        created_by=key.created_by,
        replaces=key.replaces,
    )


def api_key_message(auth_id: str, key: ApiKey) -> pb.ApiKey:
    """``key`` of that auth definition."""
    return pb.ApiKey(
        name=key.name,
        principal=f"key:{auth_id}/{key.acts_as}",
        created_at=timestamp(key.created_at) if key.created_at else None,
        expires_at=timestamp(key.expires_at) if key.expires_at else None,
    )


def timestamp(moment: datetime) -> Timestamp:
    """An aware ``moment``."""
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
