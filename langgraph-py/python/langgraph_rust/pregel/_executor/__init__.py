"""For servers that prepare and run a graph's tasks themselves, as upstream's internals let them.

What comes in is a graph's parts and a checkpoint. Nothing here is used by a run of this package.
"""
