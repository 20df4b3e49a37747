"""`RemoteGraph`'s translations: configs, snapshots and events of a server into ours and back.

What comes in is what langgraph-sdk gives and takes. Nothing here runs a graph in this process.
"""
