"""Whole agents, in environments with what they stand on; those that need the same share one."""
