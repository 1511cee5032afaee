"""A definition written by a form, with the whole of it as JSON and as YAML beside the form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from services.json_text import Json
from tui.live import putting
from tui.live.session import Feed
from tui.resources import find
from tui.resources.model import Resource
from tui.screens.asking import AskScreen
from tui.screens.definition.drafting import draft_of, new_route_of
from tui.screens.definition.names import Names
from tui.screens.definition.saver import AWAITED, Saver
from tui.screens.definition.sheet import Sheet
from tui.screens.definition.written import read_file, written_outside
from tui.screens.pane import Pane
from tui.views import drafts
from tui.views.addresses import Address
from tui.views.drafts import Draft
from tui.views.editing import Language
from tui.views.forms.documents import Missing, Path, value_at
from tui.views.forms.fields import Field, form_of
from tui.views.visible import in_one_line
from tui.widgets.form import Form
from tui.widgets.working import begin

# After the last change: the registry is asked what it thinks of it.
TRY_SECONDS = 0.3


class FormPane(Pane):
    """Creates a definition (``record`` None) or edits one.

    Attributes:
        draft: What was read, and which part of it is written.
        form: None until the registry has told what documents of the kind may say.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "sheet('form')", "Form", id="definition.form", show=False,
                tooltip="Write in the form"),
        Binding("2", "sheet('json')", "JSON", id="definition.json", show=False,
                tooltip="Write the whole as JSON"),
        Binding("3", "sheet('yaml')", "YAML", id="definition.yaml", show=False,
                tooltip="Look at the whole as YAML"),
        Binding("f", "file", "From file", id="definition.file",
                tooltip="Put what a file holds into the field"),
        Binding("ctrl+s", "save", "Save", id="definition.save", show=False,
                tooltip="Check it, show what differs, store it"),
        Binding("escape", "leave", "Leave", id="definition.leave", show=False,
                tooltip="From the text to the form, from the form to where you were"),
    ]  # fmt: skip
    # What differs of a script is read line by line.
    language: ClassVar[Language] = "yaml"
    DEFAULT_CSS = """
    FormPane > .waiting { padding: 1 2; color: $text-muted; }
    """

    def __init__(self, resource: Resource[Any], record: Any) -> None:
        super().__init__()
        self.resource = resource
        self.draft = draft_of(resource, record)
        self.form: Form | None = None
        self._schema: Feed | None = None
        self._names: Names | None = None
        self._sheet: Sheet | None = None
        self._saver: Saver | None = None
        self._trying: Timer | None = None
        self._sent_once = False

    def compose(self) -> ComposeResult:
        self._schema = self.console.session.open(putting.schema_of(self.draft.kind))
        self._saver = Saver(self)
        yield Static("Asking the registry what may be said…", classes="waiting", markup=False)

    def on_unmount(self) -> None:
        if self._schema is not None:
            self.console.session.close(self._schema)
        if self._names is not None:
            self._names.close()
        if self._saver is not None:
            self._saver.close()

    @property
    def title(self) -> str:
        """What is written, as its panel says it."""
        what = self.draft.kind if not self.draft.within else "route"
        if not self.draft.is_stored:
            return f"New {what}" + (f" of {self.draft.name}" if self.draft.within else "")
        return f"{self.draft.kind} {self.draft.name}" + (" · route" if self.draft.within else "")

    @property
    def address(self) -> Address:
        return Address(self.resource.name)

    @property
    def crumbs(self) -> tuple[str, ...]:
        if not self.draft.name:
            return (self.resource.name, "new")
        return (self.resource.name, self.draft.name, "edit" if self.draft.is_stored else "new")

    @property
    def service(self) -> str:
        return "registry"

    @property
    def dirty(self) -> bool:
        """Whether something is written that is not stored."""
        if self.form is None or self._sheet is None or self._is_sent:
            return False
        return self.form.changed or bool(self._sheet.unreadable)

    def standing(self, now: float) -> tuple[str, str]:
        return AWAITED if self._is_sent else super().standing(now)

    @property
    def _is_sent(self) -> bool:
        return self._saver is not None and self._saver.is_awaited

    def entered(self) -> None:
        if self._sheet is not None:
            self._sheet.entered()

    def flush(self, now: float) -> None:
        if self.form is None:
            self._begin()
        if self._names is not None and self.form is not None:
            self._names.offer(self.form)
        if self._saver is not None:
            self._saver.flush()

    def _begin(self) -> None:
        """Now that it is known what documents of the kind may say."""
        told = self._schema.collection.get(self.draft.kind) if self._schema else None
        if told is None:
            return
        field: Field | None = form_of(told.schema)
        for step in self.draft.within:
            field = field.item if isinstance(step, int) else field.field(step)  # type: ignore[union-attr]
        assert field is not None
        self._names = Names(self.console.session, field)
        self.form = Form(
            field, self.draft.part(), existing=self.draft.is_stored,
            names=self._names.known(), ascii=self.console.ascii,
        )  # fmt: skip
        self.form.border_title = Content(in_one_line(self.title))
        self._sheet = Sheet(self.form, self.shown, self._write)
        self.query_one(".waiting").remove()
        self.mount(self._sheet)
        self.call_after_refresh(self._sheet.entered)

    # What is written

    @property
    def _part(self) -> Json:
        return self.form.document if self.form is not None else {}

    def to_save(self) -> dict[str, Json]:
        """The whole document as it is written now."""
        return self.draft.whole(self._part)

    def command(self, document: Mapping[str, Json]) -> str:
        """The command line that stores it, without what nobody is to read over a shoulder."""
        form = self.form
        hidden = drafts.secrets_of(form.state.form, form.document) if form is not None else ()
        return drafts.command(document, hidden)

    def shown(self) -> Json:
        """What is written, without what nobody is to read over a shoulder."""
        assert self.form is not None
        return drafts.without_secrets(self.form.state.form, self.form.document)

    def turn_to_version(self, version: int) -> None:
        """Write it as another version."""
        if self.form is not None:
            self.form.put(("version",), version)

    def take(self, draft: Draft, document: Mapping[str, Json] | None, *, theirs: bool) -> None:
        """Write on against what is there by now."""
        if self.form is None or self._sheet is None:
            return
        part = self._part if document is None else value_at(dict(document), draft.within)
        self.draft = draft
        self.form.begin_again(draft.part(), existing=draft.is_stored)
        self.form.load({} if isinstance(part, Missing) else part)
        self._sheet.follow()
        self._try_soon()

    def sent(self, draft: Draft) -> None:
        """It is stored; the form stays until the stream tells so."""
        self.draft = draft

    def is_as_stored(self) -> None:
        """Nothing is to be done about it here."""

    def told(self, name: str) -> None:
        """Nothing is left to do here."""
        begin(self.console.frame, partial(self._end, name), "leave")

    def on_form_changed(self, message: Form.Changed) -> None:
        message.stop()
        if self._sheet is not None:
            self._sheet.follow()
        self._try_soon()

    def _write(self, document: Json) -> None:
        """Somebody wrote JSON: what it leaves unsaid of secrets stays."""
        if self.form is not None:
            hidden = drafts.secrets_of(self.form.state.form, self.form.document)
            self.form.load({**hidden, **document} if isinstance(document, dict) else document)

    def _try_soon(self) -> None:
        if self._trying is not None:
            self._trying.stop()
        self._trying = self.set_timer(TRY_SECONDS, self._try_now)

    def _try_now(self) -> None:
        self._trying = None
        begin(self, self._try, "try", exclusive=True)

    async def _try(self) -> None:
        """Ask the registry what it thinks of what is written so far."""
        document = self.to_save()
        etag = "" if self.draft.is_stored or self.draft.within else drafts.NEW
        answer = await putting.put(self.console.session.connection, document, etag, dry_run=True)
        if document == self.to_save() and not self._is_sent:
            self.mark(answer)

    def mark(self, answer: putting.Answer, *, all_of_it: bool = False) -> None:
        """Show what the registry finds wrong; at first without what is only missing so far."""
        if self.form is None or self._sheet is None:
            return
        faults = drafts.faults_within(self.draft, answer.faults)
        if answer.stale and self.draft.etag_for(self.to_save()) == drafts.NEW:
            taken = "version" if self.draft.is_stored else drafts.identity_of(self.draft.kind)
            faults.append((taken, answer.stale))
        self._sent_once = self._sent_once or all_of_it
        wrong, missing = drafts.not_yet_given(faults, self.form.document)
        shown = faults if self._sent_once else wrong
        if all_of_it:
            self.form.refuse(shown)
        else:
            self.form.mark(shown)
        self._sheet.show_faults(shown)
        self._sheet.tell(len(wrong), len(missing), answer.failed)

    # Keys

    def action_sheet(self, name: str) -> None:
        if self._sheet is not None:
            self._sheet.turn_to(name)

    def action_save(self) -> None:
        if self._sheet is None or self.form is None:
            return
        if fault := self._sheet.unreadable:
            self.console.tell(f"The JSON cannot be read: {fault}", "warning")
        else:
            self._sheet.take_over()
            self.form.action_submit()

    def on_sheet_save_asked(self, message: Sheet.SaveAsked) -> None:
        message.stop()
        self.action_save()

    def on_form_submitted(self, message: Form.Submitted) -> None:
        message.stop()
        if self._sheet is not None:
            self._sheet.tell(0, 0, "")
        if self._saver is not None:
            self._saver.begin()

    def on_form_cancelled(self, message: Form.Cancelled) -> None:
        message.stop()
        self._leave()

    def action_leave(self) -> None:
        if self._sheet is not None and self._sheet.back_to_form():
            return
        self._leave()

    def _leave(self) -> None:
        begin(self.console.frame, self._left_for_good, "leave")

    async def _left_for_good(self) -> None:
        if self.dirty:
            choices = (("edit", "Go on editing"), ("drop", "Drop what was written"))
            text = f"{self.title}: what was written is not stored."
            if await self.app.push_screen_wait(AskScreen("Leave?", text, choices)) != "drop":
                return
        await self.leave()

    async def leave(self) -> None:
        """Back to where one was, whatever is written."""
        await self.console.frame.close(self)

    async def _end(self, name: str) -> None:
        await self.leave()
        if self.on_stored is not None:
            self.on_stored(name)
        else:
            self.console.frame.show_record(name)

    # What a field refers to, and what is written elsewhere

    def on_form_create_requested(self, message: Form.CreateRequested) -> None:
        message.stop()
        self._create(message.kind, message.path)

    def _create(self, kind: str, path: Path) -> None:
        resource = find(kind)
        opening = resource.creating if resource is not None else None
        if resource is None or opening is None:
            self.console.tell(f"The console has no form for a new {kind}.", "warning")
            return
        self.console.open_pane(opening.pane, resource, None, self._put_at(path))

    def _put_at(self, path: Path) -> Callable[[str], None]:
        def put(name: str) -> None:
            if self.form is not None:
                self.form.put(path, name)

        return put

    def on_form_script_edit_requested(self, message: Form.ScriptEditRequested) -> None:
        message.stop()
        begin(self.console.frame, partial(written_outside, self.console, message), "script")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "file":
            row = self.form.row if self.form is not None else None
            return bool(row and row.part == "value" and row.field.sort in ("text", "json", "any"))
        return True

    def action_file(self) -> None:
        if self.form is not None and self.form.row is not None:
            work = partial(read_file, self.console, self.form, self.form.row)
            begin(self.console.frame, work, "file")


class NewRoutePane(FormPane):
    """One more route of the service that a record is, or is a route of."""

    def __init__(self, resource: Resource[Any], record: Any) -> None:
        super().__init__(resource, record)
        self.draft = new_route_of(record.definition)
