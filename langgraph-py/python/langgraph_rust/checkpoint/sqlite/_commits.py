"""Transactions: what several callers store at the same time is committed once."""

from __future__ import annotations

import sqlite3
from collections import deque
from contextlib import suppress

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
            _transact(connection, jobs)
        except Exception as error:
            if len(jobs) == 1:
                jobs[0].error, jobs[0].is_done = error, True
                return
            # Whose fault it is shows when each is on its own.
            for job in jobs:
                self._together(connection, [job])


def _transact(connection: sqlite3.Connection, jobs: list[Job]) -> None:
    try:
        # At once, for writing: a transaction that begins with reading may not get to write.
        if not connection.in_transaction:
            connection.execute("BEGIN IMMEDIATE")
        for job in jobs:
            job.work(connection)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    for job in jobs:
        job.is_done = True
