"""The console's file into settings: every fault with its line, and the rest as it is said."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from tui.settings.keymaps import PRESETS
from tui.settings.lines import lines_of
from tui.settings.model import ASCII, Context, Fault, Settings, ThemeColors

MOST_REFRESHES = 30.0
MOST_FAULTS = 50
_WORDS = {str: "text", bool: "true or false", float: "a number", dict: "a table"}


@dataclass(frozen=True, slots=True)
class Known:
    """What the file may name; None: anything goes."""

    themes: Collection[str] | None = None
    bindings: Collection[str] | None = None
    places: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """Settings and what is wrong with the file; where something is, its default stands."""

    settings: Settings
    faults: tuple[Fault, ...] = ()


def parse(text: str, known: Known | None = None) -> Parsed:
    """``text`` as settings."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        line = _line_in(message) or text.count("\n") + 1
        return Parsed(Settings(), (Fault(line, f"This is no TOML: {message}."),))
    except (RecursionError, ValueError) as error:
        # Lists within lists without end, or a number of thousands of digits.
        return Parsed(Settings(), (Fault(0, f"This is too much for settings: {error}."),))
    reader = _Reader(text, known or Known())
    settings = reader.settings(document)
    return Parsed(settings, tuple(sorted(reader.faults, key=lambda fault: fault.line)))


def _line_in(message: str) -> int:
    _, _, after = message.partition("at line ")
    number = after.partition(",")[0]
    return int(number) if number.isdecimal() else 0


class _Reader:
    def __init__(self, text: str, known: Known) -> None:
        self._text = text
        self._known = known
        self.faults: list[Fault] = []

    def fault(self, path: tuple[str, ...], message: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(self._lines.get(path, 0), message))

    @cached_property
    def _lines(self) -> Mapping[tuple[str, ...], int]:
        return lines_of(self._text)

    # The file

    def settings(self, document: Mapping[str, Any]) -> Settings:
        readers: dict[str, Callable[[tuple[str, ...], Any], Any]] = {
            "theme": self._text_of, "keymap": self._preset, "keys": self._keys,
            "refreshes_per_second": self._rate, "ascii": self._ascii, "start": self._place,
            "context": self._text_of, "views": self._views, "contexts": self._contexts,
            "themes": self._themes,
        }  # fmt: skip
        said = self._table((), document, readers)
        settings = Settings(**said)
        self._check_references(settings)
        return settings

    def _check_references(self, settings: Settings) -> None:
        if settings.context and settings.context not in settings.contexts:
            self.unknown(("context",), "context", settings.context, settings.contexts)
        themes = self._known.themes
        if themes is not None and settings.theme:
            every = [*themes, *settings.themes]
            if settings.theme not in every:
                self.unknown(("theme",), "theme", settings.theme, every)

    def unknown(
        self, path: tuple[str, ...], what: str, name: str, there_are: Collection[str]
    ) -> None:
        close = get_close_matches(name, there_are, 1)
        meant = f"; did you mean {close[0]}?" if close else "."
        listed = ", ".join(sorted(there_are)) if 0 < len(there_are) <= 30 else ""
        more = f" There are {listed}." if listed and not close else ""
        self.fault(path, f"There is no {what} {name!r}{meant}{more}")

    def _table(
        self,
        path: tuple[str, ...],
        table: Mapping[str, Any],
        readers: Mapping[str, Callable[[tuple[str, ...], Any], Any]],
    ) -> dict[str, Any]:
        """What ``readers`` make of a table's values; keys that are none are faults."""
        said: dict[str, Any] = {}
        for name, value in table.items():
            place = (*path, name)
            if name not in readers:
                self.unknown(place, "setting", name, readers)
            elif (read := readers[name](place, value)) is not None:
                said[name] = read
        return said

    # Values: None where there is a fault

    def _typed(self, path: tuple[str, ...], value: Any, type_: type) -> Any:
        fits = isinstance(value, type_) or (type_ is float and type(value) is int)
        if not fits:
            is_now = type(value).__name__.replace("str", "text").replace("dict", "a table")
            self.fault(path, f"{'.'.join(path)} takes {_WORDS[type_]}, not {is_now}.")
            return None
        return value

    def _text_of(self, path: tuple[str, ...], value: Any) -> Any:
        return self._typed(path, value, str)

    def _bool_of(self, path: tuple[str, ...], value: Any) -> Any:
        return self._typed(path, value, bool)

    def _preset(self, path: tuple[str, ...], value: Any) -> Any:
        if self._typed(path, value, str) is not None and value not in PRESETS:
            self.unknown(path, "keymap", value, PRESETS)
            return None
        return value if isinstance(value, str) else None

    def _rate(self, path: tuple[str, ...], value: Any) -> float | None:
        if self._typed(path, value, float) is None:
            return None
        # NaN is not within, either.
        if not 0.2 <= value <= MOST_REFRESHES:
            self.fault(path, f"{'.'.join(path)} lies between 0.2 and {MOST_REFRESHES:.0f}.")
            return None
        return float(value)

    def _ascii(self, path: tuple[str, ...], value: Any) -> Any:
        if self._typed(path, value, str) is not None and value not in ASCII:
            self.fault(path, f"ascii is one of {', '.join(ASCII)}.")
            return None
        return value if isinstance(value, str) else None

    def _place(self, path: tuple[str, ...], value: Any) -> Any:
        if self._typed(path, value, str) is None:
            return None
        noun = value.strip().partition(" ")[0].partition("/")[0]
        if self._known.places is not None and noun not in self._known.places:
            self.unknown(path, "place", noun, self._known.places)
            return None
        return value

    def _keys(self, path: tuple[str, ...], value: Any) -> dict[str, str] | None:
        if self._typed(path, value, dict) is None:
            return None
        keys: dict[str, str] = {}
        for name, text in _flattened(value):
            place = (*path, *name.split(".")) if name not in value else (*path, name)
            if self._known.bindings is not None and name not in self._known.bindings:
                self.unknown(place, "binding", name, self._known.bindings)
            elif self._typed(place, text, str) is not None:
                if all(key.strip() for key in text.split(",")):
                    keys[name] = text
                else:
                    self.fault(place, "A key is missing; write e.g. 'ctrl+k' or 'x,delete'.")
        return keys

    def _views(self, path: tuple[str, ...], value: Any) -> dict[str, str] | None:
        if self._typed(path, value, dict) is None:
            return None
        return self._table(path, value, dict.fromkeys(value, self._place))

    def _contexts(self, path: tuple[str, ...], value: Any) -> dict[str, Context] | None:
        if self._typed(path, value, dict) is None:
            return None
        return self._named(path, value, Context)

    def _themes(self, path: tuple[str, ...], value: Any) -> dict[str, ThemeColors] | None:
        if self._typed(path, value, dict) is None:
            return None
        themes = self._named(path, value, ThemeColors)
        for name in [name for name, theme in themes.items() if not theme.primary]:
            self.fault((*path, name), f"The theme {name} needs its primary colour.")
            del themes[name]
        return themes

    def _named(self, path: tuple[str, ...], value: Mapping[str, Any], type_: Any) -> dict[str, Any]:
        """Tables by name, each as a ``type_``."""
        readers = {
            each.name: self._bool_of if isinstance(each.default, bool) else self._text_of
            for each in fields(type_)
            if each.name != "name"
        }
        found: dict[str, Any] = {}
        for name, table in value.items():
            if self._typed((*path, name), table, dict) is not None:
                found[name] = type_(name, **self._table((*path, name), table, readers))
        return found


def _flattened(table: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """Bare ``list.mark`` is a table in TOML; here it is a name."""
    found: list[tuple[str, Any]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            found.extend(_flattened(value, f"{before}{name}."))
        else:
            found.append((f"{before}{name}", value))
    return found
