"""The worker: what it takes from the queue, and what it sees to besides."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import signal
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from procrastinate.worker import Worker as JobWorker

from langgraph_rust.checkpoint.serde._default import default_serde
from langgraph_rust.graph._named import named
from langgraph_rust.runs import _statements
from langgraph_rust.runs._database import AsyncDatabase, async_pool
from langgraph_rust.runs._front import AsyncRuns
from langgraph_rust.runs._listening import Listener
from langgraph_rust.runs._worker import _plans
from langgraph_rust.runs._worker._execution import Execution
from langgraph_rust.runs._worker._keeping import Keeper, is_outage
from langgraph_rust.runs._worker._log import EventLog
from langgraph_rust.runs._worker._queue import app_for
from langgraph_rust.runs._worker._saver import RunSaver

if TYPE_CHECKING:
    from langgraph_rust.checkpoint.serde.base import SerializerProtocol
    from langgraph_rust.pregel import Pregel

__all__ = ("Worker",)

logger = logging.getLogger(__name__)

_BESIDE = 3
"""Connections for what is not done for a run: fetching, heartbeats, looking after others. Runs may
all wait for what a program has locked."""

_CONNECTIONS = 16
"""For runs, at most, unless told otherwise. They wait for one a moment; a server has a hundred."""

_DROP_EVERY = 600.0
"""Seconds between deletions of old events."""


class Worker:
    """Takes runs from a Postgres database and runs them, several at a time, on one event loop.

    Any number of workers, on any number of machines, share a database. One that dies is noticed by
    the others, which go on with its runs; one that is asked to stop gives them back.

    Args:
        database: How to connect, in libpq's form. `LISTEN` and `NOTIFY` must work: not through
            PgBouncer's transaction mode.
        graphs: Graphs by name. They run with a saver of this database's, whichever they were
            compiled with.
        concurrency: How many runs at a time.
        queues: Where it takes runs from; the graphs' names if left out.
        drain_timeout: How many seconds a superstep has to end in when the worker is to stop; for
            ever if `None`. Then its tasks are cancelled, to run again elsewhere.
        heartbeat: How often it tells that it is alive, and looks whether others are, in seconds.
        dead_after: How many seconds after its last heartbeat a worker is held to be gone. Code that
            keeps the event loop for as long is as good as dead.
        poll: How often it asks for runs that nobody told of, in seconds: those whose time came.
        max_deaths: How many workers may be gone one after the other while they have the same run,
            and it gets no further, until it ends with `error`.
        keep_events: How long events are kept when their run is over.
        keep_runs: How long runs are kept when they are over; for ever if `None`.
        connections: How many connections there are for runs; by default one more than runs at a
            time, 16 at most. Five more listen, fetch runs and look after others.
        serde: Encodes what goes into the database; a `JsonPlusSerializer` if left out.
        name: What it is called in `Run.worker`; by default the host's name and the process's id.

    Raises:
        ValueError: there are no graphs, one of them is something else, or a worker would be held to
            be dead between two heartbeats.
    """

    def __init__(
        self,
        database: str,
        graphs: Mapping[str, Pregel],
        *,
        concurrency: int = 10,
        queues: Sequence[str] | None = None,
        drain_timeout: float | None = 30.0,
        heartbeat: float = 5.0,
        dead_after: float = 20.0,
        poll: float = 1.0,
        max_deaths: int = 5,
        keep_events: timedelta = timedelta(days=1),
        keep_runs: timedelta | None = None,
        connections: int | None = None,
        serde: SerializerProtocol | None = None,
        name: str | None = None,
    ) -> None:
        if not graphs:
            raise ValueError("a worker without graphs has nothing to do")
        if dead_after < 2 * heartbeat:
            raise ValueError("dead_after must be two heartbeats at least")
        self.name = name or f"{platform.node()}:{os.getpid()}"
        self.queues = [*(queues or graphs)]
        self._graphs = named({**graphs})
        self._concurrency = concurrency
        self._drain_timeout = drain_timeout
        self._heartbeat = heartbeat
        self._dead_after = dead_after
        self._poll = poll
        self._max_deaths = max_deaths
        self._keep_events = keep_events.total_seconds()
        self._keep_runs = None if keep_runs is None else keep_runs.total_seconds()
        self._serde = serde or default_serde()
        self._conninfo = database
        most = connections or min(concurrency + 1, _CONNECTIONS)
        self._pool = async_pool(database, most, dead_after)
        self._beside = async_pool(database, _BESIDE, dead_after)
        self._database = AsyncDatabase(self._beside)
        self._keeper = Keeper(AsyncDatabase(self._pool))
        self._listener = Listener(database, _statements.CONTROL)
        self._app = app_for(self._perform)
        self._jobs: JobWorker | None = None
        self._active: dict[str, Execution] = {}
        self._is_draining = False
        self._is_over = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._told = asyncio.Event()

    async def run(self, *, signals: bool = False) -> None:
        """Take runs and run them until `drain` was called and all have stopped.

        Makes the tables, if need be. Can be called once.

        Args:
            signals: Whether SIGTERM and SIGINT call `drain`, and a second one `stop`. Only in the
                main thread.

        Raises:
            psycopg.OperationalError: the database cannot be reached at the beginning.
        """
        async with self._pool, self._beside:
            async with AsyncRuns(self._conninfo) as runs:
                await runs.setup()
            saver = RunSaver(self._pool, serde=self._serde)
            saver.logs = {}
            stored = {"checkpointer": saver}
            self._graphs = {name: graph.copy(stored) for name, graph in self._graphs.items()}
            await self._app.open_async(self._beside)
            watch = asyncio.create_task(self._watch())
            try:
                with self._on_signals() if signals else nullcontext():
                    await self._take_jobs()
            finally:
                # Before Python 3.12, what is cancelled in `wait_for` may not hear of that.
                self._is_over = True
                watch.cancel()
                await asyncio.wait({watch})
                for task in [*self._tasks]:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                self._listener.close()

    def drain(self) -> None:
        """Take no more runs; have each stop before its next superstep, to go on elsewhere."""
        self._is_draining = True
        if self._jobs is not None:
            self._jobs.stop()
        for execution in self._active.values():
            execution.leave(at_once=False)

    def stop(self) -> None:
        """The same, without waiting for supersteps: their tasks are cancelled."""
        self.drain()
        for execution in self._active.values():
            execution.leave(at_once=True)

    # --- runs ---

    async def _perform(self, run_id: str) -> None:
        run = await self._keeper.keep(lambda: _plans.claim(run_id, self.name), transaction=True)
        if run is None:
            # It was cancelled, or has ended at a worker that could not say so any more.
            return
        if run_id in self._active:
            # It was held to be dead, and has got its own run again.
            self._active[run_id].lose()
        log = EventLog(run, self._keeper, self._serde)
        execution = Execution(run, self._graphs, log, self._keeper, self._serde, self._max_deaths)
        self._active[run_id] = execution
        if self._is_draining:
            execution.leave(at_once=False)
        loop = asyncio.get_running_loop()
        try:
            with self._listener.wakes(run_id, lambda: loop.call_soon_threadsafe(self._told.set)):
                await execution.perform()
        finally:
            if self._active.get(run_id) is execution:
                del self._active[run_id]

    # --- what it sees to ---

    async def _take_jobs(self) -> None:
        pause = 0.5
        while not self._is_draining:
            began = time.monotonic()
            self._jobs = JobWorker(
                self._app,
                queues=self.queues,
                name=self.name,
                concurrency=self._concurrency,
                fetch_job_polling_interval=self._poll,
                shutdown_graceful_timeout=self._drain_timeout,
                delete_jobs="always",
                install_signal_handlers=False,
                update_heartbeat_interval=self._heartbeat,
                stalled_worker_timeout=self._dead_after,
            )
            try:
                await self._jobs.run()
            except Exception:
                # The database was gone when it began, or there is a mistake.
                logger.exception("worker %s begins again", self.name)
            if time.monotonic() - began > 60:
                pause = 0.5
            if not self._is_draining:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 30.0)

    async def _watch(self) -> None:
        dropped = looked = 0.0
        while not self._is_over:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._told.wait(), self._heartbeat)
            self._told.clear()
            try:
                await self._look_at_own()
                for one in self._active.values():
                    self._begin_beside(one.renew())
                now = time.monotonic()
                if now - looked >= self._heartbeat:
                    looked = now
                    await self._look_at_others()
                if now - dropped >= _DROP_EVERY:
                    dropped = now
                    await self._database.carry_out(_plans.drop(self._keep_events, self._keep_runs))
            except Exception as error:
                # Without it nobody would be stopped, and no thread kept, from now on.
                if is_outage(error):
                    logger.warning("worker %s cannot reach the database: %s", self.name, error)
                else:
                    logger.exception("worker %s looks again", self.name)

    def _begin_beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what may have to wait for others, and must keep nothing else from being seen to."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end_beside)

    def _end_beside(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.warning("worker %s cannot reach the database: %s", self.name, error)

    async def _look_at_own(self) -> None:
        """Stop runs that are to be stopped, or that others have by now."""
        if not self._active:
            return
        found = await self._database.carry_out(_plans.look(self._active))
        for run_id, execution in [*self._active.items()]:
            # Those that have begun since were not asked about.
            if (standing := found.get(run_id)) is None:
                continue
            if standing.attempt != execution.run.attempt:
                execution.lose()
            elif standing.asked:
                execution.ask(standing.asked)

    async def _look_at_others(self) -> None:
        """Put the jobs of those that are gone back; while it stops, tell that it is alive."""
        own = self._jobs.worker_id if self._jobs is not None else None
        if self._is_draining and own is not None:
            # Procrastinate's heart stops beating first.
            await self._app.job_manager.update_heartbeat(own)
        revived = await self._database.carry_out(_plans.revive(self._dead_after, own))
        if revived:
            logger.warning("%s runs of workers that are gone go on elsewhere", revived)

    @contextmanager
    def _on_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()

        def told() -> None:
            (self.stop if self._is_draining else self.drain)()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, told)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
