"""Which programs a run is of, as the command line says it."""

from __future__ import annotations

import argparse
import re

_WORDS = re.compile(r"(\d+)(?::(\d+))?")


def seed_range(text: str) -> range:
    """The seeds that `text` names: FIRST:END without END itself, or a single one.

    Raises:
        argparse.ArgumentTypeError: it names none.
    """
    found = _WORDS.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(f"FIRST:END or a number, such as 0:300, not {text!r}")
    first, end = found.groups()
    named = range(int(first), int(end) if end else int(first) + 1)
    if not named:
        raise argparse.ArgumentTypeError(f"{text} names nothing: the second number is the end")
    return named
