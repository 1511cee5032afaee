"""Conductor's REST API: each page put into the RPC that does the same, and its answer put back."""
