"""Keeping in step with upstream: its pinned versions, its files, environments to run it in.

Nothing here is part of the wheel. The tools use the standard library of Python 3.11 only, and are
run from the root of the repository, as ``python -m sync.environments`` and the like.
"""
