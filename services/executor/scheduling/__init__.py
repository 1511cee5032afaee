"""Schedules: what they start and when, noted so that no run is missed or made twice."""
