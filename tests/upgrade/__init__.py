"""Homes of earlier versions, killed with everything under way, opened by this one."""
