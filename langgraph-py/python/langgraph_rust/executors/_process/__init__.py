"""Nodes in processes of this machine.

In come calls; out go messages of the workers, over a pipe each. Processes are made when they are
needed and kept for the next call; one that is cancelled is killed. It knows no graphs.
"""
