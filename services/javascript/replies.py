"""What a worker's replies mean: a value, or why a script has none."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from services.javascript import worker

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

# Parsing less than this takes no longer than handing it to a thread and back would.
_PARSED_AT_ONCE = 256 << 10


class ScriptFailed(Exception):
    """A script threw, is no program, overstepped a limit, or gave nothing with a JSON form.

    Attributes:
        detail: One sentence that names the script and says what happened.
        timed_out: Whether it ran for longer than the deadline.
        line: The line of the script, from 1, where it is known.
        plain: As ``detail``, without what the script has thrown, which may hold what it saw.
    """

    def __init__(
        self, detail: str, *, timed_out: bool = False, line: int | None = None, plain: str = ""
    ) -> None:
        super().__init__(detail)
        self.plain = plain or detail
        self.detail = detail
        self.timed_out = timed_out
        self.line = line


class NoWorker(Exception):
    """No worker ran a script, through no fault of its own; later one may.

    Attributes:
        detail: One sentence that names the script and says what happened.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Reply:
    """A worker's answer.

    Attributes:
        kind: One of :mod:`services.javascript.worker`'s, e.g. ``VALUE``.
        text: UTF-8; what it holds depends on the kind.
    """

    kind: bytes
    text: bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call may take: time, and memory above the worker's own, in bytes."""

    deadline: timedelta
    memory_bytes: int

    def too_slow(self, name: str) -> ScriptFailed:
        seconds = self.deadline.total_seconds()
        return ScriptFailed(f"Script {name} ran longer than {seconds:g} s.", timed_out=True)

    def too_greedy(self, name: str) -> ScriptFailed:
        megabytes = self.memory_bytes >> 20
        return ScriptFailed(f"Script {name} used more than {megabytes} MB of memory.")


async def value(reply: Reply, name: str, limits: Limits) -> Json:
    """The value that script ``name`` gave.

    Raises:
        ScriptFailed: It gave none.
        ValueError: Its scope was no JSON.
    """
    if reply.kind != worker.VALUE:
        raise failure(reply, name, limits)
    if len(reply.text) < _PARSED_AT_ONCE:
        return cast("Json", json.loads(reply.text.decode()))
    return cast("Json", await asyncio.to_thread(json.loads, reply.text))


def failure(reply: Reply, name: str, limits: Limits) -> Exception:
    """Why there is no value, for a reply of any kind but ``VALUE``."""
    match reply.kind:
        case worker.THREW:
            message, line = fault(reply)
            plain = f"Script {name} threw {_sentence(_kind(message), line)}"
            thrown = f"Script {name} threw {_sentence(message, line)}"
            return ScriptFailed(thrown, line=line, plain=plain)
        case worker.INVALID:
            message, line = fault(reply)
            said = _sentence(message, line)
            return ScriptFailed(f"Script {name} is not valid JavaScript: {said}", line=line)
        case worker.RAISED:
            message, _ = fault(reply)
            plain = f"Script {name} raised an error."
            return ScriptFailed(f"Script {name} raised {_sentence(message, None)}", plain=plain)
        case worker.NO_QUERY:
            message, line = fault(reply)
            said = _sentence(message, line)
            return ScriptFailed(f"Script {name} is no valid jq program: {said}", line=line)
        case worker.FORMLESS:
            return ScriptFailed(f"Script {name} returned {reply.text.decode()}: no JSON form.")
        case worker.LARGE:
            return ScriptFailed(f"Script {name} returned more than {_LIMIT}.")
        case worker.NO_MEMORY:
            return limits.too_greedy(name)
        case worker.BAD_SCOPE:
            return ValueError(f"The scope of script {name} is not JSON.")
    return ScriptFailed(f"The script worker answered {name} with {reply.kind!r}.")


def fault(reply: Reply) -> tuple[str, int | None]:
    """The message and the line of a ``THREW`` or an ``INVALID``."""
    message, line = json.loads(reply.text)
    return message, line


def too_large(what: str, name: str) -> ScriptFailed:
    """Why script ``name`` is not even sent: its ``what`` is over the limit."""
    return ScriptFailed(f"The {what} of script {name} is larger than {_LIMIT}.")


def _kind(message: str) -> str:
    """Of what was thrown, the name of the class where it is JavaScript's own."""
    name = message.partition(":")[0]
    return name if name in _ERRORS else "what is no error of JavaScript's own"


_ERRORS = frozenset(
    {
        "AggregateError", "Error", "EvalError", "InternalError", "RangeError", "ReferenceError",
        "SyntaxError", "TypeError", "URIError",
    }
)  # fmt: skip


def _sentence(message: str, line: int | None) -> str:
    place = "" if line is None else f" (line {line})"
    return f"{message.rstrip('.')}{place}."


_LIMIT = f"{worker.MAX_BYTES >> 20} MiB"
