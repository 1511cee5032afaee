"""What a query of the audit log can name."""

from __future__ import annotations

from services.query.vocabulary import Field, Kind, Vocabulary

OUTCOMES = ("allowed", "denied", "failed")

AUDIT = Vocabulary(
    fields=(
        Field("outcome", Kind.ENUM, ("result",), "what came of it", OUTCOMES),
        Field(
            "who",
            Kind.TEXT,
            ("principal",),
            "who, like ada, application:ada or *ada*",
            qualified=True,
        ),
        Field("action", Kind.TEXT, (), "what was done, like delete"),
        Field("kind", Kind.TEXT, (), "of what, like workflow or execution"),
        Field("name", Kind.TEXT, (), "its name or id"),
        Field("method", Kind.TEXT, ("rpc",), "the call, like PutDefinitions"),
        Field("source", Kind.TEXT, ("from", "address", "ip"), "the address of who called"),
        Field("agent", Kind.TEXT, ("userAgent",), "what the caller says that it is"),
        Field("key", Kind.TEXT, ("keyId",), "the access key by which the caller came"),
        Field("via", Kind.TEXT, ("through",), "the service that called for somebody"),
        Field("trace", Kind.TEXT, ("request",), "the trace or request that it was part of"),
        Field("detail", Kind.TEXT, (), "its sentence"),
        Field("revision", Kind.NUMBER, ("rev",), "of the definition, afterwards"),
        Field("count", Kind.NUMBER, (), "how many of the same it stands for"),
        Field("id", Kind.NUMBER, ("number",), "its number"),
        Field("at", Kind.TIME, ("time",), "when"),
        Field("older", Kind.AGE, ("until", "before"), "longer ago, like 10m", of="at", older=True),
        Field("newer", Kind.AGE, ("since", "after"), "since, like 10m or 2027-01-31", of="at"),
    ),
    words_in=("who", "action", "kind", "name", "detail", "source", "method"),
)
