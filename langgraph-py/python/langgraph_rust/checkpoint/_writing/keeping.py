"""Renewing leases for as long as their runs go on."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from langgraph_rust.checkpoint._writing.leasing import Lease

logger = logging.getLogger("langgraph.checkpoint")

_PART = 3
"""A lease is renewed when this part of its time is over."""


class Keeper:
    """Renews leases of one saver, from a thread of its own for as long as there are any.

    One that waits for its database keeps no lease of another from being renewed.
    """

    def __init__(self) -> None:
        self._due: dict[Lease, float] = {}
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, lease: Lease) -> None:
        """Renew a lease from now on."""
        with self._news:
            self._due[lease] = time.monotonic() + lease.ttl / _PART
            # It ends when it has nothing to do, and after a fork there is none any more.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._keep, name="langgraph-leases", daemon=True
                )
                self._thread.start()
            elif lease.ttl < _OFTEN:
                self._news.notify()

    def remove(self, lease: Lease) -> None:
        """Renew it no more."""
        with self._news:
            self._due.pop(lease, None)

    def _keep(self) -> None:
        while True:
            with self._news:
                if not self._due and not self._news.wait(_OFTEN) and not self._due:
                    self._thread = None
                    return
                now = time.monotonic()
                due = [lease for lease, when in self._due.items() if when <= now]
                if not due:
                    # One that comes meanwhile is due later than that, or says so.
                    soonest = min(self._due.values(), default=now + _OFTEN / _PART)
                    self._news.wait(min(soonest - now, _OFTEN / _PART))
            for lease in due:
                self._renew(lease)

    def _renew(self, lease: Lease) -> None:
        renewed = True
        try:
            lease.renew()
        except Exception as error:
            renewed = _may_get_better(lease, error)
        with self._news:
            if lease in self._due:
                if renewed:
                    self._due[lease] = time.monotonic() + lease.ttl / _PART
                else:
                    del self._due[lease]


_OFTEN = 3.0
"""Seconds of a lease for which the thread looks often enough by itself."""

_keepers: WeakKeyDictionary[Any, Keeper] = WeakKeyDictionary()
_making = threading.Lock()


def keeper_of(saver: Any) -> Keeper:
    """Return what renews a saver's leases."""
    with _making:
        if saver not in _keepers:
            _keepers[saver] = Keeper()
        return _keepers[saver]


def _forget() -> None:
    # Somebody may have held them when the process forked.
    global _making
    _making = threading.Lock()
    _keepers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


async def akeep(lease: Lease) -> None:
    """Renew a lease until this is cancelled, or the lease is lost."""
    while True:
        await asyncio.sleep(lease.ttl / _PART)
        try:
            await lease.arenew()
        except Exception as error:
            if not _may_get_better(lease, error):
                return


def _may_get_better(lease: Lease, error: Exception) -> bool:
    """Say what is wrong; tells whether renewing may succeed later.

    Whoever works under a lease that was lost is told when it stores.
    """
    from langgraph_rust.checkpoint.single_writer import ThreadConflictError

    is_lost = isinstance(error, ThreadConflictError)
    logger.warning("%r could not be renewed: %s", lease, error)
    return not is_lost
