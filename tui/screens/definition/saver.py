"""Storing what a form holds: checked, shown, sent, and done once the stream tells of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from services.errors import ServiceError
from services.home import HomeUnusable
from services.json_text import Json, parse_json
from tui.live import putting
from tui.live.actions import ActionEntry
from tui.live.putting import Answer
from tui.live.session import Feed
from tui.resources import find
from tui.screens.definition.saving import ConflictScreen, SaveScreen
from tui.screens.once import OnceScreen, Shown
from tui.views import drafts
from tui.views.changes import diff, same
from tui.views.differences import lines
from tui.views.merging import merged
from tui.widgets.working import begin

if TYPE_CHECKING:
    from podium.registry.v1 import registry_pb2 as pb
    from tui.app import Console
    from tui.views.drafts import Draft

UNCHANGED = 3


class Writing(Protocol):
    """Whoever has a draft that is to be stored.

    Attributes:
        draft: What was read.
        title: What is written, for dialogs.
        part: The part of the draft that is written, as it is now.
        hidden: The fields that stand in no log.
    """

    draft: Draft

    @property
    def console(self) -> Console: ...
    @property
    def is_attached(self) -> bool: ...
    @property
    def title(self) -> str: ...
    @property
    def part(self) -> Json: ...
    @property
    def hidden(self) -> Collection[str]: ...
    def mark(self, answer: Answer, *, all_of_it: bool = False) -> None:
        """Show what is wrong."""

    def take(self, draft: Draft, part: Json | None) -> None:
        """Go on with ``part`` against what is there by now."""

    async def end(self, name: str) -> None:
        """It is stored, and the stream has told so; empty: it was dropped."""


class Saver:
    """What happens from Ctrl+S on, for one draft.

    Attributes:
        is_stored: The registry has it.
    """

    def __init__(self, pane: Writing) -> None:
        self._pane = pane
        # What was read in one suite is stored in no other.
        self._session = pane.console.session
        self._busy = False
        self._feed: Feed | None = None
        self._awaited = 0
        self._name = ""
        self.is_stored = False

    def begin(self) -> None:
        """Check it, show what differs, send it; once at a time."""
        if self.is_stored:
            self._pane.console.tell("It is sent; the stream has not told of it yet.", "information")
        elif not self._busy:
            self._busy = True
            # The screen's, not the pane's: whoever leaves meanwhile still sees a generated key.
            begin(self._pane.console.frame, self._save, "save")

    def close(self) -> None:
        """Follow no more."""
        if self._feed is not None:
            self._session.close(self._feed)
            self._feed = None

    def flush(self) -> None:
        """See whether the stream tells of what was stored."""
        if self._feed is None or not self._awaited:
            return
        record = self._feed.collection.get(self._name)
        if record is not None and record.revision >= self._awaited:
            self._awaited = 0
            self._done()

    async def _save(self) -> None:
        try:
            await self._checked_and_sent()
        finally:
            self._busy = False

    async def _checked_and_sent(self) -> None:
        pane = self._pane
        document = pane.draft.whole(pane.part)
        answer = await self._put(document, dry_run=True)
        if not pane.is_attached:
            return
        if answer.result is None:
            await self._refused(answer, document)
            return
        if answer.result.outcome == UNCHANGED:
            pane.console.tell("Nothing differs from what is stored.", "information")
            return
        difference = list(lines(answer.result, "written"))
        screen = SaveScreen(pane.title, difference[1:], list(answer.result.warnings))
        if await pane.console.push_screen_wait(screen) == "save":
            await self._sent(document, difference[0])

    async def _put(self, document: Mapping[str, Json], *, dry_run: bool) -> Answer:
        etag = self._pane.draft.etag_for(document)
        return await putting.put(self._session.connection, document, etag, dry_run=dry_run)

    async def _sent(self, document: dict[str, Json], title: str) -> None:
        pane = self._pane
        log = self._session.log
        entry = log.sent(f"Save {title}", drafts.command(document, pane.hidden))
        pane.console.tell("Sent…", "information")
        answer = await self._put(document, dry_run=False)
        if answer.result is None:
            log.failed(entry, answer.stale or answer.failed or answer.faults[0][1])
            await self._refused(answer, document)
        else:
            await self._stored(entry, answer.result, answer.revision)

    async def _stored(self, entry: ActionEntry, result: pb.PutResult, revision: int) -> None:
        pane = self._pane
        self.is_stored = True
        self._session.log.done(entry, f"revision {revision}")
        self._name, self._awaited = result.definition.name, result.definition.revision
        resource = find(pane.draft.kind)
        if pane.is_attached and resource is not None and resource.source is not None:
            self._feed = self._session.open(resource.source)
        if result.generated_keys:
            self._session.keys.learn(result.definition.name, result.generated_keys[0].key)
            keys = [Shown(f"key {each.name}", each.key) for each in result.generated_keys]
            await pane.console.push_screen_wait(OnceScreen(f"auth {self._name}", keys))

    def _done(self) -> None:
        """The stream has told of it."""
        pane = self._pane
        pane.console.tell(f"{pane.draft.kind} {self._name} is stored.", "information")
        begin(pane.console.frame, partial(pane.end, self._name), "leave")

    # What is refused

    async def _refused(self, answer: Answer, document: Mapping[str, Json]) -> None:
        pane = self._pane
        if answer.failed:
            pane.console.tell(answer.failed)
        elif answer.stale and pane.draft.etag != drafts.NEW:
            await self._conflict(document)
        else:
            pane.mark(answer, all_of_it=True)
            faults = answer.faults or (("", answer.stale),)
            more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
            pane.console.tell(f"{': '.join(filter(None, faults[0]))}{more}")

    async def _conflict(self, document: Mapping[str, Json]) -> None:
        """Somebody else has changed it: both changes are shown, and neither is lost unasked."""
        pane = self._pane
        theirs = await self._theirs()
        if theirs is None:
            return
        now, etag, told = theirs
        if same(now, dict(document)):
            # It was stored, and the answer lost: what is written is what is there.
            pane.console.tell("What was written is what is stored.", "information")
            self._go_on(now, etag, theirs=True)
            return
        base = dict(pane.draft.base)
        both, meeting = merged(base, now, dict(document))
        screen = ConflictScreen(
            told, _diff(base, now), _diff(base, dict(document)), meeting
        )  # fmt: skip
        answer = await pane.console.push_screen_wait(screen)
        if answer == "both" and not pane.draft.within:
            self._go_on(now, etag, written=both)
        elif answer != "edit":
            self._go_on(now, etag, theirs=answer == "theirs")

    async def _theirs(self) -> tuple[dict[str, Json], str, str] | None:
        """What is stored now, its etag, and who did it; None: nobody says, which is told."""
        pane = self._pane
        try:
            found = await putting.stored(
                self._session.connection, pane.draft.kind, pane.draft.name,
                pane.draft.version,
            )  # fmt: skip
        except (ServiceError, HomeUnusable) as error:
            pane.console.tell(putting.in_words(error))
            return None
        if found is None:
            return {}, drafts.NEW, f"{pane.draft.kind} {pane.draft.name} was deleted meanwhile."
        document: Any = parse_json(found.document)
        what = f"{pane.draft.kind} {pane.draft.name}"
        told = f"Since you read {what}, it was changed by {found.updated_by}."
        return document, found.etag, told

    def _go_on(
        self, now: dict[str, Json], etag: str, *, theirs: bool = False, written: Json = None
    ) -> None:
        """Go on against what is there now: with that, with ``written``, or with what is written."""
        pane = self._pane
        if theirs and etag == drafts.NEW:
            begin(pane.console.frame, partial(pane.end, ""), "leave")
        else:
            draft = pane.draft.read_again(now, etag)
            kept = written if written is not None else pane.part
            pane.take(draft, draft.part() if theirs else kept)


def _diff(before: Json, after: Json) -> list[str]:
    return diff(before, after, ("read", "then"))[2:] or ["(nothing)"]
