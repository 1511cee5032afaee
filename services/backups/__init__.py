"""Backups of a suite: made while it runs, restored into a home, and looked through for faults."""
