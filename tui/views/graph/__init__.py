"""Workflows as drawings of boxes and lines, with where an execution stands drawn over them."""
