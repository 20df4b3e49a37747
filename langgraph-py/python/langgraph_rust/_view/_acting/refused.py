"""What cannot be done."""

from __future__ import annotations


class Refused(Exception):
    """What cannot be done now; the text says why."""
