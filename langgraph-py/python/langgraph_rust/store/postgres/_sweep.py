"""Deleting expired items from time to time."""

from __future__ import annotations

import asyncio
import logging
import threading
import weakref
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from langgraph_rust.store.base import TTLConfig

logger = logging.getLogger(__name__)


def interval(ttl_config: TTLConfig, minutes: float | None) -> float:
    """Return the seconds between sweeps: what was asked for, what is configured, or 5 minutes."""
    return 60.0 * float(minutes or ttl_config.get("sweep_interval_minutes") or 5)


def sweep_in_thread(store: Any, seconds: float) -> tuple[threading.Thread, Future[None]]:
    """Sweep in a thread until the store's `_ttl_stop_event` is set, or the store is gone.

    Returns:
        The thread, and what is done when it ends. Cancelling that ends it.
    """
    done: Future[None] = Future()
    stop = store._ttl_stop_event
    done.add_done_callback(lambda done: stop.set() if done.cancelled() else None)
    arguments = (weakref.ref(store), stop, seconds, done)
    thread = threading.Thread(target=_loop, args=arguments, daemon=True, name="ttl-sweeper")
    thread.start()
    return thread, done


def _loop(
    store_ref: weakref.ref[Any], stop: threading.Event, seconds: float, done: Future[None]
) -> None:
    while not stop.wait(seconds):
        store = store_ref()
        if store is None:
            break
        try:
            _report(store.sweep_ttl())
        except Exception:
            logger.exception("Store TTL sweep iteration failed")
        # Holding on to it while waiting would keep it alive for ever.
        del store
    if not done.cancelled():
        done.set_result(None)


def sweep_in_task(store: Any, seconds: float) -> asyncio.Task[None]:
    """Sweep in a task until the store's `_ttl_stop_event` is set, or the store is gone."""
    arguments = (weakref.ref(store), store._ttl_stop_event, seconds)
    return asyncio.create_task(_aloop(*arguments), name="ttl_sweeper")


async def _aloop(store_ref: weakref.ref[Any], stop: asyncio.Event, seconds: float) -> None:
    while not stop.is_set():
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
            return
        store = store_ref()
        if store is None:
            return
        try:
            _report(await store.sweep_ttl())
        except Exception:
            logger.exception("Store TTL sweep iteration failed")
        del store


def _report(count: int) -> None:
    if count > 0:
        logger.info("Store swept %d expired items", count)
