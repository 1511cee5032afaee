"""Scripts stored in their service: shown first, sent once, and read again where that changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from podium.registry.v1 import registry_pb2 as pb
from services.errors import ServiceError
from services.home import HomeUnusable
from services.json_text import parse_json
from tui.live import putting
from tui.live.putting import Answer
from tui.screens.definition.saving import SaveScreen
from tui.views.drafts import command
from tui.views.route_scripts import RouteGone, compared, scripts_of, with_scripts

if TYPE_CHECKING:
    from tui.app import Console
    from tui.resources.routes import Route


class ScriptSaver:
    """Of one route.

    Attributes:
        stored: Its scripts, as they were read.
        faults: What the registry says is wrong: dotted paths and details.
    """

    def __init__(self, console: Console, route: Route) -> None:
        self._console, self._route = console, route
        # The session in which it was read: what is written is of that suite for good.
        self._session = console.session
        self._service: Mapping[str, Any] = dict(route.definition.document)
        self._etag = route.definition.etag
        self.stored = scripts_of(self._service, route.method, route.below)
        self.faults: tuple[tuple[str, str], ...] = ()

    async def save(self, scripts: Mapping[str, str]) -> bool:
        """Show what differs, and store it; whether it is stored, or was so already."""
        self.faults = ()
        try:
            return await self._save(scripts)
        except RouteGone as error:
            self._console.tell(str(error))
        except (ServiceError, HomeUnusable) as error:
            self._console.tell(putting.in_words(error))
        return False

    async def _save(self, scripts: Mapping[str, str]) -> bool:
        answer, warnings = await self._put(scripts, dry_run=True), []
        if answer.stale:
            warnings = [await self._read_again()]
            answer = await self._put(scripts, dry_run=True)
        if answer.result is None:
            return self._refused(answer)
        if answer.result.outcome == pb.OUTCOME_UNCHANGED:
            self._console.tell("Nothing differs from what is stored.", "information")
            return True
        warnings += answer.result.warnings
        screen = SaveScreen(
            self.title, compared(self.stored), compared(scripts), warnings, [("same", "Save")]
        )
        if await self._console.push_screen_wait(screen) != "same":
            return False
        return await self._send(scripts)

    @property
    def title(self) -> str:
        """Whose scripts they are."""
        return f"{self._route.method} {self._route.path} of service {self._route.service_id}"

    async def _send(self, scripts: Mapping[str, str]) -> bool:
        log = self._session.log
        entry = log.sent(f"Save scripts of {self.title}", command(self._document(scripts), {}))
        answer = await self._put(scripts, dry_run=False)
        if answer.result is None:
            told = answer.stale or answer.failed or answer.faults[0][1]
            log.failed(entry, told)
            # What came while the difference was shown is shown before anything is stored.
            return await self._save(scripts) if answer.stale else self._refused(answer)
        log.done(entry, f"revision {answer.revision}")
        self._take(parse_json(answer.result.definition.document), answer.result.definition.etag)
        self._console.tell("The scripts are stored.", "information")
        return True

    def _document(self, scripts: Mapping[str, str]) -> dict[str, Any]:
        document = with_scripts(self._service, self._route.method, self._route.below, scripts)
        return {"kind": "service", **document}

    async def _put(self, scripts: Mapping[str, str], *, dry_run: bool) -> Answer:
        document = self._document(scripts)
        return await putting.put(self._session.connection, document, self._etag, dry_run=dry_run)

    async def _read_again(self) -> str:
        """The service was changed: go on with what it is now; who has changed what."""
        found = await putting.stored(self._session.connection, "service", self._route.service_id)
        if found is None:
            raise RouteGone(f"The service {self._route.service_id!r} was deleted.")
        before = self.stored
        self._take(parse_json(found.document), found.etag)
        others = "" if self.stored == before else ", and these scripts too: look what differs"
        return f"{found.updated_by} has changed the service meanwhile{others}."

    def _take(self, document: Any, etag: str) -> None:
        self.stored = scripts_of(document, self._route.method, self._route.below)
        self._service, self._etag = document, etag

    def _refused(self, answer: Answer) -> bool:
        self.faults = answer.faults
        where = ": ".join(filter(None, answer.faults[0])) if answer.faults else ""
        self._console.tell(answer.failed or answer.stale or where)
        return False
