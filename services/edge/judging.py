"""Values judged by the schemas of routes; what cannot be judged is a problem of the call."""

from __future__ import annotations

from collections.abc import Callable

from services import judging
from services.edge.problems import Faults, Problem, retry_after
from services.errors import Overloaded
from services.json_text import Json


class RouteJudges:
    """Judges for the edge; whoever makes them closes them."""

    def __init__(self, judges: judging.Judges | None = None) -> None:
        self._judges = judges or judging.Judges()

    async def faults(
        self,
        name: str,
        schema: str,
        read: Callable[[], Json],
        size: int,
        written: Callable[[], bytes],
    ) -> Faults:
        """As :meth:`services.judging.Judges.faults`.

        Args:
            name: How the schema is called in errors: the field of the route.

        Raises:
            Problem: 500, naming the schema: it took too long, or too much memory. 503: too much
                is waiting to be judged.
        """
        try:
            return await self._judges.faults(schema, read, size, written)
        except judging.Unjudged as error:
            told = f"The {name} of this route {error.why}: the schema or the value is too involved."
            raise Problem("schema-failed", told, inside=(("", told),)) from None
        except Overloaded:
            raise Problem("overloaded", headers=(retry_after(),)) from None

    async def close(self) -> None:
        """End the children."""
        await self._judges.close()
