"""Procrastinate's part: fetching jobs, and what becomes of a job when its task ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

from procrastinate import App, PsycopgConnector, RetryDecision
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager, NotificationCallback
from procrastinate.retry import BaseRetryStrategy
from psycopg.errors import ForeignKeyViolation

from langgraph_rust.runs import _statements

__all__ = ("GivenBack", "NoGraphError", "app_for")

logger = logging.getLogger(__name__)

_TRIES = 8
_LONGEST = 60
"""Seconds."""

_SOON = 30
"""How often a run is offered every second, until somebody has its graph; then ever less often."""


class GivenBack(Exception):
    """The run is to go on at another worker, at once."""


class NoGraphError(LookupError):
    """The worker that took a run up has no such graph; another that shares the queue may."""


class _Again(BaseRetryStrategy):
    """How a run ends is stored with the run, so a job that fails has not got that far."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        if isinstance(exception, GivenBack):
            return RetryDecision()
        attempts = job.attempts
        if isinstance(exception, NoGraphError):
            # Who takes it next is chance: not many others may have its graph, or all but this one.
            attempts = max(attempts - _SOON, 0)
        return RetryDecision(retry_in={"seconds": min(2**attempts, _LONGEST)})


class _OwnJobs(JobManager):
    """Jobs of its own worker, whatever becomes of its connections.

    Procrastinate's ends any job of that id, which may be at another worker by now, or back in its
    queue; and of a job that is retried, or that waited for this one, workers learn by asking. Its
    worker stops at the first connection that is cut, and cancels what it runs.
    """

    def __init__(self, connector: BaseConnector) -> None:
        super().__init__(connector)
        self._held: set[tuple[int, int]] = set()
        """Its jobs, and which attempt at each."""
        self._is_unsure = False
        """Whether there may be a job that it was given and has not heard of."""

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        try:
            await self._return_unheard(worker_id)
            job = await super().fetch_job(queues, worker_id)
        except UniqueViolation:
            # Another was faster with a job of the same thread.
            return None
        except ConnectorException as error:
            if isinstance(error.__cause__, ForeignKeyViolation):
                # It was held to be dead.
                await self.update_heartbeat(worker_id)
            else:
                logger.warning("no runs can be fetched for the moment: %s", error.__cause__)
                self._is_unsure = True
            return None
        if job is not None and job.id is not None:
            self._held.add((job.id, job.attempts))
        return job

    async def _return_unheard(self, worker_id: int) -> None:
        # Set anew by whoever finds reason to meanwhile.
        is_unsure, self._is_unsure = self._is_unsure, False
        if is_unsure:
            returned: Any = _statements.RETURN_UNHEARD
            named = {"worker_id": worker_id, "held": [held for held, _ in self._held]}
            await self.connector.execute_query_async(returned, **named)

    async def listen_for_jobs(
        self,
        *,
        on_notification: NotificationCallback,
        queues: Iterable[str] | None = None,
    ) -> None:
        while True:
            try:
                await super().listen_for_jobs(on_notification=on_notification, queues=queues)
            except ConnectorException as error:
                logger.warning("cannot hear of new runs for the moment: %s", error.__cause__)
            await asyncio.sleep(1)

    async def update_heartbeat(self, worker_id: int) -> None:
        try:
            await self.connector.execute_query_async(_statements.HEARTBEAT, worker_id=worker_id)
        except ConnectorException as error:
            logger.warning("cannot say that this worker is alive: %s", error.__cause__)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        named = {"status": status.value, "delete_job": delete_job}
        await self._end(_statements.FINISH_JOB, job, named)
        if job.lock is not None:
            wake: Any = _statements.WAKE_NEXT
            try:
                await self.connector.execute_query_async(wake, lock=job.lock)
            except ConnectorException as error:
                logger.warning("the next run of a thread waits to be found: %s", error.__cause__)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        # Without a time it is at once, whatever the clocks of others say.
        named = {"retry_at": retry_at}
        await self._end(_statements.RETRY_JOB, job, named)

    async def _end(self, statement: Any, job: Job, named: dict[str, Any]) -> None:
        # A job that stayed behind would be this worker's as long as it lives.
        named |= {"job_id": job.id, "worker_id": job.worker_id, "attempts": job.attempts}
        try:
            for pause in range(_TRIES):
                try:
                    await self.connector.execute_query_async(statement, **named)
                    return
                except ConnectorException:
                    if pause == _TRIES - 1:
                        raise
                await asyncio.sleep(0.1 * 2**pause)
        except ConnectorException as error:
            logger.warning("a run's job goes back to its queue later: %s", error.__cause__)
            self._is_unsure = True
        finally:
            self._held.discard((job.id or 0, job.attempts))


def app_for(perform: Callable[[str], Awaitable[None]]) -> App:
    """Return an app whose only task is a run, to be opened with a pool.

    Args:
        perform: Is called with a run's id; may raise `GivenBack`.
    """
    connector = PsycopgConnector()
    app = App(connector=connector)
    app.job_manager = _OwnJobs(connector)

    @app.task(name=_statements.TASK, retry=_Again())
    async def run(run_id: str) -> None:
        await perform(run_id)

    return app
