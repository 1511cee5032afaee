"""Signing keys: what the registry signs tokens with, and for how long each verifies them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from podium.registry.v1 import registry_pb2 as pb
from services.errors import ServiceError
from services.rpc import raising_ours
from tui.live.collection import Collection
from tui.live.polling import CALL_SECONDS, Reading, polled
from tui.live.sources import Source
from tui.resources.model import Action, Cell, Column, Danger, ItemResult, Resource, Tab
from tui.views.command_lines import command_line
from tui.views.durations import date_and_clock
from tui.views.signing_keys import LOOKS, SigningKey, keys, rotation

if TYPE_CHECKING:
    from tui.clients import Clients

EVERY_SECONDS = 5.0

Perform = Callable[
    ["Clients", Sequence[SigningKey], Mapping[str, str]], AsyncIterator[ItemResult]
]  # fmt: skip


async def _read(clients: Clients, query: str, known: Collection[Any]) -> Reading:
    told = await clients.registry.ListSigningKeys(pb.ListSigningKeysRequest(), timeout=CALL_SECONDS)
    return Reading(keys(told.signing_keys), {"rotation": rotation(told)})


SOURCE: Source[SigningKey] = polled("signing keys", "registry", _read, EVERY_SECONDS)


def _rotating(word: str, *, revoke: bool) -> Perform:
    async def act(
        clients: Clients, rows: Sequence[SigningKey], answers: Mapping[str, str]
    ) -> AsyncIterator[ItemResult]:
        request = pb.RotateSigningKeysRequest(revoke=revoke)
        try:
            with raising_ours():
                await clients.registry.RotateSigningKeys(request, timeout=CALL_SECONDS)
        except ServiceError as error:
            yield ItemResult(rows[0].id, False, error.detail)
        else:
            yield ItemResult(rows[0].id, True, word)

    return act


ROTATE: Action[SigningKey] = Action(
    "signing_keys.rotate", "r", "Rotate", "Sign tokens with a new key, once all services know it.",
    _rotating("a new key is announced", revoke=False),
    lambda rows, _: command_line(["signing-keys", "rotate"]),
    applies=lambda row: row.state == "SIGNS",
    effect=lambda rows: (
        "All services are told of a new key, which signs soon after. This one verifies until its\n"
        "last token has ended, and is removed then: no token that holds is refused."
    ),
    danger=Danger.TYPES, many=False,
)  # fmt: skip
REVOKE: Action[SigningKey] = Action(
    "signing_keys.revoke", "x", "Revoke all", "End all keys at once, and have a new one sign.",
    _rotating("revoked", revoke=True),
    lambda rows, _: command_line(["signing-keys", "rotate", "--revoke", "--yes"]),
    effect=lambda rows: (
        "For keys that somebody else may have. Every token is refused within a second, and every\n"
        "stream ends: programs and consoles have to ask for new tokens, which they do by\n"
        "themselves."
    ),
    danger=Danger.TYPES, many=False,
)  # fmt: skip


def _state(row: SigningKey, now: float) -> Cell:
    look = LOOKS[row.state]
    return Cell(f"{look.glyph} {look.word}", look.tone)


def _moment(at: float | None) -> Cell:
    return Cell(date_and_clock(at) if at is not None else "", "muted")


RESOURCE: Resource[SigningKey] = Resource(
    name="signing-keys",
    aliases=("signing-key", "signingkeys"),
    title="Signing keys",
    empty="None may be seen.",
    help="""\
## Signing keys

What the registry signs tokens with. A new key is announced to all services before it signs; the
one before verifies until its last token has ended. `r` makes a new one; `x` ends all at once, as
when one was stolen. Both ask for the key's name to be typed. Read every five seconds.
""",
    columns=(
        Column("key", "KEY ID", 16, lambda row, _: Cell(row.id), lambda row: row.id, flex=1,
               priority=9),
        Column("state", "STATE", 11, _state, lambda row: row.state, priority=9),
        Column("created", "CREATED", 19, lambda row, _: _moment(row.created_at),
               lambda row: row.created_at, priority=5),
        Column("from", "SIGNS FROM", 19, lambda row, _: _moment(row.signs_from),
               lambda row: row.signs_from, priority=8),
        Column("until", "SIGNS UNTIL", 19, lambda row, _: _moment(row.signs_until),
               lambda row: row.signs_until, priority=7),
        Column("verifies", "VERIFIES UNTIL", 19, lambda row, _: _moment(row.verifies_until),
               lambda row: row.verifies_until, priority=6),
    ),
    source=SOURCE,
    fields={"state": lambda row: row.state},
    text=lambda row: f"{row.id} {row.state}",
    tabs=(Tab("json", "JSON", "record-json"),),
    actions=(ROTATE, REVOKE),
    told=lambda facts: str(facts.get("rotation", "")),
    sort="from",
)  # fmt: skip
