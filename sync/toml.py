"""`tomllib`, also on Python 3.10, where pip has brought it."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib

__all__ = ("tomllib",)
