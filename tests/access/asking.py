"""Every RPC called by its descriptor, with as little as there is to say."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from services.rpc import from_rpc

PATIENCE_SECONDS = 20.0
# What a stream that tells nothing at first is waited for: by then a refusal would have come.
QUIET_SECONDS = 2.0
OK, _NOWHERE = "OK", "UNIMPLEMENTED"
# What gRPC's own client says where a stream was refused while its first message was on the way:
# it has lost the answer, and the service has said none of it.
_LOST = "Internal error from Core"
_MOST_LOST = 10


@dataclass(frozen=True)
class Answer:
    """What came of a call.

    Attributes:
        code: As gRPC names it.
        said: The sentence of a refusal, and all that goes with it.
        told: The bytes of the first response.
    """

    code: str
    said: str = ""
    told: bytes = b""


def filled(method: MethodDescriptor, name: str) -> Message:
    """A request that names a workflow, or whatever it is about, by ``name``; the rest is unset."""
    message = GetMessageClass(method.input_type)()
    words = {"kind": "workflow", "access": "READ"} | dict.fromkeys(
        ("name", "auth_id", "application_id", "schema_name", "service_id", "workflow_name"), name
    )
    for field in method.input_type.fields:
        plain = field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated
        if plain and field.name in words and name:
            setattr(message, field.name, words[field.name])
    return message


async def asked(
    channel: grpc.aio.Channel,
    name: str,
    method: MethodDescriptor,
    token: str,
    request: Message,
    quiet_seconds: float = QUIET_SECONDS,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Answer:
    """The answer to a call, or to a stream its first; metadata holds ``token`` if there is one.

    Args:
        quiet_seconds: How long a stream is waited for that tells nothing at first.
    """
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    shape = f"{_shape(method.client_streaming)}_{_shape(method.server_streaming)}"
    call = getattr(channel, shape)(
        name,
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=lambda data: data,
    )
    for left in reversed(range(_MOST_LOST)):
        given = _alone(request) if method.client_streaming else request
        try:
            begun = call(given, metadata=metadata, timeout=patience_seconds)
            told = await _first(begun, method, quiet_seconds)
        except grpc.aio.AioRpcError as error:
            if error.details() == _LOST and left:
                continue
            ours = from_rpc(error)
            faults = [str(each) for each in ours.faults]
            return Answer(error.code().name, f"{ours.detail} {dict(ours.metadata)} {faults}")
        break
    return Answer(OK, told=told)


async def _first(call: Any, method: MethodDescriptor, quiet_seconds: float) -> bytes:
    if not method.server_streaming:
        return bytes(await call)
    try:
        async with asyncio.timeout(quiet_seconds):
            told = await call.read()
    except TimeoutError:
        # It was let in, and has nothing to say yet.
        told = b""
    finally:
        call.cancel()
    return b"" if told is grpc.aio.EOF else bytes(told)


async def _alone(request: Message) -> Any:
    yield request


def _shape(streaming: bool) -> str:
    return "stream" if streaming else "unary"


async def everything(
    channels: Mapping[str, grpc.aio.Channel],
    methods: Mapping[str, MethodDescriptor],
    tokens: Mapping[str, str],
    name: str = "",
) -> dict[str, Answer]:
    """Every method at every service that serves it, by ``service /package.Service/Method``."""
    places = {f"{at} {full}": (at, full) for full in methods for at in served_at(full)}
    room = asyncio.Semaphore(24)

    async def one(at: str, full: str) -> Answer:
        method = methods[full]
        async with room:
            return await asked(channels[at], full, method, tokens[at], filled(method, name))

    answers = await asyncio.gather(*(one(*each) for each in places.values()))
    found = dict(zip(places, answers, strict=True))
    # What several could serve is served by one of them at least.
    served = {places[place][1] for place, each in found.items() if each.code != _NOWHERE}
    return {
        place: each
        for place, each in found.items()
        if each.code != _NOWHERE or places[place][1] not in served
    }


def served_at(method: str) -> tuple[str, ...]:
    """Which services have it."""
    package = method.split(".")[1]
    return {
        "common": ("registry", "executor", "edge"),
        "worker": ("executor",),
    }.get(package, (package,))
