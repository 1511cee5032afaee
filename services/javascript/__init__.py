"""Users' scripts, run in child processes where nothing they do harms anything but themselves."""

from services.javascript.replies import Json, NoWorker, ScriptFailed
from services.javascript.scripts import JAVASCRIPT, JQ, Scripts, pool

__all__ = ["JAVASCRIPT", "JQ", "Json", "NoWorker", "ScriptFailed", "Scripts", "pool"]
