"""What a graph is made of: nodes, what they read and write, and the checks and pictures of it.

What comes in is channels, functions and policies. Nothing here runs a node or asks a saver.
"""
