"""The `podium` command: what the console does, without a screen."""
