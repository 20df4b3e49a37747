"""Procrastinate's part: fetching jobs, and what becomes of a job when its task ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from procrastinate import App, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.retry import BaseRetryStrategy

from langgraph_rust.runs import _statements

__all__ = ("GivenBack", "app_for")

_TRIES = 8
_LONGEST = 60
"""Seconds."""


class GivenBack(Exception):
    """The run is to go on at another worker, at once."""


class _Again(BaseRetryStrategy):
    """How a run ends is stored with the run, so a job that fails has not got that far."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        if isinstance(exception, GivenBack):
            return RetryDecision()
        return RetryDecision(retry_in={"seconds": min(2**job.attempts, _LONGEST)})


class _OwnJobs(JobManager):
    """Ends jobs of its own worker alone, and tells workers what they may begin then.

    Procrastinate's ends any job of that id, which may be at another worker by now, or back in its
    queue; and of a job that is retried, or that waited for this one, workers learn by asking.
    """

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        named = {"status": status.value, "delete_job": delete_job}
        await self._end(_statements.FINISH_JOB, job, named)

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
        named |= {"job_id": job.id, "worker_id": job.worker_id}
        for pause in range(_TRIES):
            try:
                await self.connector.execute_query_async(statement, **named)
                return
            except ConnectorException:
                if pause == _TRIES - 1:
                    raise
            await asyncio.sleep(0.1 * 2**pause)


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
