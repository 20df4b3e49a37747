"""Savers whose threads can be leased, and the leases that they give."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import Any

from langgraph_rust.checkpoint._writing.leases import (
    TTL,
    Change,
    Changed,
    Held,
    Nap,
    Taking,
    release,
    renew,
)


class Lease:
    """A thread that somebody has to themselves for a time. Made by a saver's `take_lease`.

    A run that is to work under it says so in its config:
    `{"configurable": {"thread_id": ..., "__langgraph_rust_lease": lease.token}}`. When another has
    taken the lease meanwhile, nothing of that run is stored any more, however late it comes.
    """

    thread_id: str
    """The thread."""
    holder: str
    """Who has it, for people."""
    token: int
    """Its number: larger than that of each lease that was taken on the thread before."""
    ttl: float
    """Seconds that it is good for, from when it was taken or renewed last."""

    def __init__(self, saver: Any, thread_id: str, holder: str, token: int, ttl: float) -> None:
        self._saver = saver
        self.thread_id = thread_id
        self.holder = holder
        self.token = token
        self.ttl = ttl

    def __repr__(self) -> str:
        return f"Lease(thread_id={self.thread_id!r}, holder={self.holder!r}, token={self.token})"

    def renew(self) -> None:
        """Make it last for another `ttl` seconds. One that has run out, and nobody took, too.

        Raises:
            ThreadConflictError: it was taken by another, or given back.
        """
        if not self._saver._change_lease(self.thread_id, self._renewal()):
            raise self._lost(self._saver._look_at_lease(self.thread_id)[0])

    async def arenew(self) -> None:
        """Async twin of `renew`."""
        if not await self._saver._achange_lease(self.thread_id, self._renewal()):
            raise self._lost((await self._saver._alook_at_lease(self.thread_id))[0])

    def release(self) -> None:
        """Give it back; does nothing if it is another's already."""
        self._saver._change_lease(self.thread_id, partial(release, token=self.token))

    async def arelease(self) -> None:
        """Async twin of `release`."""
        await self._saver._achange_lease(self.thread_id, partial(release, token=self.token))

    def _renewal(self) -> Change:
        return partial(renew, token=self.token, ttl=self.ttl)

    def _lost(self, held: Held) -> Exception:
        from langgraph_rust.checkpoint.single_writer import ThreadConflictError

        return ThreadConflictError(
            reason="fenced",
            thread_id=self.thread_id,
            run_id=self.holder,
            other_run_id=held.holder,
        )


class Leasing:
    """A saver that gives leases on its threads. A subclass reads and changes what is stored."""

    def take_lease(
        self,
        thread_id: str,
        holder: str,
        *,
        ttl: float = TTL,
        steal: bool = False,
        wait: float = 0.0,
    ) -> Lease:
        """Take a thread for oneself. One that is not renewed runs out, as if given back.

        A run without its token is not kept from the thread: leases bind those who use them.

        Args:
            thread_id: The thread.
            holder: Who takes it, for people: errors of others name it.
            ttl: Seconds that it is good for; longer than its holder may be busy without renewing.
            steal: Whether it is taken even if another has it, who can store nothing from then on.
            wait: Seconds to wait while another has it. Those who wait are served in turn.

        Raises:
            ThreadConflictError: another has it.
            ValueError: `ttl` is not positive.
        """
        taking = _taking(holder, ttl, steal, wait)
        steps, answer = taking.steps(), None
        try:
            while True:
                asked = steps.send(answer)
                if isinstance(asked, Nap):
                    answer = time.sleep(asked.seconds)
                elif isinstance(asked, Changed):
                    answer = self._change_lease(thread_id, asked.change)
                else:
                    answer = self._look_at_lease(thread_id)
        except StopIteration as stop:
            return _taken(self, thread_id, holder, ttl, stop.value)
        except BaseException:
            with suppress(Exception):
                self._change_lease(thread_id, taking.leave)
            raise

    async def atake_lease(
        self,
        thread_id: str,
        holder: str,
        *,
        ttl: float = TTL,
        steal: bool = False,
        wait: float = 0.0,
    ) -> Lease:
        """Async twin of `take_lease`."""
        import asyncio

        taking = _taking(holder, ttl, steal, wait)
        steps, answer = taking.steps(), None
        try:
            while True:
                asked = steps.send(answer)
                if isinstance(asked, Nap):
                    answer = await asyncio.sleep(asked.seconds)
                elif isinstance(asked, Changed):
                    answer = await self._achange_lease(thread_id, asked.change)
                else:
                    answer = await self._alook_at_lease(thread_id)
        except StopIteration as stop:
            return _taken(self, thread_id, holder, ttl, stop.value)
        except BaseException:
            with suppress(Exception):
                await asyncio.shield(self._achange_lease(thread_id, taking.leave))
            raise

    # --- for subclasses ---

    def _change_lease(self, thread_id: str, change: Change) -> Any:
        """Have the lease changed while nobody else can; return what the change says."""
        raise NotImplementedError

    async def _achange_lease(self, thread_id: str, change: Change) -> Any:
        """Async twin of `_change_lease`."""
        raise NotImplementedError

    def _look_at_lease(self, thread_id: str) -> tuple[Held, float]:
        """Return the lease, and the time."""
        raise NotImplementedError

    async def _alook_at_lease(self, thread_id: str) -> tuple[Held, float]:
        """Async twin of `_look_at_lease`."""
        raise NotImplementedError


def _taking(holder: str, ttl: float, steal: bool, wait: float) -> Taking:
    if not ttl > 0:
        raise ValueError(f"ttl must be a positive number of seconds, not {ttl!r}")
    return Taking(holder, ttl, steal, wait)


def _taken(saver: Any, thread_id: str, holder: str, ttl: float, got: int | Held) -> Lease:
    if isinstance(got, int):
        return Lease(saver, thread_id, holder, got, ttl)
    from langgraph_rust.checkpoint.single_writer import ThreadConflictError

    raise ThreadConflictError(
        reason="held", thread_id=thread_id, run_id=holder, other_run_id=got.holder
    )
