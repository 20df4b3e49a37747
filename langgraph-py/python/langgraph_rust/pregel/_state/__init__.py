"""What is stored of a thread: which saver has it, and reading, showing and changing it.

What comes in is a graph and the config that names a thread. Nothing here runs a graph.
"""
