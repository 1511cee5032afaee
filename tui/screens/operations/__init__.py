"""Places that show how the suite runs: limits, cache, traffic, engine, pulse."""
