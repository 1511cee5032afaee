"""What holds for all that chance sends."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import services

# All of the services' code: what is loaded in the middle of a test would change what is drawn.
for module in pkgutil.walk_packages(services.__path__, "services."):
    if not module.name.endswith("__main__"):
        import_module(module.name)
