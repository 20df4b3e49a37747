"""Fitting langchain-core without importing it: its base classes, its callbacks, who listens to it.

What comes in is whatever other modules happen to be loaded. Nothing here imports langchain-core,
pydantic or an SDK before somebody asks for what only they have.
"""
