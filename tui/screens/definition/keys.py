"""The keys of an auth, and those of an application: made, rolled, revoked, each shown once."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType

from services.errors import ServiceError
from services.home import HomeUnusable
from tui.live import making_keys, putting
from tui.live.actions import ActionEntry
from tui.live.making_keys import Answers, Asked, Made
from tui.live.session import Session
from tui.resources.credentials import (
    ACCESS_KEYS,
    API_KEYS,
    COLUMNS,
    REVOKE_ACCESS_KEY,
    REVOKE_API_KEY,
)
from tui.resources.model import Question
from tui.screens.asking import AskScreen
from tui.screens.confirm import ConfirmScreen
from tui.screens.definition.table_tab import TableTab
from tui.screens.once import OnceScreen, Shown
from tui.views.addresses import Address
from tui.views.confirmation import Plan
from tui.widgets.working import begin

EXPIRES = Question("expires", "Expires: 90d, or 2027-01-31T00:00:00Z; empty: never")
NAME = Question("name", "Name; empty: key-N")
OVERLAP = Question("overlap", "The old key goes on for; 0: it ends at once", "24h")
ACCESS_OVERLAP = replace(OVERLAP, default="1h")

Make = Callable[[Asked], Awaitable[Made]]


class _KeysTab(TableTab):
    columns = COLUMNS
    title = "Keys"

    def make(
        self, title: str, told: str, questions: Sequence[Question], make: Make,
        command: Callable[[Answers], str],
    ) -> None:  # fmt: skip
        """Ask, make a key, and show it once."""
        # The screen's, not the tab's: whoever goes elsewhere meanwhile still sees the key.
        work = partial(self._make, title, told, questions, make, command)
        begin(self.console.frame, work, "actions")

    async def _make(
        self, title: str, told: str, questions: Sequence[Question], make: Make,
        command: Callable[[Answers], str],
    ) -> None:  # fmt: skip
        console, session = self.console, self.console.session
        log = session.log
        plan = Plan(title, "Make it", (told,), (), dangerous=False)
        answers = await console.push_screen_wait(ConfirmScreen(plan, questions))
        if answers is None:
            return
        entry = log.sent(title, command(answers))
        made = await self._answered(entry, partial(make, Asked(answers, datetime.now(UTC))))
        if made is None:
            return
        log.done(entry, f"key {made.name}")
        self.learn(session, made.key)
        self.read_again()
        shown = [Shown(f"key {made.name}", made.key)]
        await console.push_screen_wait(OnceScreen(title, shown, made.told))

    async def _answered(
        self, entry: ActionEntry, make: Callable[[], Awaitable[Made]]
    ) -> Made | None:  # fmt: skip
        """The key, asked for as often as somebody wants; None: it was not made, or nobody knows."""
        console, log = self.console, self.console.session.log
        while True:
            try:
                return await make()
            except (ServiceError, HomeUnusable, ValueError) as error:
                if not (unknown := making_keys.may_be_made(error)):
                    said = str(error) if isinstance(error, ValueError) else putting.in_words(error)
                    log.failed(entry, said)
                    console.tell(said)
                    return None
            log.failed(entry, f"Nobody knows: {unknown}")
            self.read_again()
            choices = (("close", "Close"), ("keys", "Show the keys"), ("again", "Ask again"))
            screen = AskScreen("It may have been made", unknown, choices)
            chosen = await console.push_screen_wait(screen)
            if chosen == "keys":
                self.read_again()
                console.open(Address(self.detail.resource.name, self.owner, self.detail.tab))
            if chosen != "again":
                return None

    def learn(self, session: Session, key: str) -> None:
        """Know it for as long as the console is on the suite that made it."""


class ApiKeysTab(_KeysTab):
    """Keys that callers of the gateway send."""

    HELP = """\
## Keys

What callers send, by name; keys themselves are shown once, when they are made.

- `n` makes one more, those that there are stay
- `r` rolls the one under the cursor: a new key, and the old one goes on for a while
- `x` revokes it, once you have confirmed
"""
    source = API_KEYS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "create", "New key", id="keys.create", tooltip="Make one more key"),
        Binding("r", "roll", "Roll", id="keys.roll",
                tooltip="Make a key in the place of this one, which goes on for a while"),
        Binding(REVOKE_API_KEY.key, "revoke", REVOKE_API_KEY.title, id=REVOKE_API_KEY.id,
                tooltip=REVOKE_API_KEY.help),
    ]  # fmt: skip

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("create", "roll") and self.console.read_only:
            return False
        if action in ("create", "roll") and self.refuses(f"keys.{action}"):
            return None
        if action == "roll":
            return True if self.row is not None else None
        return self.may(REVOKE_API_KEY) if action == "revoke" else True

    def learn(self, session: Session, key: str) -> None:
        session.keys.learn(self.owner, key)

    def action_create(self) -> None:
        connection, auth = self.console.session.connection, self.owner
        self.make(
            f"New key of auth {auth}", "The keys that there are stay.", (NAME, EXPIRES),
            lambda asked: making_keys.api_key(connection, auth, asked),
            lambda answers: making_keys.command(("keys", "create"), auth, "", answers),
        )  # fmt: skip

    def action_roll(self) -> None:
        connection, auth, name = self.console.session.connection, self.owner, self.row.id
        self.make(
            f"Roll key {name} of auth {auth}",
            "Calls with the new key are known as the old one's.", (OVERLAP, EXPIRES),
            lambda asked: making_keys.rolled_key(connection, auth, name, asked),
            lambda answers: making_keys.command(("keys", "roll"), auth, name, answers),
        )  # fmt: skip

    def action_revoke(self) -> None:
        self.act(REVOKE_API_KEY)


class AccessKeysTab(_KeysTab):
    """Keys with which programs and people get their tokens."""

    HELP = """\
## Access keys

With them programs and people get tokens, and have the application's rights.

- `n` makes one more; its secret is shown once
- `r` rolls the one under the cursor: a new key, and the old one goes on for a while
- `x` revokes the one under the cursor, once you have confirmed
"""
    source = ACCESS_KEYS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "create", "New key", id="access_keys.create", tooltip="Make one more key"),
        Binding("r", "roll", "Roll", id="access_keys.roll",
                tooltip="Make a key in the place of this one, which goes on for a while"),
        Binding(REVOKE_ACCESS_KEY.key, "revoke", REVOKE_ACCESS_KEY.title, id=REVOKE_ACCESS_KEY.id,
                tooltip=REVOKE_ACCESS_KEY.help),
    ]  # fmt: skip

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("create", "roll") and self.console.read_only:
            return False
        if action in ("create", "roll") and self.refuses(f"access_keys.{action}"):
            return None
        if action == "roll":
            return True if self.row is not None and self.row.is_live(time.time()) else None
        return self.may(REVOKE_ACCESS_KEY) if action == "revoke" else True

    def action_create(self) -> None:
        connection, owner = self.console.session.connection, self.owner
        self.make(
            f"New access key of {owner}", "It has the application's rights.", (EXPIRES,),
            lambda asked: making_keys.access_key(connection, owner, asked),
            lambda answers: making_keys.command(("access-keys", "create"), owner, "", answers),
        )  # fmt: skip

    def action_roll(self) -> None:
        connection, key_id = self.console.session.connection, self.row.id
        self.make(
            f"Roll access key {key_id}",
            "The old key and its tokens end after the overlap, or are void at once with 0.",
            (ACCESS_OVERLAP, EXPIRES),
            lambda asked: making_keys.rolled_access_key(connection, key_id, asked),
            lambda answers: making_keys.command(("access-keys", "roll"), key_id, "", answers),
        )  # fmt: skip

    def action_revoke(self) -> None:
        self.act(REVOKE_ACCESS_KEY)
