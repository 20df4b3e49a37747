"""Processes that write one thread at the same time: nothing may be lost, and nothing silently."""
