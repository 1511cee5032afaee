"""Workflows: what is done with one beside looking at it."""
