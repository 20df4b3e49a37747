"""What nobody hears otherwise: errors that cannot be raised, coroutines that nobody awaited."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from typing import Any


class Noise(logging.Handler):
    """Listens while it is entered."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    def __enter__(self) -> Noise:
        self._before = sys.unraisablehook, threading.excepthook, warnings.showwarning
        sys.unraisablehook = lambda it: self._note("unraisable", it.exc_value or it.exc_type)
        threading.excepthook = lambda it: self._note("thread", it.exc_value)
        warnings.showwarning = lambda message, *_, **__: self._note("warning", message)
        self._filters = warnings.filters[:]
        warnings.simplefilter("always", RuntimeWarning)
        self._logger = logging.getLogger("asyncio")
        self._logger.addHandler(self)
        self._propagates, self._logger.propagate = self._logger.propagate, False
        return self

    def __exit__(self, *_: Any) -> None:
        sys.unraisablehook, threading.excepthook, warnings.showwarning = self._before
        warnings.filters[:] = self._filters
        self._logger.removeHandler(self)
        self._logger.propagate = self._propagates

    def emit(self, record: logging.LogRecord) -> None:
        """Note what an event loop complains about."""
        self.heard.append(f"loop: {record.getMessage().splitlines()[0]}")

    def _note(self, where: str, what: Any) -> None:
        self.heard.append(f"{where}: {type(what).__name__}: {what}")
