"""What came of one action, record by record: all are counted, and a bounded number is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection as Many, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tui.live.collection import Collection, Record

MOST_KEPT = 10_000
Outcome = tuple[bool, str]
R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What came of an action for one record.

    Attributes:
        detail: Where it stands, or why not.
        open: The service took it on; what comes of it is told by the stream.
        document: JSON text to be shown at once, and kept nowhere.
    """

    id: str
    ok: bool
    detail: str = ""
    open: bool = False
    document: str = ""


class Results:
    """What came of an action on records.

    Attributes:
        count: How many records it is about.
        kept: Some of what came of them; those that failed before others.
        done: How many it was done to.
        failed: How many it was not done to, or in vain.
        first_failure: Why, of the first of them.
    """

    def __init__(self, before: Mapping[str, Any] | None = None, most: int = MOST_KEPT) -> None:
        """``before``: where each record stood, by id."""
        self._unanswered = dict(before or {})
        self.count = len(self._unanswered)
        self.kept: Collection[ItemResult] = Collection(most)
        self.done = self.failed = 0
        self.first_failure = ""
        self._most = most
        self._accepted: dict[str, Any] = {}
        # Those that are kept and make room for failures.
        self._spare: dict[str, None] = {}

    @property
    def accepted(self) -> int:
        """Of how many nothing is known but that the service took them on."""
        return len(self._accepted)

    @property
    def unanswered(self) -> int:
        """Of how many nothing is known."""
        return len(self._unanswered)

    @property
    def failed_ids(self) -> list[str]:
        """Those of what failed that are kept."""
        return [each.id for each in self.kept.records.values() if not each.ok]

    def answer(self, result: ItemResult) -> None:
        """The service has answered for one."""
        before = self._unanswered.pop(result.id, None)
        if result.open:
            self._accepted[result.id] = before
            self._keep(result)
        else:
            self._settle(result)

    def fail_rest(self, detail: str) -> None:
        """There will be no more answers."""
        for id_ in tuple(self._unanswered):
            self.answer(ItemResult(id_, False, detail))

    def turned(self, id_: str, state: Any) -> bool:
        """Whether a record that was accepted stands elsewhere now than before."""
        return id_ in self._accepted and bool(self._accepted[id_] != state)

    def settle(self, id_: str, outcome: Outcome) -> None:
        """The stream has told what came of one that was accepted."""
        del self._accepted[id_]
        self._settle(ItemResult(id_, *outcome))

    def let_go(self) -> None:
        """Keep the counts only, and wait for nothing."""
        self._accepted.clear()
        self._spare.clear()
        self.kept.replace({})

    def _settle(self, result: ItemResult) -> None:
        if result.ok:
            self.done += 1
        else:
            self.failed += 1
            self.first_failure = self.first_failure or result.detail
        self._keep(result)

    def _keep(self, result: ItemResult) -> None:
        if result.id not in self.kept.records and len(self.kept) >= self._most:
            if result.ok or not self._spare:
                return
            self.kept.drop([next(iter(self._spare))])
            del self._spare[next(iter(self._spare))]
        self.kept.put([result])
        if result.ok:
            self._spare[result.id] = None
        else:
            self._spare.pop(result.id, None)


class Outcomes(Generic[R]):
    """Listens to a collection for what comes of records whose action was accepted."""

    def __init__(
        self, results: Results, collection: Collection[R], state: Callable[[R], Any],
        outcome: Callable[[R], Outcome | None], told: Callable[[], None],
        ended: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """Put outcomes into ``results`` from now on, until there are all.

        Args:
            state: What of a record must change before anything is said of it.
            outcome: What came of it by where it stands; None: not yet.
            told: Is called when there was news.
            ended: Is called once there will be no more.
        """
        self._results = results
        self._collection = collection
        self._state = state
        self._outcome = outcome
        self._told = told
        self._ended = ended
        self._listening = True
        collection.listen(self.heard)

    def heard(self, ids: Many[str]) -> None:
        """These have changed, or were answered for."""
        news = [id_ for id_ in ids if self._look(id_)]
        if news:
            self._told()
        if self._listening and not self._results.accepted and not self._results.unanswered:
            self._listening = False
            self._collection.forget(self.heard)
            self._ended()

    def _look(self, id_: str) -> bool:
        record = self._collection.get(id_)
        if record is None or not self._results.turned(id_, self._state(record)):
            return False
        outcome = self._outcome(record)
        if outcome is not None:
            self._results.settle(id_, outcome)
        return outcome is not None


def in_all(results: Iterable[Results]) -> int:
    """How many records' results are kept."""
    return sum(len(each.kept) for each in results)
