"""Who may do what, as lines and as data: holders of an access, and all that one caller may."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from services.rights import rpc
from services.rights.model import enough
from tui.views.needs import COMMANDS, Needs
from tui.views.tables import table
from tui.views.visible import in_one_line

if TYPE_CHECKING:
    from podium.registry.v1 import access_pb2 as pb

ALL, GRANTED, NONE = "yes", "where granted", "no"
_UNKNOWN = "a newer Podium"


class Verdict(NamedTuple):
    """Whether something may be done.

    Attributes:
        may: ``yes``, ``where granted`` or ``no``.
        takes: What would be enough, in words.
    """

    may: str
    takes: str


def verdicts(access: pb.Access) -> dict[str, Verdict]:
    """Of every RPC, by ``/package.Service/Method``."""
    # As the proto numbers them.
    words = {1: ALL, 2: GRANTED, 3: NONE}
    return {
        each.method: Verdict(words.get(each.reach, NONE), each.takes) for each in access.methods
    }


def verdict(needs: Needs, of: Mapping[str, Verdict]) -> Verdict:
    """Of what calls several RPCs: that of the least open, and what all take; ``yes`` of none."""
    found = [of.get(rpc(name), Verdict(NONE, _UNKNOWN)) for name in needs.takes]
    if any(each.takes == _UNKNOWN for each in found):
        return Verdict(NONE, _UNKNOWN)
    order = (NONE, GRANTED, ALL)
    may = min((each.may for each in found), key=order.index, default=ALL)
    return Verdict(may, enough(needs.rights()))


def holder_lines(answer: pb.ListHoldersResponse, access: str, subject: str) -> Iterator[str]:
    """A head and a line for each ground of each holder, then what is not told."""
    rows = [
        (each.application_id, each.name, ground(why))
        for each in answer.holders
        for why in each.grounds
    ]
    if rows:
        yield from table([("APPLICATION", "NAME", "BY"), *rows])
    else:
        nobody = "nobody" if answer.complete else "nobody that you may see"
        yield f"{nobody} has {access} on {in_one_line(subject)}"
    if not answer.complete:
        yield "Others may have it that you may not see."


def holder_fields(answer: pb.ListHoldersResponse) -> dict[str, Any]:
    """The same as JSON has it."""
    return {
        "holders": [
            {
                "applicationId": each.application_id,
                "name": each.name,
                "grounds": [
                    {"role": why.role} if why.WhichOneof("by") == "role"
                    else {"grant": grant_fields(why.grant)}
                    for why in each.grounds
                ],
            }
            for each in answer.holders
        ],
        "tags": list(answer.tags),
        "complete": answer.complete,
    }  # fmt: skip


def ground(why: pb.Ground) -> str:
    """``role ADMIN``, or ``grant of READ, EXECUTE on tag team:payments``."""
    if why.WhichOneof("by") == "role":
        return f"role {why.role}"
    return f"grant of {grant(why.grant)}"


def grant(given: pb.Grant) -> str:
    """``READ, EXECUTE on tag team:payments``."""
    name = "*, all of them" if given.name == "*" else in_one_line(given.name)
    return f"{', '.join(given.access)} on {given.kind} {name}"


def grant_fields(given: pb.Grant) -> dict[str, Any]:
    """A grant as an application's document has it."""
    return {"target": {"type": given.kind, "id": given.name}, "access": list(given.access)}


def access_lines(access: pb.Access, *, methods: bool = False) -> Iterator[str]:
    """Who it is, roles, grants, and what of commands (or RPCs) may be called."""
    name = f"  {in_one_line(access.name)}" if access.name else ""
    yield f"principal  {access.principal}{name}"
    if access.access_key_id:
        yield f"key        {access.access_key_id}"
    if access.paused:
        yield "state      paused: it may do nothing until it is resumed"
    yield f"roles      {', '.join(access.roles) or 'none'}"
    for number, each in enumerate(access.grants):
        yield f"{'grants' if not number else '':10} {grant(each)}"
    if not access.grants:
        yield "grants     none"
    yield ""
    yield from table([("RPC" if methods else "COMMAND", "MAY", "TAKES"), *_rows(access, methods)])


def _rows(access: pb.Access, methods: bool) -> Iterable[tuple[str, str, str]]:
    told = verdicts(access)
    if methods:
        return ((name, *each) for name, each in told.items())
    return ((f"podium {words}", *each) for words, each in command_verdicts(told).items())


def command_verdicts(told: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """Of every command that needs more than a token, by its words behind ``podium``."""
    return {words: verdict(needs, told) for words, needs in COMMANDS.items() if needs.calls}


def access_fields(access: pb.Access) -> dict[str, Any]:
    """The same as JSON has it: commands and RPCs."""
    told = verdicts(access)
    return {
        "principal": access.principal,
        "name": access.name or None,
        "accessKeyId": access.access_key_id or None,
        "paused": access.paused,
        "roles": list(access.roles),
        "grants": [grant_fields(each) for each in access.grants],
        "commands": {words: each._asdict() for words, each in command_verdicts(told).items()},
        "methods": {name: each._asdict() for name, each in told.items()},
    }
