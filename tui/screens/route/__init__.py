"""A route: trying it, its scripts, what it publishes of itself."""
