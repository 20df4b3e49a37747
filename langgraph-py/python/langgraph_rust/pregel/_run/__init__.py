"""Running a graph: from the arguments of `invoke` and `stream` to the engine's `GraphRun`.

What comes in is a graph, an input and a config. Nothing here schedules tasks, applies writes or
stores anything: that is the engine's, which calls `timed`, `call`, `listeners` and `replay` back.
"""
