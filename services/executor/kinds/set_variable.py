"""SET_VARIABLE: its input goes into the execution's variables."""

from __future__ import annotations

from services.executor.core.kind import Finished, Kind, Next, View, unusable
from services.executor.core.sizes import too_large


class SetVariable(Kind):
    """Sets a variable for every key of its input; all together hold at most 256 KB as JSON."""

    def begin(self, view: View) -> Next:
        fault = too_large({**view.variables, **view.input})
        return Finished(variables=view.input) if fault is None else unusable(fault)
