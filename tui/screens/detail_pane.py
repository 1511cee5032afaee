"""One record of a resource: its tabs, of which one is shown."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import ContentSwitcher, Static, Tab as TabLabel, Tabs

from tui.live.attention import Attention
from tui.live.link import LinkState
from tui.live.session import Feed
from tui.live.sources import Source
from tui.screens.acting import ActingPane, bindings_of, tell_why_grey
from tui.screens.panes import PANES
from tui.views.addresses import Address, meant_by
from tui.views.visible import in_one_line
from tui.widgets.working import begin

if TYPE_CHECKING:
    from tui.app import Console


# What was made a moment ago is told of by its stream a moment later.
_GRACE_SECONDS = 1.0
_MISSING = "missing"


class TabPane(Vertical):
    """A part of a record's detail: made with its resource and the record's id.

    Attributes:
        has_own_keys: What keys do here is about its rows: those of the record do nothing.
    """

    has_own_keys: ClassVar[bool] = False

    DEFAULT_CSS = """
    TabPane { height: 1fr; width: 1fr; }
    """

    def __init__(self, detail: DetailPane) -> None:
        super().__init__()
        self.detail = detail

    @property
    def dirty(self) -> bool:
        """Whether something here would be lost by leaving."""
        return False

    def flush(self, now: float) -> None:
        """Show what has changed; ``now`` is in epoch seconds. Called of the shown one only."""

    def entered(self) -> None:
        """It is shown now: put the focus where it belongs."""

    def left(self) -> None:
        """It is hidden now."""

    def given(self, action_id: str) -> Mapping[str, str]:
        """What the questions of an action are answered with at first, by the cursor here."""
        return {}

    @property
    def problem(self) -> str:
        """Why there is nothing to show; empty: there is, or may be."""
        return ""

    @property
    def console(self) -> Console:
        """The app."""
        return self.detail.console

    def refuses(self, id_: str) -> bool:
        """Whether the key of that id is the caller's not to use, by what is known."""
        return bool(self.console.why_not(id_, self.about_record()))

    def about_record(self) -> list[Any]:
        """The record, if it is there: what is done to a part of it is done to it."""
        return [self.detail.record] if self.detail.record is not None else []

    def on_key(self, event: events.Key) -> None:
        """Tell why what a grey key would do may not be done."""
        tell_why_grey(self, event, self.console, self.about_record)


class DetailPane(ActingPane):
    """A record and its tabs; the keys 1 to 9 go to them."""

    # Else it is as high as the screen, and its last lines are below that.
    DEFAULT_CSS = """
    DetailPane > ContentSwitcher { height: 1fr; }
    DetailPane #missing { padding: 1 2; color: $text-warning; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(str(number), f"tab({number})", f"Tab {number}", id=f"detail.tab_{number}",
                show=False, tooltip=f"Show tab {number}")
        for number in range(1, 10)
    ]  # fmt: skip

    def __init__(self, id_: str, tab: str = "", part: str = "") -> None:
        """``part`` is what is meant in the tab, if it knows such: a task, say."""
        super().__init__()
        self.record_id = id_
        self.part = part
        known = [each.name for each in self.resource.tabs]
        self.tab = tab if tab in known else known[0]
        self._list: Feed | None = None
        self._shown: Any = None
        self._feeds: dict[str, Feed] = {}
        self._made: dict[str, TabPane] = {}
        self._ever_there = False
        self._lacking_since: float | None = None
        self._missing_said = ""
        self._looked = False

    def compose(self) -> ComposeResult:
        self._attention = Attention(self.console.session)
        if self.resource.source is not None:
            self._list = self._feeds[""] = self._attention.open(self.resource.source)
        if self.resource.alone is not None:
            self.follow(self.resource.alone.source)
        yield Tabs(
            *(
                TabLabel(f"{number} {each.title}", id=each.name)
                for number, each in enumerate(self.resource.tabs, 1)
            ),
            active=self.tab,
        )
        with ContentSwitcher(id="tab-content"):
            yield Static(id=_MISSING, markup=False)

    async def on_mount(self) -> None:
        await self._show()

    def on_unmount(self) -> None:
        self._attention.end()

    def follow(self, source: Source[Any], query: str | None = None) -> Feed:
        """The feed of ``source`` about this record, or about ``query``: one for all tabs."""
        if source.name not in self._feeds:
            wanted = self.record_id if query is None else query
            self._feeds[source.name] = self._attention.open(source, wanted)
        return self._feeds[source.name]

    @property
    def record(self) -> Any:
        """The record as the stream has it; None: it has not come, or is gone."""
        if self._list is None:
            return self.console.own_collection(self.resource.name).get(self.record_id)
        return self._list.collection.get(self.record_id) or self._alone

    @property
    def _alone(self) -> Any:
        """The record as its own stream has it, where it is not in the list; None: it has none."""
        alone = self.resource.alone
        feed = self._feeds.get(alone.source.name) if alone is not None else None
        return alone.record(feed.collection) if alone is not None and feed is not None else None

    @property
    def above(self) -> str:
        """The id of the record that this one is part of; empty: of none, or it is not known yet."""
        alone = self.resource.alone
        feed = self._feeds.get(alone.source.name) if alone is not None else None
        return alone.above(feed.collection) if alone is not None and feed is not None else ""

    @property
    def missing(self) -> bool:
        """Whether it is known that the record is not there."""
        return bool(self._missing_said)

    def records(self) -> list[Any]:
        """The record, unless it is not there."""
        return [self.record] if self.record is not None else []

    @property
    def address(self) -> Address:
        return Address(self.resource.name, self.record_id, self.tab)

    @property
    def dirty(self) -> bool:
        return any(each.dirty for each in self._made.values())

    @property
    def crumbs(self) -> tuple[str, ...]:
        record, above = self.record, self.above
        label = self.resource.label(record) if record is not None else self.record_id
        within = (self._label_of(above),) if above else ()
        return (self.resource.name, *within, label, self.tab)

    def _label_of(self, id_: str) -> str:
        """What another record of the list is called; its id, where it is not there."""
        other = self._list.collection.get(id_) if self._list is not None else None
        return self.resource.label(other) if other is not None else id_

    def crumb(self, number: int) -> Address | None:
        above = self.above
        if above and number == 1:
            return Address(self.resource.name, above)
        return super().crumb(number - 1 if above and number else number)

    def standing(self, now: float) -> tuple[str, str]:
        record = self.record
        if record is None:
            shown = self._made.get(self.tab)
            return shown.problem if shown is not None else "", "error"
        if self.resource.standing is None:
            return "", "text"
        cell = self.resource.standing(record, now)
        return cell.text, cell.tone

    @property
    def service(self) -> str:
        return self.resource.source.service if self.resource.source else ""

    def entered(self) -> None:
        self._attention.show()
        if (shown := self._made.get(self.tab)) is not None:
            shown.entered()

    def left(self) -> None:
        self._attention.hide()
        if (shown := self._made.get(self.tab)) is not None:
            shown.left()

    def _said_of_missing(self) -> str:
        resource = self.resource
        named = f"{resource.kind} {in_one_line(self.record_id)!r}"
        if resource.source is None or resource.source.name != resource.kind:
            named = f"{in_one_line(self.record_id)!r} among the {resource.name}"
        return f"There is no {named} here, or it may not be read."

    def _look_whether_missing(self, now: float) -> None:
        """Say so, where the record is known not to be there."""
        why = self._why_missing(now)
        if why != self._missing_said:
            self._missing_said = why
            self.console.place_changed()
            begin(self, self._show, "tab", exclusive=True)

    def _look_for_meant(self) -> None:
        """Go to the record that the id is a part of, where the list has come to know it since."""
        if self._list is None or not self.missing or self._looked:
            return
        records, state = self._list.collection, self._list.line.now().state
        if state is not LinkState.LIVE or records.in_snapshot:
            return
        self._looked = True
        if meant_by(self.record_id, records.records).ids != [self.record_id]:
            self.console.frame.travel(self._go_to_meant)

    async def _go_to_meant(self) -> None:
        frame = self.console.frame
        await frame.go(Address(self.resource.name, self.record_id, self.tab, self.part))
        await frame.close(self)

    def _why_missing(self, now: float) -> str:
        """Why there is nothing to show, as a sentence; empty: there is, or may be yet."""
        self._ever_there = self._ever_there or self.record is not None
        alone = self.resource.alone
        # What was known of one that is gone can still be read.
        if alone is not None and not self._ever_there:
            return in_one_line(alone.missing(self._feeds[alone.source.name].collection))
        return self._said_of_missing() if self._is_lacking(now) else ""

    def _is_lacking(self, now: float) -> bool:
        """Whether a list that has all definitions of a kind has not had this one."""
        if self._list is None or not self.resource.kind:
            return False
        state = self._list.line.now().state
        lacking = (
            not (self._ever_there or self.dirty)
            and not self._list.collection.in_snapshot
            and state in (LinkState.LIVE, LinkState.DENIED)
        )
        if not lacking:
            self._lacking_since = None
        elif self._lacking_since is None:
            self._lacking_since = now
        return self._lacking_since is not None and now - self._lacking_since >= _GRACE_SECONDS

    def flush(self, now: float) -> None:
        self._look_whether_missing(now)
        self._look_for_meant()
        if (shown_of := (self.record, self.above)) != self._shown:
            # What can be done to it may be something else now.
            self._shown = shown_of
            self.console.place_changed()
        if (shown := self._made.get(self.tab)) is not None:
            shown.flush(now)

    async def action_tab(self, number: int) -> None:
        if number <= len(self.resource.tabs):
            await self.go_to_tab(self.resource.tabs[number - 1].name)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        shown = self._made.get(self.tab)
        if action == "act" and self.missing:
            return False
        if action == "open_pane" and self.missing:
            return not self._opening(str(parameters[0])).needs_record and super().check_action(
                action, parameters
            )
        if action in ("act", "open_pane") and shown is not None and shown.has_own_keys:
            return False
        return super().check_action(action, parameters)

    def given(self, action_id: str) -> Mapping[str, str]:
        shown = self._made.get(self.tab)
        return shown.given(action_id) if shown is not None else {}

    def open_tab(self, record: Any, tab: str) -> None:
        begin(self, partial(self._turn_to, tab), "tab", exclusive=True)

    async def _turn_to(self, tab: str) -> None:
        await self.go_to_tab(tab)

    async def go_to_tab(self, name: str) -> TabPane:
        """Show the tab of that name."""
        if name != self.tab:
            if (shown := self._made.get(self.tab)) is not None:
                shown.left()
            self.tab = name
            with self.prevent(Tabs.TabActivated):
                self.query_one(Tabs).active = name
            await self._show()
            self.console.place_changed()
        return self._made[name]

    async def on_tabs_tab_activated(self, message: Tabs.TabActivated) -> None:
        if message.tab.id:
            await self.go_to_tab(message.tab.id)

    async def _show(self) -> None:
        """Make the tab's pane when it is first wanted, and show it."""
        switcher = next(iter(self.query(ContentSwitcher)), None)
        if switcher is None:
            # Another place was gone to before this one was made.
            return
        if self.tab not in self._made:
            wanted = next(each for each in self.resource.tabs if each.name == self.tab)
            module, name = PANES[wanted.pane].split(":")
            pane: TabPane = getattr(import_module(module), name)(self)
            pane.id = f"tab-{self.tab}"
            self._made[self.tab] = pane
            await switcher.mount(pane)
            if not pane.is_attached:
                # Another place was gone to while it was being made.
                return
        if self.missing:
            switcher.get_child_by_id(_MISSING, Static).update(self._missing_said)
            switcher.current = _MISSING
            self.query_one(Tabs).focus()
            return
        switcher.current = f"tab-{self.tab}"
        self._made[self.tab].entered()


@cache
def detail_pane(resource_name: str) -> type[DetailPane]:
    """The class of a resource's detail."""
    from tui.resources import find

    resource = find(resource_name)
    assert resource is not None
    body = {"resource": resource, "BINDINGS": bindings_of(resource)}
    return type("DetailPane", (DetailPane,), body)
