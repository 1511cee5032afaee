"""One execution: its timeline, graph, data, events and definition, as it happens."""
