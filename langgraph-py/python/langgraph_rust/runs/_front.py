"""Asking for runs, from threads and from event loops."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from psycopg import AsyncConnection, Connection
from psycopg_pool import AsyncConnectionPool, ConnectionPool
from typing_extensions import Self, Unpack

from langgraph_rust.checkpoint.postgres import PostgresSaver
from langgraph_rust.checkpoint.postgres._plans import Plan, Rows
from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph_rust.checkpoint.serde._default import default_serde
from langgraph_rust.runs import _plans, _statements, _tables
from langgraph_rust.runs._database import AsyncDatabase, SyncDatabase
from langgraph_rust.runs._listening import Listener
from langgraph_rust.runs._records import Event, MultitaskStrategy, Run, RunStatus, event_of
from langgraph_rust.runs._request import Asked, new_run

if TYPE_CHECKING:
    from langgraph_rust.checkpoint.serde.base import SerializerProtocol
    from langgraph_rust.pregel import Pregel

__all__ = ("AsyncRuns", "Runs")

_PATIENCE = 5.0
"""Seconds after which whoever waits looks again, should a notification have been lost."""

Action = Literal["interrupt", "rollback"]

DatabaseT = TypeVar("DatabaseT", SyncDatabase, AsyncDatabase)


class _Asking(Generic[DatabaseT]):
    """What both have in common: what is asked, but not how it is waited for."""

    def __init__(
        self,
        database: DatabaseT,
        graphs: Mapping[str, Pregel] | None,
        serde: SerializerProtocol | None,
    ) -> None:
        self._database = database
        self.graphs: dict[str, Pregel] = dict(graphs or {})
        self.serde: SerializerProtocol = serde or default_serde()
        self._listener = Listener(database.conninfo, _statements.EVENTS)

    def _enqueue(
        self,
        graph: str | Pregel,
        input: Any,
        strategy: MultitaskStrategy,
        asked: Asked,
        **placed: Any,
    ) -> Plan[Run]:
        if strategy not in ("enqueue", "reject", "interrupt", "rollback"):
            raise ValueError(f"no multitask strategy is called '{strategy}'")
        new = new_run(self.graphs, graph, input, asked, serde=self.serde, **placed)
        return _plans.enqueue(new, strategy, self.serde)

    def _cancel(self, run_id: str, action: Action, drain: bool) -> Plan[Run]:
        if action not in ("interrupt", "rollback"):
            raise ValueError(f"no action is called '{action}': 'interrupt' or 'rollback'")
        if action == "rollback":
            return _plans.cancel(run_id, action, self.serde)
        return _plans.cancel(run_id, "drain" if drain else "cancel", self.serde)


class Runs(_Asking[SyncDatabase]):
    """Runs that wait in a Postgres database until a worker takes them, for programs with threads.

    Nothing is connected before it is needed. Any number of threads may use it at a time.

    Args:
        database: How to connect, in libpq's form (`postgresql://...`), or a pool of psycopg's.
        graphs: Graphs by the names that workers have for them. What is enqueued by name need not be
            here; what is here is checked, and results and streams may hold the types of its state.
        serde: Encodes what goes into the database; a `JsonPlusSerializer` if left out. Workers must
            have the same.
    """

    def __init__(
        self,
        database: str | ConnectionPool[Any],
        *,
        graphs: Mapping[str, Pregel] | None = None,
        serde: SerializerProtocol | None = None,
    ) -> None:
        super().__init__(SyncDatabase(database), graphs, serde)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, but not a pool that was given."""
        self._listener.close()
        self._database.close()

    def setup(self) -> None:
        """Make the tables of runs, of procrastinate and of the saver, or bring them up to date.

        Several processes may do so at the same time. Procrastinate's tables, if there are any, are
        left as they are: its own `procrastinate schema` brings them up to date.
        """
        with PostgresSaver.from_conn_string(self._database.conninfo) as saver:
            saver.setup()
        self._database.carry_out(_tables.setup(), transaction=True)

    def enqueue(
        self,
        graph: str | Pregel,
        input: Any,
        *,
        thread_id: str | None = None,
        multitask_strategy: MultitaskStrategy = "enqueue",
        queue: str | None = None,
        priority: int = 0,
        at: datetime | timedelta | None = None,
        connection: Connection[Any] | None = None,
        **asked: Unpack[Asked],
    ) -> Run:
        """Put a run into its queue.

        Args:
            graph: The graph, or its name.
            input: As for `invoke`: an input, `Command(resume=...)` for a thread that waits for an
                answer, or `None` to go on. It is encoded as checkpoints are: tuples become lists.
            thread_id: The thread that it goes on with; a new one if left out. Runs of a thread
                never overlap, and begin in the order of their priorities, then of their enqueuing.
            multitask_strategy: What becomes of the thread's runs that are not over.
            queue: Where it waits; the graph's name if left out, which is where workers look. At
                most 40 bytes.
            priority: Those with more go first.
            at: When it may begin: a time, with a zone, or how long from now. It holds up those that
                are enqueued after it for the same thread, unless their priority is higher.
            connection: A connection of psycopg's: the run is there when its transaction is
                committed, and never was when it is rolled back.
            asked: How the graph runs; see `Asked`.

        Raises:
            ThreadBusyError: `multitask_strategy` is `reject`, and a run of the thread is not over.
            ValueError: no graph has that name, a config has callbacks, a time has no zone, or a
                queue has too long a name.
            TypeError: something cannot be encoded.
        """
        placed = {"thread_id": thread_id, "queue": queue, "priority": priority, "at": at}
        plan = self._enqueue(graph, input, multitask_strategy, asked, **placed)
        is_several = multitask_strategy != "enqueue"
        return self._database.carry_out(plan, transaction=is_several, connection=connection)

    def get(self, run_id: str) -> Run:
        """Look a run up.

        Raises:
            UnknownRunError: there is none of that id.
        """
        return self._database.carry_out(_plans.get(run_id, self.serde))

    def list(
        self, *, thread_id: str | None = None, status: RunStatus | None = None, limit: int = 100
    ) -> list[Run]:
        """Look runs up, the newest first.

        Args:
            thread_id: Only those of this thread.
            status: Only those that are doing so.
            limit: How many at most.
        """
        return self._database.carry_out(_plans.list_runs(thread_id, status, limit, self.serde))

    def cancel(self, run_id: str, *, action: Action = "interrupt", drain: bool = False) -> Run:
        """Have a run stopped. What waits in its queue is cancelled here and now.

        Whoever wants to know when a running one has stopped calls `wait`. Nothing happens to one
        that is over.

        Args:
            run_id: Its id.
            action: `interrupt` leaves what it has stored; `rollback` deletes its checkpoints.
            drain: Whether the superstep that runs may end. Otherwise its tasks are cancelled where
                they wait next; sync nodes run to their end, and nothing comes of it.

        Returns:
            The run as it is then.

        Raises:
            UnknownRunError: there is none of that id.
        """
        return self._database.carry_out(self._cancel(run_id, action, drain), transaction=True)

    def wait(self, run_id: str, *, timeout: float | None = None) -> Run:
        """Wait until a run is over; returns it. That it failed raises nothing.

        Args:
            run_id: Its id.
            timeout: In seconds; for ever if left out.

        Raises:
            TimeoutError: it is not over by then, and goes on.
            UnknownRunError: there is none of that id.
        """
        until = None if timeout is None else time.monotonic() + timeout
        told = threading.Event()
        with self._listener.wakes(run_id, told.set):
            while True:
                told.clear()
                run = self.get(run_id)
                if run.is_over:
                    return run
                told.wait(_left(until, run))

    def stream(self, run_id: str, *, after: int = 0) -> Iterator[Event]:
        """Yield what a run streams, from its first event on, until it is over.

        The last event has the mode `end`. It does not matter when and in which process this is
        called, nor how often, until workers drop the events, a day after the run is over unless
        told otherwise; nothing is yielded then.

        Args:
            run_id: Its id.
            after: The id of the last event that was seen, to go on from there.

        Raises:
            UnknownRunError: there is no run of that id.
            LookupError: the events were dropped while they were read.
            StoredValueError: an event holds something that may not be read here. It names the
                event, and those before it were yielded.
        """
        told = threading.Event()
        with self._listener.wakes(run_id, told.set):
            is_open, seen = True, 0
            while is_open:
                told.clear()
                plan = _plans.read(run_id, after, self.serde)
                events, is_open = self._database.carry_out(plan)
                _check_whole(run_id, events, seen, is_open)
                for row in events:
                    event = event_of(run_id, row, self.serde)
                    yield event
                    seen = after = event.id
                if is_open and not events:
                    told.wait(_PATIENCE)


class AsyncRuns(_Asking[AsyncDatabase]):
    """Runs that wait in a Postgres database until a worker takes them, for asyncio programs.

    As `Runs`. It belongs to the event loop that it is made in.

    Args:
        database: How to connect, or an async pool of psycopg's.
        graphs: As for `Runs`.
        serde: As for `Runs`.
    """

    def __init__(
        self,
        database: str | AsyncConnectionPool[Any],
        *,
        graphs: Mapping[str, Pregel] | None = None,
        serde: SerializerProtocol | None = None,
    ) -> None:
        super().__init__(AsyncDatabase(database), graphs, serde)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections, but not a pool that was given."""
        self._listener.close()
        await self._database.close()

    async def setup(self) -> None:
        """Make the tables, or bring them up to date; see `Runs.setup`."""
        async with AsyncPostgresSaver.from_conn_string(self._database.conninfo) as saver:
            await saver.setup()
        await self._database.carry_out(_tables.setup(), transaction=True)

    async def enqueue(
        self,
        graph: str | Pregel,
        input: Any,
        *,
        thread_id: str | None = None,
        multitask_strategy: MultitaskStrategy = "enqueue",
        queue: str | None = None,
        priority: int = 0,
        at: datetime | timedelta | None = None,
        connection: AsyncConnection[Any] | None = None,
        **asked: Unpack[Asked],
    ) -> Run:
        """Put a run into its queue; see `Runs.enqueue`."""
        placed = {"thread_id": thread_id, "queue": queue, "priority": priority, "at": at}
        plan = self._enqueue(graph, input, multitask_strategy, asked, **placed)
        is_several = multitask_strategy != "enqueue"
        return await self._database.carry_out(plan, transaction=is_several, connection=connection)

    async def get(self, run_id: str) -> Run:
        """Look a run up; see `Runs.get`."""
        return await self._database.carry_out(_plans.get(run_id, self.serde))

    async def list(
        self, *, thread_id: str | None = None, status: RunStatus | None = None, limit: int = 100
    ) -> list[Run]:
        """Look runs up, the newest first; see `Runs.list`."""
        plan = _plans.list_runs(thread_id, status, limit, self.serde)
        return await self._database.carry_out(plan)

    async def cancel(
        self, run_id: str, *, action: Action = "interrupt", drain: bool = False
    ) -> Run:
        """Have a run stopped; see `Runs.cancel`."""
        return await self._database.carry_out(self._cancel(run_id, action, drain), transaction=True)

    async def wait(self, run_id: str, *, timeout: float | None = None) -> Run:
        """Wait until a run is over; see `Runs.wait`."""
        until = None if timeout is None else time.monotonic() + timeout
        told = asyncio.Event()
        with self._listener.wakes(run_id, _from_elsewhere(told)):
            while True:
                told.clear()
                run = await self.get(run_id)
                if run.is_over:
                    return run
                await _told(told, _left(until, run))

    async def stream(self, run_id: str, *, after: int = 0) -> AsyncIterator[Event]:
        """Yield what a run streams, until it is over; see `Runs.stream`."""
        told = asyncio.Event()
        with self._listener.wakes(run_id, _from_elsewhere(told)):
            is_open, seen = True, 0
            while is_open:
                told.clear()
                plan = _plans.read(run_id, after, self.serde)
                events, is_open = await self._database.carry_out(plan)
                _check_whole(run_id, events, seen, is_open)
                for row in events:
                    event = event_of(run_id, row, self.serde)
                    yield event
                    seen = after = event.id
                if is_open and not events:
                    await _told(told, _PATIENCE)


def _check_whole(run_id: str, events: Rows, seen: int, is_open: bool) -> None:
    """Raise `LookupError` if the rest of a stream was dropped while it was read."""
    if seen and not events and not is_open:
        raise LookupError(f"the events of run {run_id} after {seen} were dropped meanwhile")


def _left(until: float | None, run: Run) -> float:
    """How many seconds to wait before looking again."""
    if until is None:
        return _PATIENCE
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError(f"run {run.id} is not over, but {run.status}")
    return min(left, _PATIENCE)


async def _told(told: asyncio.Event, seconds: float) -> None:
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(told.wait(), seconds)


def _from_elsewhere(told: asyncio.Event) -> Any:
    loop = asyncio.get_running_loop()
    return lambda: loop.call_soon_threadsafe(told.set)
