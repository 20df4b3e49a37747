"""Data and small functions that everything else builds on, under upstream's module names.

What comes in is configs, types and names. Nothing here knows graphs, channels or runs.
"""
