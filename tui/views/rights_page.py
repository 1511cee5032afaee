"""docs/rights.md, and the short of it in docs/security.md: who may do what, from the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from services.rights import ADMIN, RIGHTS, ROLES, Right, rpc
from services.rights.pages import AUTH_BASES, PAGES, SERVICE_BASES, rights_of
from tui.views.needs import COMMANDS, Needs

PAGE, SECTION = Path("docs/rights.md"), Path("docs/security.md")
_OTHER_SPELLINGS = (AUTH_BASES[1], SERVICE_BASES[1])
# What is told in short, each by RPCs that take the same.
AREAS: Mapping[str, tuple[str, ...]] = {
    "read definitions, their history and their users, and who may do something to one": (
        "registry.GetDefinition", "registry.ListDefinitions", "registry.ListDefinitionHistory",
        "registry.ListReferences", "registry.WatchCatalog", "registry.ListHolders",
    ),
    "put, delete and roll back definitions, but for applications": ("registry.PutDefinitions",),
    "make and roll the keys of an auth configuration": (
        "registry.CreateApiKey", "registry.RollApiKey",
    ),
    "revoke the keys of an auth configuration": ("registry.RevokeApiKey",),
    "applications: put, delete, and give them access keys; signing keys": (
        "registry.CreateAccessKey", "registry.RevokeAccessKey", "registry.ListAccessKeys",
    ),
    "start executions": ("executor.StartExecution", "executor.RunExecution"),
    "see executions, their tasks, events and logs": (
        "executor.GetExecution", "executor.ListExecutions", "executor.SearchTasks",
        "worker.ListTaskLogs", "executor.ListExecutionEvents",
    ),
    "pause, retry, skip and delete executions": (
        "executor.PauseExecution", "executor.OperateExecutions", "executor.TerminateExecution",
    ),
    "say how a waiting task ended": ("executor.UpdateTask", "executor.SignalExecution"),
    "do tasks as a worker": ("worker.Work", "worker.PollTasks", "worker.UpdateTask"),
    "see the gateway's figures, limits and kept answers": (
        "edge.GetGatewayMetrics", "edge.ListLimits", "edge.ListCacheEntries",
    ),
    "try routes and scripts, purge kept answers, begin limits anew": (
        "edge.TestRoute", "edge.TestScript", "edge.PurgeCache", "edge.ResetLimits",
    ),
    "open and close breakers": ("executor.SetBreaker",),
    "see the engine's figures and the breakers": (
        "executor.GetEngineMetrics", "executor.ListBreakers",
    ),
    "read the audit log and the services' logs": (
        "registry.ListAuditEntries", "registry.WatchAuditEntries", "log.WatchLog",
    ),
    "know who one is, how the services are, and what kinds there are": (
        "registry.GetOwnAccess", "registry.GetRegistryStatus", "registry.ListKinds",
    ),
}  # fmt: skip
_BEGINS, _ENDS = "<!-- rights: written by make docs -->\n", "<!-- end of rights -->\n"
_HEAD = """\
# Who may do what

Written by `make docs` from `services/rights`, which every service asks at every call. A role holds
everywhere; *a grant* says which grant of an application's own is enough where it covers what the
call is about, and shows nothing else. (✔) holds where the condition at the end of the row does.
Where a row takes several grants, a role may stand for some of them: `schedules resume` is for an
EDITOR who may EXECUTE the workflow, too. Services call each other with rights of their own. How
grants are given is told in [security.md](security.md#who-may-do-what).

`podium access me` tells the same of you, `podium access may APPLICATION` of an application, and
`podium access who-can EXECUTE workflow checkout` who may do something to one definition.
"""


def page() -> str:
    """The page, in Markdown."""
    return "".join((
        _HEAD,
        "\n## Commands\n\n",
        *_table("command", _commands()),
        "\n## The management API\n\n",
        "A page needs the rights of the RPCs that it is put into, in the caller's name.\n\n",
        *_table("page", _pages()),
        "\n## RPCs\n\n",
        *_table("RPC", _rpcs(), services=True),
    ))  # fmt: skip


def with_summary(section: str) -> str:
    """``section`` with the table of areas between its marks."""
    before, _, rest = section.partition(_BEGINS)
    _, _, after = rest.partition(_ENDS)
    areas = ((title, (RIGHTS[rpc(names[0])],)) for title, names in AREAS.items())
    return "".join((before, _BEGINS, "\n", *_table("what", areas), "\n", _ENDS, after))


def _table(
    what: str, rows: Iterable[tuple[str, tuple[Right, ...]]], *, services: bool = False
) -> Iterator[str]:
    more = (" services |", "---|") if services else ("", "")
    yield f"| {what} | {' | '.join(ROLES)} | a grant |{more[0]}\n"
    yield f"|---|{'---|' * (len(ROLES) + 1)}{more[1]}\n"
    for name, rights in rows:
        cells = [*(_mark(role, rights) for role in ROLES), _grants(rights)]
        if services:
            (right,) = rights
            cells.append(
                ", ".join(each.removeprefix("service:") for each in sorted(right.services))
            )
        yield f"| {name} | {' | '.join(cells)} |\n"


def _mark(role: str, rights: tuple[Right, ...]) -> str:
    if not all(right.by_role((role,)) for right in rights):
        return ""
    return "(✔)" if role != ADMIN and any(right.where for right in rights) else "✔"


def _grants(rights: tuple[Right, ...]) -> str:
    """Of each right that takes one; empty where no grant is enough for all of them."""
    if all(right.open for right in rights):
        return "no token is needed"
    if any(not (right.grants or right.anyone or right.open) for right in rights):
        return ""
    granted = ", and ".join(dict.fromkeys(text for right in rights if (text := right.granted)))
    where = dict.fromkeys(right.where for right in rights if right.where)
    return "; ".join((granted, *(f"where {each}" for each in where)))


def _commands() -> Iterator[tuple[str, tuple[Right, ...]]]:
    by_needs: dict[Needs, list[str]] = {}
    for words, needs in COMMANDS.items():
        if needs.calls:
            alike = Needs(needs.calls, as_for=needs.as_for)
            by_needs.setdefault(alike, []).append(f"`podium {words}`")
    for needs, commands in by_needs.items():
        yield ", ".join(commands), needs.rights()


def _pages() -> Iterator[tuple[str, tuple[Right, ...]]]:
    for name in PAGES:
        path = name.partition(" ")[2]
        # A second spelling of the same needs no line of its own.
        if not any(f"{path}/".startswith(f"{base}/") for base in _OTHER_SPELLINGS):
            yield f"`{name}`", rights_of(name)


def _rpcs() -> Iterator[tuple[str, tuple[Right, ...]]]:
    by_right: dict[tuple[str, Right], list[str]] = {}
    for method, right in RIGHTS.items():
        service, _, name = method.rpartition(".")[2].partition("/")
        by_right.setdefault((service, right), []).append(f"`{name}`")
    for (service, right), names in by_right.items():
        yield f"{service.removesuffix('Service')}: {', '.join(names)}", (right,)
