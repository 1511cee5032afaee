"""SET_VARIABLE: its input goes into the execution's variables."""

from __future__ import annotations

import json

from services.executor.core.kind import Finished, Kind, Next, View, unusable

MAX_BYTES = 256 << 10


class SetVariable(Kind):
    """Sets a variable for every key of its input; all together hold at most 256 KB as JSON."""

    def begin(self, view: View) -> Next:
        variables = {**view.variables, **view.input}
        text = json.dumps(variables, ensure_ascii=False, separators=(",", ":"))
        # What came from elsewhere may hold half a surrogate pair, which is no reason to fail.
        size = len(text.encode("utf-8", "surrogatepass"))
        if size > MAX_BYTES:
            return unusable(
                f"The variables would hold {size} bytes; at most {MAX_BYTES} are allowed."
            )
        return Finished(variables=view.input)
