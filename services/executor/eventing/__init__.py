"""Events: what was told, who handles it, and what that came to."""
