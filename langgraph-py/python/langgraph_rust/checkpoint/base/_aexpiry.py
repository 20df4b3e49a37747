"""Threads that nobody has gone on with for long: deleting them from an event loop."""

from __future__ import annotations

from datetime import datetime, timedelta

from langgraph_rust.checkpoint.base._asweep import AsyncSwept
from langgraph_rust.checkpoint.base._elsewhere import call_from_elsewhere
from langgraph_rust.checkpoint.base._expiry import NOTICES, ThreadTTL, check_start, configured


class AsyncExpiring(AsyncSwept):
    """A saver whose threads may expire."""

    ttl_config: ThreadTTL | None = None
    """How threads expire, and how often `start_ttl_sweeper` has those that have deleted."""
    _notices = NOTICES

    def _check_start(self, minutes: float | None) -> None:
        check_start(self.ttl_config, minutes)

    async def adelete_expired(self, ttl: timedelta, *, now: datetime | None = None) -> list[str]:
        """Delete the threads that nobody has gone on with for some time; return their ids.

        See `PostgresSaver.delete_expired`.
        """
        raise NotImplementedError

    async def sweep_ttl(self) -> int:
        """Delete the threads that have expired by `ttl_config`; return how many."""
        ttl = configured(self.ttl_config)
        return 0 if ttl is None else len(await self.adelete_expired(ttl))

    def delete_expired(self, ttl: timedelta, *, now: datetime | None = None) -> list[str]:
        """`adelete_expired`, for other threads than the event loop's."""
        return call_from_elsewhere(self, lambda: self.adelete_expired(ttl, now=now))
