"""The program of a script worker: a V8 realm and jq, asked over a socket until its parent is gone.

It is started as a file, by path, so that it needs nothing of the package: what it imports is what
each worker weighs. :mod:`services.javascript.child` is the other end.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import itertools
import json
import os
import re
import resource
import secrets
import select
import signal
import socket
import struct
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from py_mini_racer import JSArray
    from py_mini_racer._context import Context

# A request: the length of what follows, what is asked, the lengths of the frame's name and of the
# source; then name, source and scope. All text is UTF-8 in which a lone surrogate may stand.
REQUEST = struct.Struct("<IcHI")
EVALUATE, CHECK, COLLECT = b"e", b"k", b"g"
QUERY, CHECK_QUERY = b"q", b"j"  # jq

# A reply: the length of what follows, what it is; then its text.
REPLY = struct.Struct("<Ic")
VALUE = b"="  # JSON
THREW, INVALID = b"t", b"s"  # JSON: [message, line or null]
RAISED, NO_QUERY = b"u", b"j"  # the same, of jq
FORMLESS = b"f"  # what it returned instead of a value, as a noun
LARGE, NO_MEMORY, BAD_SCOPE = b"l", b"m", b"x"
DIRTY = b"d"  # the last script left something that cannot be removed; this one did not run
READY, COLLECTED = b"r", b"c"

MAX_BYTES = 10 << 20
_INLINE = 16 << 10
_PR_SET_PDEATHSIG = 1
_STRICT = re.compile(r"""\s*(['"])use strict\1""")
_PARSE_ERROR = re.compile(r"<anonymous>:(\d+): (.*)")
_QUERY_ERROR = re.compile(r"jq: error: (.*?)(?: at <top-level>, line (\d+), column \d+)?(?::?\n|$)")
_SURROGATES = re.compile("[\ud800-\udfff]")
_PREFIX = "def podium_: .; "
_COMPILED = 32
_MESSAGE = 1000
_LONGEST_SECONDS = 60
_STANDARD_STREAMS = 3


def main() -> None:
    """Serve the socket whose descriptor, parent's pid and heap limit in bytes are the arguments."""
    descriptor, parent, heap_bytes = map(int, sys.argv[1:])
    _die_with(parent)
    connection = socket.socket(fileno=descriptor)
    threading.Thread(target=_watch, args=(connection,), daemon=True).start()
    _keep_modest()
    asyncio.run(_serve(connection, heap_bytes))


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when the thread that created it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The parent may have died before the kernel was asked.
    if os.getppid() != parent:
        os._exit(1)


def _watch(connection: socket.socket) -> None:
    """End the process when the other end is closed, whatever V8 is doing."""
    hangup = select.poll()
    hangup.register(connection, select.POLLRDHUP)
    hangup.poll()
    os._exit(0)


def _keep_modest() -> None:
    """Be the first that a machine short of memory gives up; leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


async def _serve(connection: socket.socket, heap_bytes: int) -> None:
    # MiniRacer itself declares a timer class in every context, which a script could write to:
    # the bare context below it has none. It answers only within the event loop it was given.
    from py_mini_racer._mini_racer import _make_context

    with _make_context(asyncio.get_running_loop()) as context:
        realm = Realm(context)
        context.set_hard_memory_limit(heap_bytes)
        _send(connection, READY)
        while True:
            asked, *given = _receive(connection)
            answer = queried if asked in (QUERY, CHECK_QUERY) else realm.answer
            _send(connection, answer(asked, *given))


def _receive(connection: socket.socket) -> tuple[bytes, str, str, str]:
    """What is asked, the frame's name, the source and the scope."""
    head = _exactly(connection, REQUEST.size)
    length, asked, name_length, source_length = REQUEST.unpack(head)
    body = memoryview(_exactly(connection, length))
    cuts = (0, name_length, name_length + source_length, length)
    name, source, scope = (
        str(body[start:end], "utf-8", "surrogatepass") for start, end in itertools.pairwise(cuts)
    )
    return asked, name, source, scope


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = connection.recv(size, socket.MSG_WAITALL) if size else b""
    if len(data) < size:
        os._exit(0)
    return data


def _send(connection: socket.socket, reply: bytes) -> None:
    connection.sendall(REPLY.pack(len(reply) - 1, reply[:1]) + reply[1:])


class Realm:
    """V8's side of a worker; realm.js is the other half."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._key = json.dumps(secrets.token_hex())
        program = Path(__file__).with_name("realm.js").read_text("utf-8")
        made = context.eval(f"{program}({self._key})")
        # The array through which large scopes go in.
        self._inbox = cast("JSArray", made)
        self._spoiled = False

    def answer(self, asked: bytes, name: str, source: str, scope: str) -> bytes:
        """The reply: its kind as the first byte, then its text."""
        if asked == COLLECT:
            # What the last script left is removed when the next one starts.
            self._run(f'__check({self._key},"0")')
            self._context.low_memory_notification()
            return COLLECTED
        if self._spoiled:
            return DIRTY
        code = (
            self._evaluation(name, source, scope)
            if asked == EVALUATE
            else f"__check({self._key},{json.dumps(source)})"
        )
        reply = self._run(code)
        if reply[:1] == INVALID:
            return self._located(source, reply)
        return reply if len(reply) <= MAX_BYTES + 1 else LARGE

    def _evaluation(self, name: str, source: str, scope: str) -> str:
        # V8 keeps the code that it compiles: a large scope goes in as a value.
        inline = len(scope) <= _INLINE
        if not inline:
            self._inbox.append(_well_formed(scope))
        given = json.dumps(scope) if inline else "null"
        return f"__evaluate({self._key},{json.dumps(name)},{json.dumps(source)},{given})"

    def _run(self, code: str) -> bytes:
        from py_mini_racer import JSEvalException, JSOOMException

        try:
            reply = str(self._context.eval(code)).encode()
        except JSOOMException:
            return NO_MEMORY
        except JSEvalException as error:
            # realm.js catches all that a script throws; the engine can still run out of stack.
            reply = THREW + json.dumps([str(error).partition("\n")[0], None]).encode()
        # V8 answers before it runs what promises have queued, and takes nothing else up until that
        # is done: this waits for it, so that it belongs to the script and not to the next one.
        hash(self._inbox)
        return NO_MEMORY if self._context.was_hard_memory_limit_reached() else reply

    def _located(self, source: str, reply: bytes) -> bytes:
        """``reply`` with the line of the syntax error, which only the compiler's own report has."""
        from py_mini_racer import JSEvalException

        plain = source.encode("utf-8", "replace").decode()
        strict = "'use strict';" if _STRICT.match(source) else ""
        try:
            # Should it parse after all, it ends before it begins.
            self._context.eval(f"{strict}throw 0;{plain}")
        except JSEvalException as error:
            found = _PARSE_ERROR.match(str(error))
            if found and found[2].startswith("SyntaxError"):
                return INVALID + json.dumps([found[2], int(found[1])]).encode()
        # What it declared is declared for good.
        self._spoiled = True
        return reply


def queried(asked: bytes, _name: str, source: str, scope: str) -> bytes:
    """As :meth:`Realm.answer`, of a jq program and its input."""
    # jq keeps the interpreter to itself, also from the thread that watches the socket.
    signal.alarm(_LONGEST_SECONDS)
    try:
        program = _compiled(source)
        if asked == CHECK_QUERY:
            return VALUE + b"null"
        found = json.dumps(program.input_text(_without_surrogates(scope)).all()).encode()
    except _NoQuery as error:
        return NO_QUERY + json.dumps(error.args).encode()
    except (ValueError, RecursionError) as error:
        return RAISED + json.dumps([str(error)[:_MESSAGE], None]).encode()
    finally:
        signal.alarm(0)
    return VALUE + found if len(found) <= MAX_BYTES else LARGE


class _NoQuery(Exception):
    """Text is no jq program: the message, and its line, or None."""


@functools.lru_cache(_COMPILED)
def _compiled(source: str) -> Any:
    """The program, compiled; that takes a hundred times as long as running a small one."""
    if "\0" in source:
        raise _NoQuery("it holds a NUL character", None)
    try:
        # Behind a definition no file can be imported.
        return _jq().compile(_PREFIX + source)
    except ValueError as error:
        found = _QUERY_ERROR.search(str(error))
        message, line = (found[1], found[2]) if found else (str(error), None)
        raise _NoQuery(message[:_MESSAGE], int(line) if line else None) from None


@functools.cache
def _jq() -> Any:
    """jq, which from now on finds no environment, and opens no file to look for its modules."""
    import jq

    os.environ.clear()
    most = _STANDARD_STREAMS
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return jq


def _without_surrogates(scope: str) -> str:
    """JSON ``scope`` with U+FFFD for lone surrogates, which jq does not read."""
    if "\\ud" not in scope.lower() and not _SURROGATES.search(scope):
        return scope
    text = json.dumps(json.loads(scope), ensure_ascii=False)
    return _SURROGATES.sub("\ufffd", text)


def _well_formed(text: str) -> str:
    """JSON ``text`` with its lone surrogates, which V8 cannot be handed, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


if __name__ == "__main__":
    main()
