"""Keys made: what came of it, with the key, which nobody can read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from podium.registry.v1 import registry_pb2 as pb
from services.errors import DeadlineExceeded, Unavailable
from tui.live.putting import CALL_SECONDS, called
from tui.views import durations
from tui.views.access_keys import until
from tui.views.command_lines import command_line
from tui.views.keys import ending

if TYPE_CHECKING:
    from tui.clients import Connection

Answers = Mapping[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class Made:
    """A key; it has no representation, lest it stands in a log.

    Attributes:
        name: What it is called in lists.
        key: What is sent with calls, or the secret.
        told: What else there is to say of it.
    """

    name: str
    key: str
    told: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was answered, and when.

    Attributes:
        id: Of the request: sent again, it makes no second key.
    """

    answers: Answers
    now: datetime
    id: str = field(default_factory=lambda: str(uuid4()))


async def api_key(connection: Connection, auth: str, asked: Asked) -> Made:
    """One more key of an auth.

    Raises:
        ValueError: An answer cannot be read.
        ServiceError: The registry refuses, or is away.
        HomeUnusable: No suite runs there.
    """
    request = pb.CreateApiKeyRequest(
        auth_id=auth,
        name=asked.answers.get("name", "").strip(),
        expires_at=_end(asked),
        request_id=asked.id,
    )
    answer = await called(
        connection, lambda each: each.registry.CreateApiKey(request, timeout=CALL_SECONDS)
    )
    return _made(answer.api_key, answer.key, ())


async def rolled_key(connection: Connection, auth: str, name: str, asked: Asked) -> Made:
    """A key in the place of another; raises as :func:`api_key`."""
    long = Duration()
    long.FromTimedelta(_overlap(asked.answers))
    request = pb.RollApiKeyRequest(
        auth_id=auth, name=name, overlap=long, expires_at=_end(asked), request_id=asked.id
    )
    answer = await called(
        connection, lambda each: each.registry.RollApiKey(request, timeout=CALL_SECONDS)
    )
    return _made(answer.api_key, answer.key, tuple(answer.replaced))


async def access_key(connection: Connection, application: str, asked: Asked) -> Made:
    """One more access key of an application; raises as :func:`api_key`."""
    request = pb.CreateAccessKeyRequest(
        application_id=application, expires_at=_end(asked), request_id=asked.id
    )
    answer = await called(
        connection, lambda each: each.registry.CreateAccessKey(request, timeout=CALL_SECONDS)
    )
    key = answer.access_key
    return Made(key.key_id, answer.key_secret, f"Key id: {key.key_id}")


async def rolled_access_key(connection: Connection, key_id: str, asked: Asked) -> Made:
    """An access key in the place of another; raises as :func:`api_key`."""
    long = Duration()
    long.FromTimedelta(_overlap(asked.answers))
    request = pb.RollAccessKeyRequest(
        key_id=key_id, overlap=long, expires_at=_end(asked), request_id=asked.id
    )
    answer = await called(
        connection, lambda each: each.registry.RollAccessKey(request, timeout=CALL_SECONDS)
    )
    key = answer.access_key
    told = f"Key id: {key.key_id}\nIn the place of {key_id}, which {until(answer.replaced)}."
    return Made(key.key_id, answer.key_secret, told)


def may_be_made(error: Exception) -> str:
    """Where nobody knows whether a key was made: what to say of it; else empty."""
    if not isinstance(error, DeadlineExceeded | Unavailable):
        return ""
    return (
        f"{error.detail} The key may have been made, and then nobody has it. Asking again makes "
        "no second one, and shows it; otherwise revoke in the list what nobody has."
    )


def command(words: tuple[str, ...], owner: str, name: str, answers: Answers) -> str:
    """The command line that makes such a key, e.g. of ``("keys", "roll")``.

    Args:
        owner: Of an access key that is rolled, the key itself.
    """
    given = [("--name", "name"), ("--expires", "expires"), ("--overlap", "overlap")]
    options = [
        part
        for option, answer in given
        if (value := answers.get(answer, "").strip())
        for part in (option, value)
    ]
    return command_line([*words, *options], owner, *((name,) if name else ()))


def _made(key: pb.ApiKey, value: str, replaced: tuple[pb.ApiKey, ...]) -> Made:
    told = [f"Calls as {key.principal}; it {ending(key)}."]
    told += [f"In the place of {each.name}, which {ending(each)}." for each in replaced]
    return Made(key.name, value, "\n".join(told))


def _end(asked: Asked) -> Timestamp | None:
    text = asked.answers.get("expires", "").strip()
    if not text:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(durations.end(text, asked.now))
    return stamp


def _overlap(answers: Answers) -> timedelta:
    return durations.length(answers.get("overlap", "").strip() or "0")
