"""The copy in memory: what is asked of it, and who is told when it changes."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from services.access import Application

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stored:
    """One definition as the registry serves it to services.

    Attributes:
        revision: The registry's, of this state.
        text: The document, JSON text of an object.
    """

    kind: str
    name: str
    version: int
    revision: int
    etag: str
    # Hashes of keys and sealed secrets are no matter for a log.
    text: str = field(repr=False)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The document, parsed when first asked for; not to be changed."""
        parsed: dict[str, Any] = json.loads(self.text)
        return parsed

    @property
    def key(self) -> Key:
        return self.kind, self.name, self.version


@dataclass(frozen=True, slots=True)
class Removed:
    """A definition that is gone; version 0: in every version."""

    kind: str
    name: str
    version: int

    @property
    def key(self) -> Key:
        return self.kind, self.name, self.version


Key = tuple[str, str, int]
Change = Stored | Removed
Subscriber = Callable[[Change | None], None]


@dataclass(frozen=True, slots=True)
class Place:
    """How far the copy has come: in which store's history, at which revision."""

    epoch: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Trust:
    """What is needed to verify tokens.

    Attributes:
        public_keys: PEM by key id.
        revoked: Ids of access keys.
        ends: When access keys end by themselves, of those that do: seconds since 1970.
        revoked_signers: Ids of the registry's signing keys.
    """

    public_keys: Mapping[str, str]
    revoked: frozenset[str]
    ends: Mapping[str, float] = field(default_factory=dict)
    revoked_signers: frozenset[str] = frozenset()


class Replica:
    """The definitions as they are known here: an :class:`services.access.Authority`, too.

    Everything answers at once, from memory; all of it belongs to the event loop's thread.

    Attributes:
        place: Of what is held.
        stale: The registry cannot be reached, so there may be newer definitions.
    """

    def __init__(self, stored: Iterable[Stored], place: Place, trust: Trust) -> None:
        self.place = place
        self.stale = True
        self.trust = trust
        self._kinds: dict[str, dict[str, dict[int, Stored]]] = {}
        self._applications: dict[str, tuple[Stored, Application]] = {}
        self._subscribers: dict[object, Subscriber] = {}
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._change(stored)

    @property
    def revision(self) -> int:
        """The registry's last revision that is held here whole; 0: none."""
        return self.place.revision

    def get(self, kind: str, name: str, version: int = 0) -> Stored | None:
        """One definition; version 0 means the highest."""
        versions = self._kinds.get(kind, {}).get(name)
        if not versions:
            return None
        return versions.get(version or max(versions))

    def all(self, kind: str) -> Iterator[Stored]:
        """Every version of every definition of a kind, by name and version."""
        names = self._kinds.get(kind, {})
        for name in sorted(names):
            versions = names[name]
            yield from (versions[version] for version in sorted(versions))

    def everything(self) -> Iterator[Stored]:
        """Every definition."""
        for kind in self._kinds:
            yield from self.all(kind)

    # As an authority

    def application(self, application_id: str) -> Application | None:
        """The application of that id."""
        stored = self.get("application", application_id)
        if stored is None:
            return None
        known = self._applications.get(application_id)
        if known is None or known[0] is not stored:
            known = stored, Application.from_document(stored.document)
            self._applications[application_id] = known
        return known[1]

    def public_key(self, key_id: str) -> str | None:
        """The PEM of the registry's key of that id, by which users' tokens are verified."""
        return self.trust.public_keys.get(key_id)

    def revoked(self, access_key_id: str) -> bool:
        """Whether that access key's tokens are void."""
        if access_key_id in self.trust.revoked:
            return True
        end = self.trust.ends.get(access_key_id)
        return end is not None and time.time() >= end

    def revoked_signer(self, key_id: str) -> bool:
        """Whether what tokens signed with that key have opened must end."""
        return key_id in self.trust.revoked_signers

    # Waiting and being told

    async def reached(self, revision: int, within: timedelta) -> bool:
        """Whether the copy has ``revision``, or gets it in time."""
        if self.revision >= revision:
            return True
        arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[arrived] = revision
        try:
            async with asyncio.timeout(within.total_seconds()):
                await arrived
        except TimeoutError:
            return False
        finally:
            del self._waiting[arrived]
        return True

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Have ``callback`` called on the loop with each change, once it holds; the way to end it.

        It is given None when everything may have changed.
        """
        token = object()
        self._subscribers[token] = callback
        return lambda: self._subscribers.pop(token, None) and None

    # Being changed, by whoever follows the registry

    def replace(self, changes: Iterable[Change], place: Place) -> None:
        """Hold what ``changes`` make of nothing, all at once: a snapshot."""
        self._kinds = {}
        self._applications.clear()
        self._change(changes)
        self._arrive(place)
        self._tell(None)

    def apply(self, changes: Iterable[Change], place: Place) -> None:
        """Hold what ``changes`` leave, all at once."""
        changes = tuple(changes)
        self._change(changes)
        self._arrive(place)
        for change in changes:
            self._tell(change)

    def reword(self, kind: str, reworded: Callable[[Stored], Stored]) -> None:
        """Hold every definition of a kind as ``reworded`` gives it: it says the same otherwise."""
        for versions in self._kinds.get(kind, {}).values():
            versions.update({version: reworded(each) for version, each in versions.items()})

    def has(self, kind: str) -> bool:
        """Whether there is any definition of a kind."""
        return bool(self._kinds.get(kind))

    def _change(self, changes: Iterable[Change]) -> None:
        for change in changes:
            match change:
                case Stored():
                    self._kinds.setdefault(change.kind, {}).setdefault(change.name, {})[
                        change.version
                    ] = change
                case Removed():
                    self._remove(change)

    def _remove(self, gone: Removed) -> None:
        names = self._kinds.get(gone.kind, {})
        versions = names.get(gone.name, {})
        if gone.version:
            versions.pop(gone.version, None)
        if not gone.version or not versions:
            names.pop(gone.name, None)
        self._applications.pop(gone.name, None)

    def _arrive(self, place: Place) -> None:
        self.place = place
        for arrived, revision in self._waiting.items():
            if revision <= place.revision and not arrived.done():
                arrived.set_result(None)

    def _tell(self, change: Change | None) -> None:
        for callback in tuple(self._subscribers.values()):
            try:
                callback(change)
            except Exception:
                # One that cannot make sense of a definition must not keep the next ones from all.
                logger.exception("A subscriber failed at a change of definitions.")
