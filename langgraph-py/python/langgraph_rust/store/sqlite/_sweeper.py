"""The thread that deletes expired items from time to time."""

from __future__ import annotations

import logging
import threading
import weakref
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Protocol

logger = logging.getLogger("langgraph.store.sqlite.base")


class Sweeps(Protocol):
    """What has items that expire."""

    def sweep_ttl(self) -> int:
        """Delete those that have; return how many."""
        ...


def start(store: Sweeps, stop: threading.Event, seconds: float) -> tuple[threading.Thread, Future]:
    """Begin to sweep a store.

    It ends when `stop` is set, when the future is cancelled, or when nobody has the store any more.
    A process that ends does not wait for it.

    Args:
        store: What to sweep; not kept alive.
        stop: Set to end it.
        seconds: How long to wait before each time.

    Returns:
        The thread, and a future that is done when it is.
    """
    future: Future[None] = Future()
    future.add_done_callback(lambda done: stop.set() if done.cancelled() else None)
    arguments = weakref.ref(store, lambda _: stop.set()), stop, seconds, future
    thread = threading.Thread(target=_run, args=arguments, daemon=True, name="ttl-sweeper")
    thread.start()
    return thread, future


def _run(
    store_ref: weakref.ref[Sweeps], stop: threading.Event, seconds: float, future: Future[None]
) -> None:
    while not stop.wait(seconds) and (store := store_ref()):
        try:
            log_swept(store.sweep_ttl())
        except Exception:
            logger.exception("Store TTL sweep iteration failed")
        # Holding on to it while waiting would keep it alive for ever.
        del store
    # Whoever has the future may have cancelled it.
    with suppress(InvalidStateError):
        future.set_result(None)


def log_swept(count: int) -> None:
    """Say what was deleted, if anything was."""
    if count:
        logger.info("Store swept %d expired items", count)
