"""How secrets are sealed, of the services together: lines and documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from podium.common.v1 import sealing_pb2 as pb

_UNNAMED = "(does not say)"


def document(told: Mapping[str, pb.Sealing]) -> dict[str, Any]:
    """For programs: the keys, and what is sealed, by service."""
    return {
        "keys": [
            {
                "id": key_id,
                "line": lines,
                "sealed": {name: key.seals for name, key in by_service.items() if key is not None},
                "needed": is_needed(by_service.values(), told),
            }
            for key_id, lines, by_service in _keys(told)
        ],
        "things": [
            {"service": name, "kind": each.kind, "name": each.name, "keyId": each.key_id}
            for name, sealing in told.items()
            for each in sealing.things
        ],
        "settled": is_settled(told),
    }


def lines(told: Mapping[str, pb.Sealing]) -> Iterator[str]:
    """For people."""
    for key_id, line, by_service in _keys(told):
        counts = ", ".join(
            f"{name} {key.seals}" for name, key in by_service.items() if key is not None
        )
        yield f"key {key_id or _UNNAMED}  {_place(line)}  sealed: {counts}  {_word(key_id, told)}"
    for name, sealing in told.items():
        first = sealing.keys[0].id if sealing.keys else ""
        others = [each for each in sealing.things if each.key_id != first]
        yield from (
            f"  {name}: {each.kind} {each.name} by {each.key_id or _UNNAMED}" for each in others
        )


def by_name(told: pb.Sealing) -> dict[str, str]:
    """Of secrets as they are: the id of the key that sealed each, by name."""
    return {each.name: each.key_id for each in told.things if each.kind == "secret"}


def is_needed(keys: Iterable[pb.SealingKey | None], told: Mapping[str, pb.Sealing]) -> bool:
    """Whether any service needs a key."""
    return any(key is not None and key.needed for key in keys)


def is_settled(told: Mapping[str, pb.Sealing], key_id: str = "") -> bool:
    """Whether all is sealed by the first key, the same everywhere and that of ``key_id``."""
    firsts = {sealing.keys[0].id for sealing in told.values() if sealing.keys}
    wanted = {key_id} if key_id else firsts
    return (
        len(firsts) == 1
        and firsts == wanted
        and all(
            not sealing.unclean and not any(key.needed for key in sealing.keys[1:])
            for sealing in told.values()
        )
    )


def unopened(told: Mapping[str, pb.Sealing]) -> list[str]:
    """What was sealed by keys that are not in the file."""
    return [
        f"{name}: {each.kind} {each.name}"
        for name, sealing in told.items()
        for each in sealing.things
        if any(key.id == each.key_id and not key.line for key in sealing.keys)
    ]


def _keys(
    told: Mapping[str, pb.Sealing],
) -> Iterator[tuple[str, int, dict[str, pb.SealingKey | None]]]:
    ids = dict.fromkeys(key.id for sealing in told.values() for key in sealing.keys)
    for key_id in ids:
        found = {
            name: next((key for key in sealing.keys if key.id == key_id), None)
            for name, sealing in told.items()
        }
        line = max((key.line for key in found.values() if key is not None), default=0)
        yield key_id, line, found


def _place(line: int) -> str:
    return f"line {line}" if line else "not in the file"


def _word(key_id: str, told: Mapping[str, pb.Sealing]) -> str:
    keys = [key for sealing in told.values() for key in sealing.keys if key.id == key_id]
    if any(sealing.keys and sealing.keys[0].id == key_id for sealing in told.values()):
        return "seals"
    if any(key.needed for key in keys):
        return "still needed"
    return "may be removed: podium secrets drop-keys"
