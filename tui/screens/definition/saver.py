"""Storing what was written: checked, shown, sent once, and done when the stream tells of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from podium.registry.v1 import registry_pb2 as pb
from services.errors import ServiceError
from services.home import HomeUnusable
from services.json_text import Json, parse_json
from tui.live import putting
from tui.live.actions import ActionEntry
from tui.live.putting import Answer
from tui.resources import find
from tui.resources.catalog import Definition
from tui.screens.definition.saving import ConflictScreen, SaveScreen
from tui.screens.once import OnceScreen, Shown
from tui.views import drafts, writing
from tui.views.changes import diff, same
from tui.views.merging import merged
from tui.widgets.working import begin

if TYPE_CHECKING:
    from tui.app import Console
    from tui.views.drafts import Draft
    from tui.views.editing import Language

VERSIONED = ("schema", "workflow")
SLOW_SECONDS = 1.0
AWAITED = ("⋯ stored, the stream has not told of it yet", "primary")
"""How a place stands whose document the registry has, in words and tone."""


class Writing(Protocol):
    """A place where a definition is written: a form, a text, a matrix.

    Attributes:
        draft: What was read.
        title: What is written, for dialogs.
        language: In which differences are shown.
        dirty: Whether something is written that was not sent.
    """

    draft: Draft

    @property
    def console(self) -> Console: ...
    @property
    def is_attached(self) -> bool: ...
    @property
    def title(self) -> str: ...
    @property
    def language(self) -> Language: ...
    @property
    def dirty(self) -> bool: ...
    def to_save(self) -> dict[str, Json] | None:
        """The document as it is written now; None: it cannot be read, which is shown."""

    def turn_to_version(self, version: int) -> None:
        """Write it as another version, and otherwise as it is."""

    def command(self, document: Mapping[str, Json]) -> str:
        """The command line that stores it."""

    def mark(self, answer: Answer, *, all_of_it: bool = False) -> None:
        """Show what is wrong; ``all_of_it``: also what is merely missing so far."""

    def take(self, draft: Draft, document: Mapping[str, Json] | None, *, theirs: bool) -> None:
        """Write on against what is there by now, with ``document``, or with what is written."""

    def sent(self, draft: Draft) -> None:
        """What was to be saved is stored, and is ``draft`` from here on."""

    def is_as_stored(self) -> None:
        """What was to be saved is what is stored."""

    def told(self, name: str) -> None:
        """The stream has told of what was sent."""

    async def leave(self) -> None:
        """What was written is not wanted any more."""


class Saver:
    """What happens from Ctrl+S on, in one place."""

    def __init__(self, pane: Writing) -> None:
        self._pane = pane
        # What was read in one suite is stored in no other.
        self._session = pane.console.session
        self._busy = False
        self._awaited: pb.Definition | None = None
        resource = find(pane.draft.kind)
        source = resource.source if resource is not None else None
        self._feed = self._session.open(source) if source is not None else None

    @property
    def is_awaited(self) -> bool:
        """Whether the registry has it and the stream has not told of it."""
        return self._awaited is not None

    def begin(self) -> None:
        """Check it, show what differs, send it; once at a time."""
        if self.is_awaited and not self._pane.dirty:
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
        wanted = self._awaited
        if wanted is None:
            return
        known = self._known(wanted.name)
        versions = known.stored if known is not None else ()
        # Of several versions it need not be the latest.
        if any(
            each.version == wanted.version and each.revision >= wanted.revision for each in versions
        ):
            self._awaited = None
            self._say_stored(wanted)
            self._pane.told(wanted.name)

    def _say_stored(self, stored: pb.Definition) -> None:
        version = f" v{stored.version}" if stored.version else ""
        text = f"{stored.kind} {stored.name}{version} is stored."
        self._pane.console.tell(text, "information")

    def _known(self, name: str) -> Definition | None:
        found = self._feed.collection.get(name) if self._feed is not None else None
        return found.definition if found is not None else None

    async def _save(self) -> None:
        try:
            await self._checked_and_sent()
        finally:
            self._busy = False

    async def _checked_and_sent(self) -> None:
        pane = self._pane
        document = pane.to_save()
        if document is None:
            return
        answer = await self._put(document, dry_run=True)
        if not pane.is_attached:
            return
        if answer.result is None:
            await self._refused(answer, document)
        elif answer.result.outcome == pb.OUTCOME_UNCHANGED:
            pane.console.tell("Nothing differs from what is stored.", "information")
            pane.is_as_stored()
        else:
            await self._asked_and_sent(answer.result, document)

    async def _asked_and_sent(self, result: pb.PutResult, document: dict[str, Json]) -> None:
        chosen = await self._ask(result, document)
        if chosen == "back" or not self._pane.is_attached:
            return
        if chosen != "same":
            document = {**document, "version": int(chosen)}
            self._pane.turn_to_version(int(chosen))
        await self._send(document)

    async def _ask(self, result: pb.PutResult, document: dict[str, Json]) -> str:
        """``same``: as it says; a number: as that version; ``back``: not at all."""
        pane, name = self._pane, result.definition.name
        before, after, note = writing.compared(result, pane.language)
        told = [*([note] if note else []), *result.warnings]
        if pane.draft.name not in ("", name):
            kind = pane.draft.kind
            told.insert(0, f"{name} is another {kind}: {pane.draft.name} stays as it is.")
        screen = SaveScreen(pane.title, before, after, told, self._choices(name, document))
        return await pane.console.push_screen_wait(screen)

    def _choices(self, name: str, document: dict[str, Json]) -> list[tuple[str, str]]:
        if self._pane.draft.kind not in VERSIONED:
            return [("same", "Save")]
        version, known = writing.version_of(document), self._known(name)
        last = max(known.versions) if known is not None else 0
        choices = [("same", f"Save as version {version}")]
        if version <= last:
            choices.append((str(last + 1), f"Save as version {last + 1}"))
        return choices

    async def _put(self, document: Mapping[str, Json], *, dry_run: bool) -> Answer:
        # Conditional on what was read or, after a conflict, on what was shown.
        etag = self._pane.draft.etag_for(document)
        return await putting.put(self._session.connection, document, etag, dry_run=dry_run)

    async def _send(self, document: dict[str, Json]) -> None:
        pane, log = self._pane, self._session.log
        kind = pane.draft.kind
        title = f"Save {kind} {drafts.name_of(kind, document)}"
        if kind in VERSIONED:
            title += f" v{writing.version_of(document)}"
        entry = log.sent(title, pane.command(document))
        answer = await self._answered(document)
        if answer.result is None:
            log.failed(entry, answer.stale or answer.failed or answer.faults[0][1])
            await self._refused(answer, document)
        else:
            await self._stored(entry, answer.result, answer.revision, document)

    async def _answered(self, document: Mapping[str, Json]) -> Answer:
        """What the registry says to it; that it is on its way is said where that takes long."""
        waiting = partial(self._pane.console.tell, "Sent; no answer yet.", "information")
        slow = asyncio.get_running_loop().call_later(SLOW_SECONDS, waiting)
        try:
            return await self._put(document, dry_run=False)
        finally:
            slow.cancel()

    async def _stored(
        self, entry: ActionEntry, result: pb.PutResult, revision: int, document: dict[str, Json]
    ) -> None:
        pane, stored = self._pane, result.definition
        self._session.log.done(entry, f"revision {revision}")
        self._awaited = stored
        if not pane.is_attached:
            # Whoever has left it sees no stream tell of it.
            self._say_stored(stored)
        pane.sent(pane.draft.stored_as(document, stored.etag, stored.name, stored.version))
        if result.generated_keys:
            self._session.keys.learn(stored.name, result.generated_keys[0].key)
            keys = [Shown(f"key {each.name}", each.key) for each in result.generated_keys]
            await pane.console.push_screen_wait(OnceScreen(f"{stored.kind} {stored.name}", keys))

    # What is refused

    async def _refused(self, answer: Answer, document: Mapping[str, Json]) -> None:
        pane = self._pane
        if answer.stale and pane.draft.etag_for(document) != drafts.NEW:
            await self._conflict(document)
            return
        pane.mark(answer, all_of_it=not answer.failed)
        if answer.failed:
            pane.console.tell(answer.failed)
            return
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
        draft = pane.draft.read_again(now, etag)
        if same(now, dict(document)):
            # It was stored, and the answer lost: what is written is what is there.
            pane.console.tell("What was written is what is stored.", "information")
            pane.take(draft, None, theirs=False)
            pane.is_as_stored()
            return
        base = dict(pane.draft.base)
        both, meeting = merged(base, now, dict(document))
        screen = ConflictScreen(told, _diff(base, now), _diff(base, dict(document)), meeting)
        match await pane.console.push_screen_wait(screen):
            case _ if not pane.is_attached:
                pass
            case "theirs" if etag == drafts.NEW:
                await pane.leave()
            case "theirs":
                pane.take(draft, now, theirs=True)
            case "both" if not draft.within and isinstance(both, dict):
                pane.take(draft, both, theirs=False)
            case "both" | "mine":
                # A part goes into what is around it by now.
                pane.take(draft, None, theirs=False)

    async def _theirs(self) -> tuple[dict[str, Json], str, str] | None:
        """What is stored now, its etag, and who did it; None: nobody says, which is told."""
        pane, draft = self._pane, self._pane.draft
        try:
            found = await putting.stored(
                self._session.connection, draft.kind, draft.name, draft.version
            )
        except (ServiceError, HomeUnusable) as error:
            pane.console.tell(putting.in_words(error))
            return None
        what = f"{draft.kind} {draft.name}"
        if found is None:
            return {}, drafts.NEW, f"{what} was deleted meanwhile."
        document: Any = parse_json(found.document)
        told = f"Since you read {what}, it was changed by {found.updated_by}."
        return document, found.etag, told


def _diff(before: Json, after: Json) -> list[str]:
    return diff(before, after, ("read", "then"))[2:] or ["(nothing)"]
