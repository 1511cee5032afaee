"""Calls of routes that are tried: the stages themselves, each with a note of what it did."""
