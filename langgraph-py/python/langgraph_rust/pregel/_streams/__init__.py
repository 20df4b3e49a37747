"""Callback handlers that feed the stream modes `messages` and `tools`.

What comes in is langchain-core's callbacks, hence its modules. Nothing here knows how a run goes
on; chunks are given to a function, and what becomes of them is its business.
"""
