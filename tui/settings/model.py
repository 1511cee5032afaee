"""What the console can be told in its file, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ASCII = ("auto", "yes", "no")
DEFAULT_CONTEXT = "podium"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the file.

    Attributes:
        line: Where, from 1; 0: it is about the file as a whole.
    """

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message


@dataclass(frozen=True, slots=True)
class Context:
    """A suite, and how careful one must be there.

    Attributes:
        home: Its folder; empty: where the addresses say, or the usual one without them.
        registry: ``host:port``, gRPC; so are ``executor`` and ``edge``.
        gateway: A URL; so is ``management``.
        secret_file: Holds the secret of ``key_id``.
        ca_file: Who must have signed the certificates of its services; empty: they speak plain
            text, or the home says.
        cert_file: Shown to services that ask for a certificate; ``key_file`` is its key.
        server_name: What their certificates must be for, if not the host that is dialled.
        color: Of its name in the line on top; empty: the theme's accent.
        read_only: Actions are absent.
        protected: Whatever takes something away is confirmed by typing the context's name.
    """

    name: str
    home: str = ""
    registry: str = ""
    executor: str = ""
    edge: str = ""
    gateway: str = ""
    management: str = ""
    key_id: str = ""
    secret_file: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""
    color: str = ""
    read_only: bool = False
    protected: bool = False


@dataclass(frozen=True, slots=True)
class ThemeColors:
    """A theme of one's own: ``#rrggbb``, or a name of CSS; what is empty follows from the rest."""

    name: str
    primary: str = ""
    secondary: str = ""
    accent: str = ""
    success: str = ""
    warning: str = ""
    error: str = ""
    foreground: str = ""
    background: str = ""
    surface: str = ""
    panel: str = ""
    dark: bool = True


@dataclass(frozen=True, slots=True)
class Settings:
    """The console's settings; without a file they are these.

    Attributes:
        theme: A theme's name; empty: the default one.
        keymap: A preset of keys: see :data:`tui.settings.keymaps.PRESETS`.
        keys: Keys by a binding's id, several with commas; they win over the preset.
        refreshes_per_second: How often the screen shows what came; 0: 10, over SSH 4.
        ascii: Whether boxes and bars are drawn in ASCII; ``auto``: where the locale has no UTF-8.
        start: The place that is opened first.
        context: The one that is opened first; empty: the suite of ``--home`` or the environment.
        views: Places by a name of one's own.
    """

    theme: str = ""
    keymap: str = "default"
    keys: Mapping[str, str] = field(default_factory=dict)
    refreshes_per_second: float = 0.0
    ascii: str = "auto"
    start: str = "executions"
    context: str = ""
    views: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, Context] = field(default_factory=dict)
    themes: Mapping[str, ThemeColors] = field(default_factory=dict)
