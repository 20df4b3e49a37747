"""Transactions: what several callers store at the same time is committed once."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from typing import Any

from langgraph_rust.checkpoint.sqlite._rows import Work

Lock = AbstractContextManager[Any]
Connect = Callable[[], sqlite3.Connection]

_NAP = 0.1
"""Seconds that a thread waits to be told; then it stands in line for the connection itself."""


class Job:
    """A part of a transaction, and what became of it."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.is_done = False
        self.error: Exception | None = None
        self._asleep = threading.Lock()
        self._asleep.acquire()

    def wait(self) -> bool:
        """Sleep until `wake` is called, if it was not since the last time; tells if it was."""
        return self._asleep.acquire(timeout=_NAP)

    def wake(self) -> None:
        """End the sleep of the thread whose job it is, or have it not begin."""
        # Awake already: by an earlier call.
        with suppress(RuntimeError):
            self._asleep.release()


class Commits:
    """The jobs that wait to be committed.

    Whoever has the connection commits all that wait, so that those who came while the disk was
    being waited for share one wait of theirs. Each job is stored whole or not at all.

    One thread at a time leads: it waits for the connection. The others wait to be told, or those
    whose jobs are done would stand in line for the connection only to find that out, and come too
    late for the next commit. That an interrupt keeps them from being told costs a nap, no more.
    """

    def __init__(self) -> None:
        self._waiting: deque[Job] = deque()
        self._leading = threading.Lock()

    def store(self, work: Work, lock: Lock, connect: Connect) -> None:
        """Have `work` committed.

        Args:
            work: A part of a transaction; done again on its own if another part fails.
            lock: Held by whoever has the connection.
            connect: Gives the connection.
        """
        job = self.add(work)
        try:
            while not job.is_done:
                if not self._lead(job, lock, connect) and not job.wait():
                    self._commit_with(job, lock, connect)
                    # Who leads was maybe interrupted before it could say that it does not.
                    self._leading = threading.Lock()
        except BaseException:
            self.withdraw(job)
            raise
        if job.error is not None:
            raise job.error

    def _lead(self, job: Job, lock: Lock, connect: Connect) -> bool:
        """Commit what waits, unless another thread is about to; tells which."""
        leading = self._leading
        if not leading.acquire(blocking=False):
            return False
        try:
            self._commit_with(job, lock, connect)
        finally:
            leading.release()
            # Who came too late for this commit leads the next one.
            for late in self._waiting.copy():
                late.wake()
                break
        return True

    def _commit_with(self, job: Job, lock: Lock, connect: Connect) -> None:
        # A plain lock: an interrupt amid a context manager of ours could leave it taken.
        with lock:
            # Whoever had the connection before may have done it.
            if not job.is_done:
                self.commit(connect())

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
            self._waiting.popleft().wake()

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
