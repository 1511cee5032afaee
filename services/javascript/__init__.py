"""Users' scripts, run in child processes where nothing they do harms anything but themselves."""

from services.javascript.replies import Json, NoWorker, ScriptFailed
from services.javascript.scripts import Scripts, pool

__all__ = ["Json", "NoWorker", "ScriptFailed", "Scripts", "pool"]
