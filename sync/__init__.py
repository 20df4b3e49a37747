"""Keeping in step with upstream: its pinned versions, its files, environments to run it in.

Nothing here is part of the wheel. The tools use the standard library of Python 3.10 only, and what
`sync.toml` finds of that of 3.11, and are run from the root of the repository, as
``python -m sync.environments`` and the like.
"""
