"""Calls kept in files: saved and opened by a path that is asked for."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tui.screens.write import LineScreen
from tui.views.route_call import CaseUnreadable, RouteCall, case_text, read_case

if TYPE_CHECKING:
    from tui.app import Console
    from tui.resources.routes import Route

MOST_BYTES = 16 * 1024 * 1024


async def save(console: Console, call: RouteCall) -> None:
    """Ask for a path and write the call there; a file that is there is asked for again."""
    path = await _path(console, "Keep this call in", _name(call))
    seen: os.stat_result | None = None
    while path is not None:
        try:
            await asyncio.to_thread(_write, path, case_text(call), seen)
        except FileExistsError:
            found, again = await asyncio.to_thread(_stat, path), await _write_over(console, path)
            # Another name may be that of another file.
            seen, path = found if again == path else None, again
        except (OSError, ValueError) as error:
            console.tell(f"{path} cannot be written: {_why(error)}.")
            return
        else:
            console.tell(f"Kept in {path}: podium test-route --case sends it.", "information")
            return


def _write(path: Path, text: str, seen: os.stat_result | None) -> None:
    """Write a new file, or over the one that was ``seen``, if it is that still.

    Raises:
        FileExistsError: Another one is there.
    """
    is_same = seen is not None and _told(_stat(path)) == _told(seen)
    with path.open("w" if is_same else "x", encoding="utf-8") as file:
        file.write(text)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _told(found: os.stat_result | None) -> tuple[int, ...]:
    """What a file has of its own, and what a change of it changes."""
    return (found.st_ino, found.st_mtime_ns, found.st_size) if found is not None else ()


async def _write_over(console: Console, path: Path) -> Path | None:
    told = "It is there already: enter writes over it, escape does not."
    line = await console.push_screen_wait(LineScreen("Write over it?", str(path), told))
    return _expanded(line) if line else None


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


async def opened(console: Console, route: Route) -> RouteCall | None:
    """Ask for a path and read the call of ``route`` there; None, and why is told."""
    path = await _path(console, "Open a call from", "")
    if path is None:
        return None
    try:
        call = read_case(await asyncio.to_thread(_read, path))
    except UnicodeDecodeError:
        console.tell(f"{path} is no UTF-8 text.")
    except CaseUnreadable as error:
        console.tell(f"{path}: {error}")
    except (OSError, ValueError) as error:
        console.tell(f"{path} cannot be read: {_why(error)}.")
    else:
        if (call.service, call.method) == (route.service_id, route.method) and call.path in (
            route.path, route.below
        ):  # fmt: skip
            return call
        console.tell(f"It is a call of {call.method} {call.path} of {call.service}, another route.")
    return None


def _read(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise CaseUnreadable(f"It has more than {MOST_BYTES:,} bytes.")
    return content.decode("utf-8")


async def _path(console: Console, title: str, first: str) -> Path | None:
    line = await console.push_screen_wait(LineScreen(title, first, f"Below {Path.cwd()}"))
    return _expanded(line) if line else None


def _expanded(line: str) -> Path:
    try:
        return Path(line).expanduser()
    except RuntimeError:
        # Nobody is called so: the path is told with what is wrong about it.
        return Path(line)


def _name(call: RouteCall) -> str:
    """A file's name from service, method and path, e.g. ``shop-POST-orders-id.json``."""
    words = re.sub(r"[^A-Za-z0-9_-]+", "-", f"{call.service}-{call.method}-{call.path}")
    return f"{re.sub('-+', '-', words).strip('-')[:100]}.json"
