"""Environment variables of this package that are on or off."""

from __future__ import annotations

import os

_ON = ("1", "true", "yes", "on")
_OFF = ("0", "false", "no", "off", "")


def is_on(variable: str, *, unset: bool = False) -> bool:
    """Whether a variable says on: `1`, `true`, `yes` or `on`; upper case and spaces do not matter.

    Args:
        variable: Its name.
        unset: What holds if there is none. One that is empty says off, as `0`, `false`, `no` and
            `off` do.

    Raises:
        ValueError: it says neither. Who misspells what makes reading strict is not to go without.
    """
    said = what_is_said(variable)
    return unset if said is None else said


def what_is_said(variable: str) -> bool | None:
    """Whether a variable says on or off, as `is_on` reads it, or `None` if there is none.

    Raises:
        ValueError: it says neither.
    """
    value = os.environ.get(variable)
    if value is None:
        return None
    word = value.strip().lower()
    if word not in _ON and word not in _OFF:
        raise ValueError(
            f"The environment variable {variable} is {value!r}, which is neither on "
            f"({', '.join(_ON)}) nor off ({', '.join(filter(None, _OFF))})"
        )
    return word in _ON
