"""Inbound webhooks: who sent a request, and what it tells."""
