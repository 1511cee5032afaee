"""Starting a workflow: a form from the schema of its input; its execution is shown as it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical

from services.errors import InvalidDefinition, Overloaded, ServiceError
from services.home import HomeUnusable
from tui.clients import persistently
from tui.live.starting import Order, order, schema_named, start
from tui.resources.catalog import Definition
from tui.resources.model import Resource
from tui.screens.pane import Pane
from tui.views.addresses import Address
from tui.views.forms.fields import form_of
from tui.views.forms.requests import input_schema
from tui.widgets.form import Form
from tui.widgets.titles import as_title
from tui.widgets.working import begin


class RunPane(Pane):
    """Input, version and correlation id of an execution to be."""

    def __init__(self, resource: Resource[Any], record: Definition) -> None:
        super().__init__()
        self._resource = resource
        self._workflow = record
        self._form: Form | None = None
        # The one that was sent and not answered: sent again, it is the same start.
        self._order: Order | None = None
        self._is_sending = False

    def compose(self) -> ComposeResult:
        yield Vertical()

    def on_mount(self) -> None:
        begin(self, self._begin, "form")

    @property
    def address(self) -> Address:
        return Address(self._resource.name, self._workflow.id, "run")

    @property
    def crumbs(self) -> tuple[str, ...]:
        return (self._resource.name, self._workflow.id, "run")

    @property
    def service(self) -> str:
        return "executor"

    @property
    def dirty(self) -> bool:
        return self._form is not None and self._form.changed

    def entered(self) -> None:
        if not self._is_sending:
            # Whoever comes back from what was started, and runs it again, wants another one.
            self._order = None
        if self._form is not None:
            self._form.focus()

    async def _begin(self) -> None:
        """Show the form, once the schema is known that the workflow names."""
        given = await self._input_schema()
        form = Form(
            form_of(_schema(self._workflow, given)),
            {"input": {}},
            sends="Run",
            ascii=self.console.ascii,
        )
        form.border_title = as_title(f"Run {self._workflow.id}")
        self._form = form
        await self.query_one(Vertical).mount(form)
        form.go_to(("input", *list(given.get("properties", ()))[:1]))
        form.focus()

    async def _input_schema(self) -> Mapping[str, Any]:
        declared = self._workflow.get("inputSchema")
        if not (isinstance(declared, Mapping) and declared.get("name")):
            return input_schema(self._workflow.document)
        try:
            clients = await self.console.session.connection.clients()
            with self.console.session.connection.calling():
                name, version = str(declared["name"]), int(declared.get("version") or 0)
                return await schema_named(clients, name, version)
        except (ServiceError, HomeUnusable) as error:
            self.console.tell(f"The schema of its input cannot be read: {error}", "warning")
            return {"type": "object"}

    def on_form_changed(self, message: Form.Changed) -> None:
        message.stop()
        self._order = None

    def on_form_submitted(self, message: Form.Submitted) -> None:
        message.stop()
        if isinstance(message.document, dict) and not self._is_sending:
            self._order = self._order or _ordered(self._workflow, message.document)
            self._is_sending = True
            begin(self, partial(self._start, self._order), "start")

    async def on_form_cancelled(self, message: Form.Cancelled) -> None:
        message.stop()
        await self.console.frame.action_back()

    async def _start(self, wanted: Order) -> None:
        session = self.console.session
        entry = session.log.sent(f"Run {wanted.workflow}", wanted.command)
        try:
            clients = await session.connection.clients()
            with session.connection.calling():
                # One that is too busy to start it now is asked again: it is the same start.
                id_ = await persistently(partial(start, clients, wanted), (Overloaded,))
        except asyncio.CancelledError:
            session.log.failed(entry, "left before it was answered: executions list it")
            raise
        except InvalidDefinition as error:
            session.log.failed(entry, error.detail)
            self._refuse([(fault.path, fault.detail) for fault in error.faults], error.detail)
        except (ServiceError, HomeUnusable) as error:
            session.log.failed(entry, str(error))
            self.console.tell(str(error))
        else:
            session.log.done(entry, id_)
            self.console.open(Address("executions", id_))
        finally:
            self._is_sending = False

    def _refuse(self, faults: list[tuple[str, str]], detail: str) -> None:
        if faults and self._form is not None:
            self._form.refuse(faults)
        else:
            self.console.tell(detail)


def _schema(workflow: Definition, given: Mapping[str, Any]) -> Mapping[str, Any]:
    versions = [str(version) for version in reversed(workflow.versions)]
    return {
        # What the schema refers to within itself is looked for at the top.
        **{name: given[name] for name in ("$defs", "definitions") if name in given},
        "type": "object",
        "properties": {
            "input": dict(given),
            "version": {
                "enum": versions, "description": f"Without one, the latest: {versions[0]}.",
            },
            "correlationId": {"type": "string", "description": "Your own name for it."},
        },
    }  # fmt: skip


def _ordered(workflow: Definition, document: Mapping[str, Any]) -> Order:
    given = document.get("input")
    return order(
        workflow.id,
        int(document.get("version") or 0),
        given if isinstance(given, dict) else {},
        str(document.get("correlationId") or ""),
    )
