"""Panes by name, as descriptors name them: imported when they are first wanted."""

from __future__ import annotations

PANES: dict[str, str] = {
    "action-results": "tui.screens.results:ResultsTab",
    "execution-timeline": "tui.screens.execution.timeline:TimelineTab",
    "execution-graph": "tui.screens.execution.graph:GraphTab",
    "definition-graph": "tui.screens.definition.graph:GraphTab",
    "execution-events": "tui.screens.execution.events:EventsTab",
    "execution-definition": "tui.screens.execution.definition:DefinitionTab",
    "workflow-run": "tui.screens.workflow.run:RunPane",
    "record-json": "tui.screens.record:RecordTab",
    "definition-json": "tui.screens.definition.document:JsonTab",
    "definition-yaml": "tui.screens.definition.document:YamlTab",
    "definition-references": "tui.screens.definition.references:ReferencesTab",
    "definition-history": "tui.screens.definition.history:HistoryTab",
    "metrics": "tui.screens.operations.metrics:MetricsPane",
    "traffic": "tui.screens.operations.traffic:TrafficTab",
    "pulse": "tui.screens.operations.pulse:PulsePane",
    "engine": "tui.screens.operations.engine:EnginePane",
    "limit-holders": "tui.screens.operations.holders:HoldersTab",
    "cache-entries": "tui.screens.operations.entries:EntriesTab",
    "cache-entry": "tui.screens.operations.entry:EntryPane",
    "execution-data": "tui.screens.execution.data:DataTab",
    "definition-form": "tui.screens.definition.form:FormPane",
    "auth-keys": "tui.screens.definition.keys:ApiKeysTab",
    "application-keys": "tui.screens.definition.keys:AccessKeysTab",
    "application-grants": "tui.screens.definition.grants:GrantsTab",
    "service-routes": "tui.screens.definition.routes:RoutesTab",
    "schema-sample": "tui.screens.definition.sample:SampleTab",
    "route-form": "tui.screens.definition.form:NewRoutePane",
}
