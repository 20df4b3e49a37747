"""Who is woken by what the database tells."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

__all__ = ("Listener",)

logger = logging.getLogger(__name__)

_TURN = 1.0
"""Seconds after which the thread looks whether it is still wanted."""

_PAUSES = 1.0, 10.0
"""Seconds between attempts to connect, at first and at most."""


class Listener:
    """One connection and one thread that wake all who wait, whether they are threads or on a loop.

    The thread begins with the first who waits. Whoever is woken looks for itself what has happened;
    all are woken when a connection was made, since nobody heard what was told before.

    Args:
        conninfo: How to connect.
        channel: What is listened to; each notification's payload is the id of a run.
    """

    def __init__(self, conninfo: str, channel: str) -> None:
        self._conninfo = conninfo
        self._channel = channel
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Callable[[], object]]] = defaultdict(list)
        self._thread: threading.Thread | None = None
        self._is_closed = False

    @contextmanager
    def wakes(self, run_id: str, wake: Callable[[], object]) -> Iterator[None]:
        """Call `wake`, in the listener's thread, whenever something is told of a run."""
        with self._lock:
            self._waiting[run_id].append(wake)
            if self._thread is None and not self._is_closed:
                self._thread = threading.Thread(
                    target=self._listen, name=f"listens to {self._channel}", daemon=True
                )
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._waiting[run_id].remove(wake)
                if not self._waiting[run_id]:
                    del self._waiting[run_id]

    def close(self) -> None:
        """Let the thread end; it does within a second."""
        self._is_closed = True

    def _listen(self) -> None:
        pause, most = _PAUSES
        while not self._is_closed:
            began = time.monotonic()
            try:
                self._hear()
            except psycopg.Error as error:
                if self._is_closed:
                    return
                # Whoever waits looks from time to time anyway.
                logger.warning("cannot hear of runs for the moment: %s", error)
                pause = min(pause * 2, most) if time.monotonic() - began < most else _PAUSES[0]
                time.sleep(pause)

    def _hear(self) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
            with self._lock:
                everybody = [wake for wakes in self._waiting.values() for wake in wakes]
            _call(everybody)
            while not self._is_closed:
                for told in connection.notifies(timeout=_TURN):
                    with self._lock:
                        wakes = [*self._waiting.get(told.payload, ())]
                    _call(wakes)


def _call(wakes: list[Callable[[], object]]) -> None:
    for wake in wakes:
        try:
            wake()
        except RuntimeError:
            # The event loop of whoever waited is closed.
            logger.debug("nobody waits there any more", exc_info=True)
