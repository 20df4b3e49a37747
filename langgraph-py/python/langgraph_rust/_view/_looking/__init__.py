"""What there is to see of threads: lists, checkpoints, values that have to be rebuilt, tasks.

In come a source, names of threads, checkpoints and channels, and what is not to be shown. Out goes
JSON, which the page asks for in parts and an export holds as a whole. Nothing here knows of HTTP,
or of a graph.
"""
