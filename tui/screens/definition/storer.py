"""Storing what was written as text: shown first, sent once, and believed when the stream tells."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.content import Content

from podium.registry.v1 import registry_pb2 as pb
from services.errors import ServiceError
from services.home import HomeUnusable
from services.json_text import Json, parse_json
from tui.live import putting
from tui.live.actions import ActionEntry
from tui.live.putting import Answer
from tui.screens.definition.saving import ConflictScreen
from tui.screens.definition.storing import StoreScreen
from tui.screens.once import OnceScreen, Shown
from tui.views import drafts, writing
from tui.views.changes import diff, same
from tui.views.merging import merged
from tui.views.visible import in_one_line
from tui.widgets.working import begin

if TYPE_CHECKING:
    from tui.screens.definition.editor import DefinitionEditorPane

VERSIONED = ("workflow", "schema")


class Storer:
    """What happens from Ctrl+S on, for one editor."""

    def __init__(self, pane: DefinitionEditorPane) -> None:
        self._pane = pane
        self._busy = False
        self._awaited: pb.Definition | None = None
        self._text = ""

    @property
    def is_awaited(self) -> bool:
        """Whether the registry has it and the stream has not told of it."""
        return self._awaited is not None

    def begin(self) -> None:
        """Check it, show what differs, send it; once at a time."""
        if not self._busy:
            self._busy = True
            # The screen's, not the pane's: whoever leaves meanwhile still hears what came of it.
            begin(self._pane.console.frame, self._store, "store")

    def flush(self) -> None:
        """See whether the stream tells of what was stored."""
        wanted = self._awaited
        if wanted is None:
            return
        known = self._pane.known.definition(wanted.name)
        versions = known.stored if known is not None else ()
        found = next((each for each in versions if each.version == wanted.version), None)
        if found is not None and found.revision >= wanted.revision:
            self._awaited = None
            self._told(wanted)

    async def _store(self) -> None:
        try:
            await self._checked_and_sent()
        finally:
            self._busy = False

    async def _checked_and_sent(self) -> None:
        pane, text = self._pane, self._pane.editor.text
        read = writing.read(text, pane.editor.language)
        if read.document is None:
            return
        document = pane.to_send(read.document)
        answer = await self._put(document, dry_run=True)
        if answer.result is None:
            await self._refused(answer, document)
            return
        if answer.result.outcome == pb.OUTCOME_UNCHANGED:
            pane.console.tell("Nothing differs from what is stored.", "information")
            self._same(text)
            return
        chosen = await self._ask(document, answer.result)
        if chosen == "back" or not pane.is_attached:
            return
        if chosen != "same":
            text = writing.with_version(text, pane.editor.language, int(chosen))
            document = {**document, "version": int(chosen)}
            pane.editor.rewrite(text)
        await self._sent(document, text)

    async def _ask(self, document: dict[str, Json], result: pb.PutResult) -> str:
        """``same``: as it says; a number: as that version; ``back``: not at all."""
        pane = self._pane
        name = result.definition.name
        before = writing.written(dict(pane.draft.base), "json") if pane.draft.base else ""
        after = writing.written(document, "json")
        choices = [("same", "Save")]
        if pane.kind in VERSIONED:
            version = writing.version_of(document)
            known = pane.known.definition(name)
            last = max(known.versions) if known is not None else 0
            choices = [("same", f"Save as version {version}")]
            if version <= last:
                choices.append((str(last + 1), f"Save as version {last + 1}"))
        title = f"{pane.kind} {name}"
        told = list(result.warnings)
        if pane.draft.name not in ("", name):
            told.insert(0, f"{name} is another {pane.kind}: {pane.draft.name} stays as it is.")
        screen = StoreScreen(title, before, after, told, choices)
        return await pane.app.push_screen_wait(screen)

    async def _put(self, document: dict[str, Json], *, dry_run: bool) -> Answer:
        pane = self._pane
        connection = pane.session.connection
        return await putting.put(connection, document, self._etag(document), dry_run=dry_run)

    def _etag(self, document: dict[str, Json]) -> str:
        draft = self._pane.draft
        if drafts.name_of(draft.kind, document) != draft.name:
            return drafts.NEW
        return draft.etag_for(document)

    async def _sent(self, document: dict[str, Json], text: str) -> None:
        pane = self._pane
        name = drafts.name_of(pane.kind, document)
        title = f"Save {pane.kind} {name}"
        if pane.kind in VERSIONED:
            title += f" v{writing.version_of(document)}"
        log = pane.session.log
        entry = log.sent(title, _command(pane.kind, document))
        answer = await self._put(document, dry_run=False)
        if answer.result is None:
            log.failed(entry, answer.stale or answer.failed or answer.faults[0][1])
            await self._refused(answer, document)
            return
        await self._stored(entry, answer, document, text)

    async def _stored(
        self, entry: ActionEntry, answer: Answer, document: dict[str, Json], text: str
    ) -> None:
        pane, result = self._pane, answer.result
        assert result is not None
        pane.session.log.done(entry, f"revision {answer.revision}")
        self._awaited, self._text = result.definition, text
        self._read_again(document, result.definition)
        if result.generated_keys:
            pane.session.keys.learn(result.definition.name, result.generated_keys[0].key)
            keys = [Shown(f"key {each.name}", each.key) for each in result.generated_keys]
            title = f"{pane.kind} {result.definition.name}"
            await pane.app.push_screen_wait(OnceScreen(title, keys))

    def _read_again(self, document: dict[str, Json], stored: pb.Definition) -> None:
        """What is written from here on is written against what is stored now."""
        pane = self._pane
        pane.forget_kept()
        pane.base_text = writing.compact(document)
        pane.draft = replace(
            pane.draft, base=document, etag=stored.etag, name=stored.name, version=stored.version
        )

    def _told(self, stored: pb.Definition) -> None:
        """The stream has told of it."""
        pane = self._pane
        self._same(self._text)
        version = f" v{stored.version}" if stored.version else ""
        pane.console.tell(f"{pane.kind} {stored.name}{version} is stored.", "information")
        pane.console.place_changed()
        if pane.on_stored is not None:
            begin(pane.console.frame, self._left, "leave")

    async def _left(self) -> None:
        """Back to who wanted something created."""
        pane = self._pane
        await pane.console.frame.close(pane)
        if pane.on_stored is not None:
            pane.on_stored(pane.draft.name)

    def _same(self, text: str) -> None:
        """``text`` says what is stored."""
        pane = self._pane
        pane.editor.mark_saved(text)
        pane.editor.border_title = Content(in_one_line(pane.title))
        if not pane.dirty:
            pane.forget_kept()

    # What is refused

    async def _refused(self, answer: Answer, document: dict[str, Json]) -> None:
        pane = self._pane
        if answer.failed:
            pane.checker.take(answer)
            pane.console.tell(answer.failed)
        elif answer.stale and self._etag(document) != drafts.NEW:
            await self._conflict(answer.stale, document)
        else:
            pane.checker.take(answer)
            faults = answer.faults or (("", answer.stale),)
            more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
            pane.console.tell(f"{': '.join(filter(None, faults[0]))}{more}")
            pane.editor.action_fault(1)

    async def _conflict(self, told: str, document: dict[str, Json]) -> None:
        """Somebody else has changed it: both changes are shown, and neither is lost unasked."""
        pane = self._pane
        theirs = await self._theirs()
        if theirs is None:
            return
        now, stored, by = theirs
        if same(now, document):
            # It was stored, and the answer lost: what is written is what is there.
            pane.console.tell("What was written is what is stored.", "information")
            self._go_on(now, stored)
            self._same(pane.editor.text)
            return
        base = dict(pane.draft.base)
        both, meeting = merged(base, now, document)
        screen = ConflictScreen(
            f"{told} {by}", _diff(base, now), _diff(base, document), meeting
        )  # fmt: skip
        chosen = await pane.app.push_screen_wait(screen)
        if chosen == "edit" or not pane.is_attached:
            return
        self._go_on(now, stored)
        if chosen == "theirs" and stored.etag == drafts.NEW:
            pane.forget_kept()
            await pane.console.frame.close(pane)
            return
        if chosen == "theirs":
            pane.editor.rewrite(writing.written(now, pane.editor.language))
            self._same(pane.editor.text)
        elif chosen == "both":
            pane.editor.rewrite(writing.written(both, pane.editor.language))
        pane.text_changed()

    async def _theirs(self) -> tuple[dict[str, Json], pb.Definition, str] | None:
        """What is stored now, and whose it is; None: nobody says, which is told."""
        pane, draft = self._pane, self._pane.draft
        try:
            found = await putting.stored(
                pane.session.connection, draft.kind, draft.name, draft.version
            )
        except (ServiceError, HomeUnusable) as error:
            pane.console.tell(putting.in_words(error))
            return None
        if found is None:
            gone = pb.Definition(name=draft.name, version=draft.version, etag=drafts.NEW)
            return {}, gone, "It was deleted."
        document: Any = parse_json(found.document)
        return document, found, f"It was {found.updated_by}."

    def _go_on(self, now: dict[str, Json], stored: pb.Definition) -> None:
        """Go on against what is there now; the text stays."""
        pane = self._pane
        pane.base_text = writing.compact(now) if now else ""
        pane.draft = replace(pane.draft, base=now, etag=stored.etag)


def _diff(before: Json, after: Json) -> list[str]:
    return diff(before, after, ("read", "then"))[2:] or ["(nothing)"]


def _command(kind: str, document: dict[str, Json]) -> str:
    """The command line that stores it; what may hold keys is not shown in it."""
    return drafts.APPLY_FILE if kind in ("auth", "secret") else drafts.command(document)
