"""`podium`: one command, its subcommands imported only when they are called."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from tui.cli.ending import ending

# Subcommand -> (module, attribute, one line for --help). Importing all of them would make every
# call wait for gRPC, which `podium --help` and `podium up` do not need.
COMMANDS = {
    "tui": ("tui.cli.console", "tui", "Open the console; so does podium alone."),
    "up": ("tui.cli.up", "up", "Start the suite: registry, executor and edge."),
    "serve": ("tui.cli.serve", "serve", "Run one service in the foreground."),
    "status": ("tui.cli.status", "status", "Show the health of the three services."),
    "apply": ("tui.cli.apply", "apply", "Put definitions from files and folders."),
    "diff": ("tui.cli.apply", "diff", "Show what apply would change, or how executions differ."),
    "export": ("tui.cli.export", "export", "Write every definition to a file of its own."),
    "get": ("tui.cli.definitions", "get", "Print a definition, or list a kind."),
    "delete": ("tui.cli.definitions", "delete", "Delete a definition."),
    "history": ("tui.cli.history", "history", "List what a definition was."),
    "rollback": ("tui.cli.history", "rollback", "Store an earlier state of a definition again."),
    "keys": ("tui.cli.keys", "keys", "List, make, roll and revoke the keys of an auth."),
    "access": ("tui.cli.access", "access", "Show who may do what, and by what."),
    "access-keys": ("tui.cli.access_keys", "access_keys", "List, make, roll, revoke access keys."),
    "signing-keys": ("tui.cli.signing_keys", "signing_keys", "Show what signs tokens; rotate."),
    "secrets": ("tui.cli.secrets", "secrets", "List secrets, set one; rotate what seals them."),
    "run": ("tui.cli.run", "run", "Start an execution; wait for its end with --wait."),
    "watch": ("tui.cli.run", "watch", "Follow an execution until it ends."),
    "executions": ("tui.cli.executions", "executions", "List executions."),
    "tasks": ("tui.cli.tasks", "tasks", "List tasks of all executions."),
    "events": ("tui.cli.events", "events", "Show what happened to an execution, step by step."),
    "graph": ("tui.cli.graph", "graph", "Draw a workflow, and where an execution of it stands."),
    "pause": ("tui.cli.operations", "pause", "Start no new tasks."),
    "resume": ("tui.cli.operations", "resume", "Go on after a pause."),
    "terminate": ("tui.cli.operations", "terminate", "End an execution."),
    "retry": ("tui.cli.operations", "retry", "Run the failed tasks again."),
    "restart": ("tui.cli.operations", "restart", "Run an execution from its beginning."),
    "rerun": ("tui.cli.operations", "rerun", "Run an execution again from one of its tasks."),
    "skip-task": ("tui.cli.operations", "skip_task", "Have a task to come not done."),
    "signal": ("tui.cli.operations", "signal", "Complete whichever task waits for somebody."),
    "set-variables": ("tui.cli.operations", "set_variables", "Set variables of an execution."),
    "reset-callbacks": ("tui.cli.operations", "reset_callbacks", "Begin now what waits to."),
    "decide": ("tui.cli.operations", "decide", "Look at where an execution stands."),
    "remove": ("tui.cli.operations", "remove", "Delete an execution."),
    "complete-task": ("tui.cli.executions", "complete_task", "Say how a waiting task ended."),
    "routes": ("tui.cli.routes", "routes", "List the routes, and how to call one."),
    "test-route": ("tui.cli.trial", "test_route", "Call a route, and show its stages."),
    "schedules": ("tui.cli.schedules", "schedules", "Show what schedules start; pause, resume."),
    "event-runs": ("tui.cli.event_runs", "event_runs", "Show what event handlers did."),
    "queues": ("tui.cli.queues", "queues", "Show what waits for workers."),
    "workers": ("tui.cli.queues", "workers", "Show the workers that were seen."),
    "requeue": ("tui.cli.queues", "requeue", "Take tasks from workers that are gone."),
    "task-logs": ("tui.cli.queues", "task_logs", "Show what was logged for a task."),
    "breakers": ("tui.cli.breakers", "breakers", "Show whom tasks leave alone; open, close."),
    "cache": ("tui.cli.cache", "cache", "Show what the gateway keeps of answers, and purge it."),
    "limits": ("tui.cli.limits", "limits", "Show how limits stand; begin anew."),
    "metrics": ("tui.cli.metrics", "metrics", "Show what the gateway has answered of late."),
    "pulse": ("tui.cli.pulse", "pulse", "Show how the suite does, in a few figures."),
    "engine": ("tui.cli.engine", "engine", "Show what the executor does, and how it stands."),
    "audit": ("tui.cli.audit", "audit", "Show who changed what, and who was refused."),
    "log": ("tui.cli.log", "log", "Show what the three services have logged of late."),
    "test-script": ("tui.cli.scripts", "test_script", "Run a script of a route without a call."),
    "test-workflow": ("tui.cli.rehearsal", "test_workflow", "Run a workflow with mocked tasks."),
    "backup": ("tui.cli.backup", "backup", "Copy a suite into one file, while it runs."),
    "restore": ("tui.cli.restore", "restore", "Make a home of a backup."),
    "check": ("tui.cli.check", "check", "Look for what is wrong in databases, or in a backup."),
    "contexts": ("tui.cli.contexts", "contexts", "List the suites that the settings name."),
    "certificates": ("tui.cli.certificates", "certificates", "Make and renew certificates."),
    "demo": ("tui.cli.demo", "demo", "Show the main job on a real job server."),
}


CONSOLE_OPTIONS = ("--home", "--context", "--open", "--read-only", "--theme", "--check-config")


class LazyGroup(click.Group):
    """A group that knows its commands' names and help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options of the console may stand behind `podium` alone, as behind `podium tui`."""
        if args and args[0].partition("=")[0] in CONSOLE_OPTIONS:
            args = ["tui", *args]
        return super().parse_args(ctx, args)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """As click does; help that nobody reads to its end is no failure that needs words."""
        with ending():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; see :func:`tui.cli.ending.ending` for how it may end."""
        # Taken out of it by what runs.
        words = [*ctx._protected_args, *ctx.args]
        with ending():
            try:
                return super().invoke(ctx)
            except UnicodeEncodeError as error:
                if all(map(_is_text, words)):
                    raise
                # A file may be named so, and nothing else.
                raise click.UsageError("An argument is no UTF-8 text.") from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


def _is_text(word: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in word)


@click.group(cls=LazyGroup, invoke_without_command=True)
@click.version_option(package_name="podium", prog_name="podium")
@click.pass_context
def main(context: click.Context) -> None:
    """Workflows as APIs, and long-running APIs held on the line.

    Shell completion: eval "$(_PODIUM_COMPLETE=bash_source podium)" (or zsh_source, fish_source).
    """
    if os.environ.get("NO_COLOR"):
        context.color = False
    if context.invoked_subcommand is None:
        if sys.stdin.isatty() and sys.stdout.isatty():
            import_module("tui.cli.console").open_console(None)
        click.echo(context.get_help())


HOME_OPTION = click.option(
    "--home",
    type=click.Path(path_type=Path),
    help="The suite's folder; default $PODIUM_HOME, else ~/.podium.",
)
