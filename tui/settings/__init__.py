"""The console's settings: a TOML file, read into values."""

from tui.settings.files import Kept, read, settings_path, state_folder
from tui.settings.keymaps import PRESETS, RESERVED, keymap
from tui.settings.model import DEFAULT_CONTEXT, Context, Fault, Settings, ThemeColors
from tui.settings.parsing import Known, Parsed, parse

__all__ = [
    "DEFAULT_CONTEXT",
    "PRESETS",
    "RESERVED",
    "Context",
    "Fault",
    "Kept",
    "Known",
    "Parsed",
    "Settings",
    "ThemeColors",
    "keymap",
    "parse",
    "read",
    "settings_path",
    "state_folder",
]
