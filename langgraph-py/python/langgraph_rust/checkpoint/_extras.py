"""What to install for the parts of this package that need others."""

from __future__ import annotations

_EXTRAS = {
    "aiosqlite": ("aiosqlite", "sqlite"),
    "orjson": ("orjson", "sqlite"),
    "psycopg": ("psycopg", "postgres"),
    "psycopg_pool": ("psycopg-pool", "postgres"),
    "procrastinate": ("procrastinate", "runs"),
}
"""Modules, the distributions that they are in, and the extras of this one that bring them."""


def missing(error: ModuleNotFoundError, part: str, extra: str | None = None) -> ModuleNotFoundError:
    """Return an error that says what to install, for one that says what was not found.

    Args:
        error: The error of an import.
        part: The module of this package that needs what was imported.
        extra: The extra that brings it and all else that the part needs, if that is another.
    """
    if error.name not in _EXTRAS:
        return error
    distribution, own = _EXTRAS[error.name]
    return ModuleNotFoundError(
        f"{part} needs the package {distribution}, which is not installed: "
        f"pip install 'langgraph-rust[{extra or own}]'",
        name=error.name,
        path=error.path,
    )
