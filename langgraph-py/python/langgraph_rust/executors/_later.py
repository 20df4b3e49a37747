"""Something that is done in a while, such as ending workers that nobody has used."""

from __future__ import annotations

import threading
from collections.abc import Callable

_HOUR = 3600.0
"""Timers cannot wait for any number of seconds."""


class Later:
    """Does something in a while, in a thread that keeps no program from ending.

    Args:
        act: What is done. It says itself when it is to be done again.
    """

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._is_set = False

    def begin(self, seconds: float) -> None:
        """Have it done after so many seconds, or when it is to be done anyway."""
        if not self._is_set:
            self._is_set = True
            timer = threading.Timer(min(max(seconds, 0.1), _HOUR), self._run)
            timer.daemon = True
            timer.start()

    def _run(self) -> None:
        self._is_set = False
        self._act()
