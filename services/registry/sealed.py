"""What is sealed in ``registry.db``: values of secrets, as they are and were, and signing keys."""

from __future__ import annotations

from sqlite_utils import Database

from services.registry import documents
from services.registry.definitions import Document
from services.resealing import Place, Thing
from services.secret_documents import seals_in, with_seals

SECRET, EARLIER, SIGNING = "secret", "earlier secret", "signing key"


class SealedInRegistry:
    """A :class:`services.resealing.Store`."""

    kinds: tuple[str, ...] = (SECRET, EARLIER, SIGNING)

    def page(self, db: Database, kind: str, after: Place | None, most: int) -> list[Thing]:
        query, first = _QUERIES[kind]
        rows = db.query(query, [*(after or first), most])
        return [_thing(kind, row) for row in rows]

    def write(self, db: Database, thing: Thing, seals: tuple[str, ...]) -> None:
        if thing.kind == SIGNING:
            (before,), (now,) = thing.seals, seals
            db.execute(
                "UPDATE signing_keys SET sealed_private_key = ? "
                "WHERE key_id = ? AND sealed_private_key = ?",
                [now, thing.name, before],
            )
            return
        # The revision and the etag stay: nothing that anybody could read is another.
        table, key = ("definitions", "name") if thing.kind == SECRET else ("history", "revision")
        (text,) = db.execute(
            f"SELECT document FROM {table} WHERE kind = 'secret' AND {key} = ?", thing.place
        ).fetchone()
        sealed = with_seals(documents.stored(text), seals)
        db.execute(
            f"UPDATE {table} SET document = ? WHERE kind = 'secret' AND {key} = ?",
            [documents.written(sealed), *thing.place],
        )


_QUERIES: dict[str, tuple[str, Place]] = {
    SECRET: (
        "SELECT name, name AS place, document FROM definitions "
        "WHERE kind = 'secret' AND name > ? ORDER BY name LIMIT ?",
        ("",),
    ),
    EARLIER: (
        "SELECT name, revision AS place, document FROM history "
        "WHERE kind = 'secret' AND NOT deleted AND revision > ? ORDER BY revision LIMIT ?",
        (0,),
    ),
    SIGNING: (
        "SELECT key_id AS name, key_id AS place, sealed_private_key FROM signing_keys "
        "WHERE key_id > ? ORDER BY key_id LIMIT ?",
        ("",),
    ),
}


def _thing(kind: str, row: dict[str, str]) -> Thing:
    if kind == SIGNING:
        seals: tuple[str, ...] = (row["sealed_private_key"],)
    else:
        document: Document = documents.stored(row["document"])
        seals = seals_in(document)
    return Thing(kind, row["name"], (row["place"],), seals)
