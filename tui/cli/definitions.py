"""`podium get` and `podium delete`: definitions as they are, and gone."""

from __future__ import annotations

import json
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podium.common.v1 import page_pb2
from podium.registry.v1 import registry_pb2
from services.errors import InvalidRequest, NotFound
from services.rpc import raising_ours
from tui.cli.interrupts import while_read
from tui.cli.main import HOME_OPTION
from tui.cli.nouns import OTHERS, twin_of
from tui.cli.queries import keeps
from tui.cli.serving import live
from tui.cli.session import call, fail
from tui.cli.types import KIND, REVISION, VERSION
from tui.cli.writing import OUTPUT_OPTION, echo_all, echo_data, echo_rows, examples, output_option
from tui.clients import catalog_changing
from tui.views.catalog import News, change_data, change_line, list_cells
from tui.views.differences import data, title
from tui.views.kinds import KINDS, kind_of
from tui.views.yaml_text import yaml_text

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 30.0
PAGE = 500


class _Get(click.Command):
    """Of what is no kind of definitions but a noun of the console: the command that shows it."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        at = self._noun_at(args)
        if parent is not None and at is not None and (words := _command_for(args[at])):
            main = parent.command
            assert isinstance(main, click.Group)
            command = main.get_command(parent, words[0])
            assert command is not None
            _check_watches(command, words[0], args)
            rest = [*words[1:], *args[:at], *args[at + 1 :]]
            return command.make_context(words[0], rest, parent=parent, **extra)
        return super().make_context(info_name, args, parent=parent, **extra)

    def _noun_at(self, args: Sequence[str]) -> int | None:
        """Which of ``args`` is the first that is no option, nor the value of one."""
        options = (each for each in self.params if isinstance(each, click.Option))
        valued = {name for each in options if not each.is_flag for name in each.opts}
        skipped = False
        for at, arg in enumerate(args):
            if skipped or arg.startswith("-"):
                skipped = not skipped and arg in valued
            else:
                return at
        return None


def _check_watches(command: click.Command, name: str, args: Sequence[str]) -> None:
    """Raises click.UsageError where ``--watch`` is asked of a command that has it not."""
    # A group has the options of the one that is meant without a word of its own.
    within = command.commands.values() if isinstance(command, click.Group) else ()
    params = (param for each in (command, *within) for param in each.params)
    known = {option for each in params for option in each.opts}
    if not ({"--watch", "-w"} & {*args}) - known or "--watch" in known:
        return
    instead = "it has --follow" if "--follow" in known else "the console follows it"
    if name == "executions":
        instead = "`podium watch ID` follows one of them, and the console all"
    raise click.UsageError(f"`podium {name}` has no --watch: {instead}.")


def _command_for(word: str) -> tuple[str, ...]:
    return () if kind_of(word) in KINDS else twin_of(word)


_NOUNS = f"Or one of the console's nouns: {', '.join(OTHERS)}."


@click.command(
    cls=_Get,
    epilog=examples(
        "podium get workflow",
        "podium get wf --query 'name:order* updated>2026-01-31'",
        "podium get wf order --output json",
        "podium get svc --watch --output json",
        "podium get executions status:failed --limit 5",
    ),
)
@HOME_OPTION
@click.option("--version", type=VERSION, default=0, help="Default: the latest.")
@output_option("json and yaml print what `podium apply` takes back.")
@click.option("--revision", type=REVISION, help="As it was at that revision.")
@click.option(
    "--query", default="", help="Of the list, only those that match: 'name:order* by:*ada'."
)
@click.option(
    "--watch",
    "-w",
    is_flag=True,
    help="Go on with each change, over restarts too; as JSON, each is a line.",
)
@click.argument("kind", type=KIND)
@click.argument("name", nargs=-1)
def get(
    home: Path | None, version: int, output: str, revision: int | None, query: str, watch: bool,
    kind: str, name: tuple[str, ...],
) -> None:  # fmt: skip
    """Print the definitions NAME of KIND, or list the KIND.

    KIND is workflow, task, schema, application, auth, service, secret, schedule, event or webhook,
    or short for it: wf, app, svc. Other nouns of the console do as well, and are short for the
    commands that show them: `podium get executions` is `podium executions`, `podium get suite` is
    `podium status`.
    """
    _check(name, revision, query, watch=watch)
    matching = keeps(kind, query) if query and kind in KINDS else None
    if watch:
        following = Following(kind, frozenset(name), version, output)
        call(home, of_known_kind(following.follow, _NOUNS))
    wanted = [
        registry_pb2.GetDefinitionRequest(
            kind=kind, name=each, version=version, revision=revision or 0
        )
        for each in name
    ]

    async def work(clients: Clients) -> int:
        if not wanted:
            return await _every(clients, kind, output, matching)
        if len(wanted) > 1:
            return await _several(clients, wanted, output)
        # Of one there is nothing but its document: text is YAML.
        echo_data(await _one(clients, wanted[0]), "json" if output == "json" else "yaml")
        return 0

    call(home, of_known_kind(work, _NOUNS))


def _check(name: Sequence[str], revision: int | None, query: str, *, watch: bool) -> None:
    """Raises click.UsageError where they do not go together."""
    if revision is not None and len(name) != 1:
        raise click.UsageError("--revision goes with the NAME of a definition.")
    if watch and revision is not None:
        raise click.UsageError("--watch shows what is to come, --revision what was.")
    if query and (watch or name):
        raise click.UsageError("--query goes with a list.")


async def _every(
    clients: Clients, kind: str, output: str, matching: Callable[[Any], bool] | None
) -> int:
    """Print a list; ``matching`` takes the console's row of a definition."""
    documents = output != "text"
    whole = documents or matching is not None
    found = [each async for each in pages(clients, kind, documents=whole)]
    if matching is not None:
        # Late, as :mod:`tui.cli.queries` has it.
        from tui.resources.catalog import definition_of

        found = [each for each in found if matching(definition_of({each.version: each}))]
    if documents:
        echo_all([json.loads(each.document) for each in found], output)
    else:
        echo_rows(map(list_cells, found))
    return 0


async def _one(clients: Clients, wanted: registry_pb2.GetDefinitionRequest) -> Any:
    answer = await clients.registry.GetDefinition(wanted, timeout=CALL_SECONDS)
    return json.loads(answer.definition.document)


async def _several(
    clients: Clients, wanted: Sequence[registry_pb2.GetDefinitionRequest], output: str
) -> int:
    """Print those that are there, and say which are not: the exit code."""
    found, missing = [], 0
    for each in wanted:
        try:
            with raising_ours():
                found.append(await _one(clients, each))
        except NotFound as error:
            missing = 1
            click.echo(f"podium: {error.detail}", err=True)
    echo_all(found, "json" if output == "json" else "yaml")
    return missing


class Following:
    """`podium get --watch`: what there is, and then each change of it.

    Attributes:
        names: The only ones; none: all.
        version: The only one; 0: all.
    """

    def __init__(self, kind: str, names: frozenset[str], version: int, output: str) -> None:
        self._kind = kind
        self._names = names
        self._version = version
        self._output = output
        self._printed = False

    async def follow(self, clients: Clients) -> None:
        """Print for ever."""
        news = News()
        changing = catalog_changing(clients, [self._kind], documents=self._output != "text")
        async with while_read():
            async for message in changing:
                for state in filter(self._wants, news.of(message)):
                    self._print(state)

    def _wants(self, state: registry_pb2.DefinitionState) -> bool:
        definition = state.definition
        named = not self._names or definition.name in self._names
        return named and self._version in (0, definition.version)

    def _print(self, state: registry_pb2.DefinitionState) -> None:
        if self._output == "text":
            click.echo(change_line(state))
        elif self._output == "json":
            click.echo(json.dumps(change_data(state), ensure_ascii=False))
        elif state.deleted:
            click.echo(f"# {change_line(state)}")
        else:
            between = "---\n" if self._printed else ""
            self._printed = True
            text = yaml_text(json.loads(state.definition.document)).rstrip()
            click.echo(f"{between}{text}")


async def pages(
    clients: Clients, kind: str, *, documents: bool = True
) -> AsyncIterator[registry_pb2.Definition]:
    """Every definition of a kind, or of all where it is empty, in order."""
    token = ""
    while True:
        answer = await clients.registry.ListDefinitions(
            registry_pb2.ListDefinitionsRequest(
                kind=kind,
                page=page_pb2.PageRequest(page_size=PAGE, page_token=token),
                without_documents=not documents,
            ),
            timeout=CALL_SECONDS,
        )
        for definition in answer.definitions:
            yield definition
        token = answer.next_page_token
        if not token:
            return


@click.command(
    epilog=examples("podium delete workflow order", "podium delete wf order --version 2")
)
@HOME_OPTION
@click.option("--version", type=VERSION, default=0, help="Default: every version.")
@OUTPUT_OPTION
@click.argument("kind", type=KIND)
@click.argument("name")
def delete(home: Path | None, version: int, output: str, kind: str, name: str) -> None:
    """Delete the definition NAME of KIND; refused while another definition uses it."""

    async def work(clients: Clients) -> None:
        answer = await clients.registry.DeleteDefinition(
            registry_pb2.DeleteDefinitionRequest(kind=kind, name=name, version=version),
            timeout=CALL_SECONDS,
        )
        deleted = registry_pb2.Definition(kind=kind, name=name, version=version)
        if output != "text":
            echo_data(data(deleted, "deleted"), output)
        else:
            click.echo(f"{title(deleted)}  deleted")
        await live(clients, answer.revision)

    call(home, of_known_kind(work))


def of_known_kind(
    work: Callable[[Clients], Awaitable[int | None]], more: str = ""
) -> Callable[[Clients], Awaitable[int | None]]:
    """``work``, where a kind that the registry does not know is wrong usage.

    Who names a revision that is not there is told where to read which there are.

    Args:
        more: A sentence on what else can be named.
    """

    async def checked(clients: Clients) -> int | None:
        try:
            with raising_ours():
                return await work(clients)
        except InvalidRequest as error:
            if "kind" not in error.metadata:
                raise
            raise click.BadArgumentUsage(f"{error.detail} {more}".rstrip()) from error
        except NotFound as error:
            if "revision" not in error.metadata:
                raise
            words = shlex.join((error.metadata["kind"], error.metadata["name"]))
            fail(f"{error.detail} podium history {words} lists them.")

    return checked
