"""Nodes on a Ray cluster.

In come calls; each is a Ray task, or runs in a warm actor of the node's own kind. Messages go by a
mailbox, an actor beside the process that the calls come from. It knows no graphs.
"""
