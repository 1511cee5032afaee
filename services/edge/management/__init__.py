"""The management listener: what operators and workers ask over HTTP, never on the public one."""
