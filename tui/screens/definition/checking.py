"""What the registry thinks of a text: asked when its typing pauses, and again once it is back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.dom import DOMNode
from textual.timer import Timer

from tui.live import putting
from tui.views.faults import PlacedFault, of_warning
from tui.widgets.working import begin

if TYPE_CHECKING:
    from tui.live.session import Session

# Behind the moment in which the editor takes the typing for paused.
ASK_SECONDS = 0.15
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of the text.

    Attributes:
        faults: What keeps it from being stored.
        warnings: What does not.
        failed: Why the registry was not asked; empty: it was.
        is_old: The text is another one by now.
    """

    faults: tuple[PlacedFault, ...] = ()
    warnings: tuple[PlacedFault, ...] = ()
    failed: str = ""
    is_old: bool = True


class Checker:
    """Asks for one editor. The latest text wins; typing waits for nothing.

    Attributes:
        verdict: The last one.
    """

    def __init__(
        self,
        owner: DOMNode,
        session: Session,
        asked: Callable[[], tuple[Mapping[str, Any], str] | None],
        told: Callable[[], None],
    ) -> None:
        """``asked`` gives document and etag, or None: it cannot be read; ``told`` shows."""
        self.verdict = Verdict()
        self._owner = owner
        self._session = session
        self._asked = asked
        self._told = told
        self._waiting: Timer | None = None
        self._was_live = False

    def soon(self) -> None:
        """Ask once no key was pressed for a moment more."""
        old = self.verdict
        self.verdict = Verdict(old.faults, old.warnings, old.failed)
        if self._waiting is not None:
            self._waiting.stop()
        self._waiting = self._owner.set_timer(ASK_SECONDS, self.now)

    def now(self) -> None:
        """Ask; an answer to an earlier text is not waited for."""
        self._waiting = None
        begin(self._owner, self._ask, "check", exclusive=True)

    def link(self, is_live: bool) -> None:
        """Hear how the line to the registry stands: once it is back, what failed is asked again."""
        is_back, self._was_live = is_live and not self._was_live, is_live
        if is_back and self.verdict.failed and self._waiting is None:
            self.verdict = Verdict(self.verdict.faults, self.verdict.warnings)
            self.now()

    def take(self, answer: putting.Answer) -> None:
        """An answer to the text as it is now."""
        if answer.failed:
            known = self.verdict
            self.verdict = Verdict(known.faults, known.warnings, answer.failed, False)
        else:
            faults = [PlacedFault("", path, detail) for path, detail in answer.faults]
            if answer.stale:
                faults.append(PlacedFault("", "", answer.stale))
            warnings = answer.result.warnings if answer.result is not None else ()
            self.verdict = Verdict(
                tuple(faults[:MOST_SHOWN]),
                tuple(map(of_warning, warnings[:MOST_SHOWN])),
                is_old=False,
            )
        self._told()

    async def _ask(self) -> None:
        wanted = self._asked()
        if wanted is None:
            # What was found before stays marked while a line is half-written.
            return
        document, etag = wanted
        answer = await putting.put(self._session.connection, document, etag, dry_run=True)
        self.take(answer)
