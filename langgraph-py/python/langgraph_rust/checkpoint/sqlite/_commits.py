"""Transactions: what several callers store at the same time is committed once."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from typing import Any

from langgraph_rust.checkpoint.sqlite._rows import Work


class Job:
    """A part of a transaction, and what became of it."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.is_done = False
        self.error: Exception | None = None


class Commits:
    """The jobs that wait to be committed.

    Whoever has the connection commits all that wait, so that those who came while the disk was
    being waited for share one wait of theirs. Each job is stored whole or not at all.
    """

    def __init__(self) -> None:
        self._waiting: deque[Job] = deque()

    def store(
        self,
        work: Work,
        lock: AbstractContextManager[Any],
        connect: Callable[[], sqlite3.Connection],
    ) -> None:
        """Have `work` committed.

        Args:
            work: A part of a transaction; done again on its own if another part fails.
            lock: Held by whoever has the connection.
            connect: Gives the connection.
        """
        job = self.add(work)
        try:
            while not job.is_done:
                with lock:
                    # Whoever had the connection before may have done it.
                    if not job.is_done:
                        self.commit(connect())
        except BaseException:
            self.withdraw(job)
            raise
        if job.error is not None:
            raise job.error

    async def astore(
        self,
        work: Work,
        lock: AbstractAsyncContextManager[Any],
        trip: Callable[[Work], Awaitable[Any]],
    ) -> None:
        """Have `work` committed.

        Args:
            work: As for `store`.
            lock: Held by whoever has the connection.
            trip: Does a work in the connection's thread.
        """
        job = self.add(work)
        async with lock:
            # Whichever trip comes first commits all that waits.
            if not job.is_done:
                await trip(self.commit)
        if job.error is not None:
            raise job.error

    def add(self, work: Work) -> Job:
        """Add a job; from any thread."""
        job = Job(work)
        self._waiting.append(job)
        return job

    def withdraw(self, job: Job) -> None:
        """Take back a job whose caller does not wait for it any more, unless it is being done."""
        with suppress(ValueError):
            self._waiting.remove(job)

    def commit(self, connection: sqlite3.Connection) -> None:
        """Commit all that waits; only with the connection to oneself.

        An interrupt leaves what is not done for whoever comes next.
        """
        self._together(connection, [job for job in self._waiting.copy() if not job.is_done])
        # Only now: an interrupt before must find them here.
        while self._waiting and self._waiting[0].is_done:
            self._waiting.popleft()

    def _together(self, connection: sqlite3.Connection, jobs: list[Job]) -> None:
        try:
            transact(connection, [job.work for job in jobs])
        except Exception as error:
            if len(jobs) == 1:
                jobs[0].error, jobs[0].is_done = error, True
                return
            # Whose fault it is shows when each is on its own.
            for job in jobs:
                self._together(connection, [job])
            return
        for job in jobs:
            job.is_done = True


def transact(connection: sqlite3.Connection, works: Iterable[Work]) -> None:
    """Do all of this in one transaction, or none of it; with what the caller has begun, if so."""
    try:
        # At once, for writing: a transaction that begins with reading may not get to write.
        if not connection.in_transaction:
            connection.execute("BEGIN IMMEDIATE")
        for work in works:
            work(connection)
        _end(connection, "COMMIT")
    except BaseException:
        _end(connection, "ROLLBACK")
        raise


def read(connection: sqlite3.Connection, work: Work) -> None:
    """Do what only reads, on the database as it is at one moment."""
    begins = not connection.in_transaction
    try:
        if begins:
            connection.execute("BEGIN")
        work(connection)
    finally:
        # With `autocommit=False` the next one begins by itself, and would look at this moment.
        if begins or getattr(connection, "autocommit", None) is False:
            _end(connection, "COMMIT")


def _end(connection: sqlite3.Connection, how: str) -> None:
    # With Python 3.12's `autocommit=True`, `commit()` and `rollback()` do nothing.
    if getattr(connection, "autocommit", None) is not True:
        getattr(connection, how.lower())()
    elif connection.in_transaction:
        connection.execute(how)
