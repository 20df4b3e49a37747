"""One attempt at a run."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal, cast

from psycopg import DatabaseError
from psycopg.types.json import Jsonb

from langgraph_rust.checkpoint.postgres._plans import Plan
from langgraph_rust.checkpoint.serde.errors import StoredValueError
from langgraph_rust.checkpoint.single_writer import Lease, ThreadConflictError
from langgraph_rust.errors import GraphDrained
from langgraph_rust.runs._plans import end
from langgraph_rust.runs._records import WAYS, RunFailure
from langgraph_rust.runs._request import Request
from langgraph_rust.runs._worker._beginning import Beginning, begin, goes_on
from langgraph_rust.runs._worker._keeping import Keeper, is_outage
from langgraph_rust.runs._worker._log import EventLog, LostRunError
from langgraph_rust.runs._worker._outcome import failure_of, result_of, storable
from langgraph_rust.runs._worker._plans import (
    Claim,
    give_back,
    keep_writes,
    look,
    set_base,
)
from langgraph_rust.runs._worker._queue import GivenBack, NoGraphError
from langgraph_rust.runs._worker._saver import RunSaver, UnreachableError
from langgraph_rust.runtime import RunControl
from langgraph_rust.types import Interrupt, StreamMode

if TYPE_CHECKING:
    from langgraph_rust.checkpoint.serde.base import SerializerProtocol
    from langgraph_rust.pregel import Pregel

__all__ = ("Execution",)

logger = logging.getLogger(__name__)

_TTL = 30.0
"""Seconds that a thread is kept for the run without another word. Whoever takes the run over need
not wait for that, but programs that go on with the thread themselves do."""

_GRACE = 10.0
"""Seconds that tasks have to end in when they are cancelled, until they are not waited for."""

_INTERRUPT = "__interrupt__"

Why = Literal["asked", "leaving", "late", "lost"]
"""Why an attempt stops: a user asked, the worker ends, its time is over, another worker has it."""


class Execution:
    """An attempt at a run: from its claim to what is stored of its end.

    Args:
        run: The run, claimed.
        graphs: Graphs by name, with the savers that their threads are in.
        log: Its events, which the saver has stored before it stores anything.
        keeper: The database.
        serde: Encodes events and the result.
        max_deaths: How many workers may be gone one after the other while they have it.
    """

    def __init__(
        self,
        run: Claim,
        graphs: Mapping[str, Pregel],
        log: EventLog,
        keeper: Keeper,
        serde: SerializerProtocol,
        max_deaths: int,
    ) -> None:
        self.run = run
        self._graphs = graphs
        self._log = log
        self._keeper = keeper
        self._serde = serde
        self._max_deaths = max_deaths
        self._control = RunControl()
        self._asked = run.asked
        self._why: Why | None = None
        self._task: asyncio.Task[Any] | None = None
        self._given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lease: Lease | None = None
        self._renewed, self._is_renewing = 0.0, False
        self._is_interrupted = False
        self._interrupts: list[Interrupt] = []

    def ask(self, asked: str) -> None:
        """Have it stopped for a user: `drain`, `cancel` or `rollback`."""
        if self._asked is None or WAYS.index(asked) > WAYS.index(self._asked):
            self._asked = asked
            self._stop("asked", at_once=asked != "drain")

    def leave(self, *, at_once: bool) -> None:
        """Have it stopped so that another worker goes on."""
        self._stop("leaving", at_once=at_once)

    def lose(self) -> None:
        """Have it stopped because another worker has it; nothing more is stored."""
        self._stop("lost", at_once=True)

    async def perform(self) -> None:
        """Run the graph, and store how the run ended.

        Raises:
            GivenBack: it did not end, and is to go on at another worker.
            NoGraphError: another worker may have its graph.
            psycopg.OperationalError: the database could not be reached for too long.
        """
        try:
            self._graph = self._graph_of_run()
            self._request: Request = self._serde.loads_typed(self.run.request)
        except NoGraphError as error:
            why = str(error)
            await self._keeper.keep(lambda: give_back(self.run, why))
            raise
        except StoredValueError as error:
            return await self._end("error", failure=failure_of(error))
        if self._asked:
            return await self._end_as_asked()
        self._task = task = asyncio.create_task(self._run_graph())
        try:
            if not await self._is_over(task, self._seconds_left()):
                self._stop("late", at_once=True)
                await self._is_over(task)
        except asyncio.CancelledError:
            # Procrastinate's: the worker has waited long enough.
            self.leave(at_once=True)
            await self._is_over(task)
        if task.done():
            await self._conclude(task)
        else:
            # As of a node in a thread, which cannot be stopped either, nothing comes of it.
            logger.error("a node of run %s takes no cancellation: it is left behind", self.run.id)
            task.add_done_callback(_forget)
            await self._end_stopped()
        # Of a run that is to go on, it is kept for whoever takes that up, until it runs out.
        lease, self._lease = self._lease, None
        if lease is not None:
            await lease.arelease()

    async def _is_over(self, task: asyncio.Task[Any], seconds: float | None = None) -> bool:
        """Wait for the graph's end; false if it takes so long, or did not end when it was to."""
        outcomes = {task, self._given_up}
        await asyncio.wait(outcomes, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return task.done() or self._given_up.done()

    async def renew(self) -> None:
        """Keep the thread, if it is time to say so again."""
        lease = self._lease
        is_due = time.monotonic() - self._renewed >= _TTL / 3
        if lease is None or not is_due or self._is_renewing:
            return
        self._renewed, self._is_renewing = time.monotonic(), True
        try:
            # A program may have the thread locked in a transaction.
            await lease.arenew()
        except ThreadConflictError:
            # The run is told so when it stores next.
            logger.warning("run %s has lost its thread", self.run.id)
        finally:
            self._is_renewing = False

    # --- running ---

    def _graph_of_run(self) -> Pregel:
        name = self.run.graph
        if name not in self._graphs:
            raise NoGraphError(
                f"it waits for a worker that has the graph '{name}'; this one's are: "
                f"{', '.join(self._graphs)}"
            )
        return self._graphs[name]

    @property
    def _saver(self) -> RunSaver:
        return cast("RunSaver", self._graph.checkpointer)

    async def _run_graph(self) -> Any:
        """Run the graph; returns what `invoke` would."""
        holder = f"run {self.run.id}, attempt {self.run.attempt}"
        lease = await self._saver.atake_thread(self.run.thread_id, holder, ttl=_TTL)
        place = self.run.thread_id, lease.token
        self._saver.logs[place] = self._log
        self._lease, self._renewed = lease, time.monotonic()
        try:
            if not await self._is_own():
                # Another claimed it while this was on its way. If the lease was taken from that
                # one, it takes it again.
                raise LostRunError(self.run.id)
            if goes_on(self._request["input"]):
                named = self._request["config"].get("configurable", {}).get("checkpoint_id")
                await self._keeper.keep(lambda: keep_writes(self.run, named))
            beginning = await begin(self.run, self._request, self._graph, self._saver, lease.token)
            await self._remember(beginning)
            return await self._streamed(beginning)
        except (SystemExit, KeyboardInterrupt) as error:
            # A node's: the worker's own signals are no exceptions. It ends the run, not the worker.
            raise RuntimeError(f"a node raised {type(error).__name__}: {error}") from error
        finally:
            del self._saver.logs[place]

    async def _remember(self, beginning: Beginning) -> None:
        deaths = 0 if beginning.is_further else self.run.deaths
        if deaths >= self._max_deaths:
            raise RuntimeError(
                f"{deaths} attempts at this run were cut off one after the other, and it got no "
                "further: its worker died, could not reach the database, or ran a node that kept "
                "its event loop from doing anything else"
            )
        base = beginning.base
        if base is not None and (base != self.run.base or deaths != self.run.deaths):
            await self._keeper.keep(lambda: set_base(self.run, base, deaths))

    async def _streamed(self, beginning: Beginning) -> Any:
        """Have the events stored; returns the result."""
        request, result = self._request, None
        shown = frozenset(request["stream_mode"])
        modes: list[StreamMode] = [*dict.fromkeys((*request["stream_mode"], "updates", "values"))]
        try:
            if beginning.is_stopped:
                return await self._state(beginning)
            async for chunk in self._graph.astream(
                beginning.input,
                beginning.config,
                context=request["context"],
                stream_mode=modes,
                subgraphs=request["subgraphs"],
                durability=request["durability"],
                interrupt_before=request["interrupt_before"],
                interrupt_after=request["interrupt_after"],
                control=self._control,
            ):
                namespace, mode, data = chunk if request["subgraphs"] else ((), *chunk)
                if not namespace:
                    self._note(mode, data)
                    result = data if mode == "values" else result
                if mode in shown:
                    await self._log.add(mode, data, namespace)
        finally:
            await self._log.close()
        if result is None:
            # There was nothing left to do.
            return await self._state(beginning)
        return result_of(self._graph, result, self._interrupts)

    def _note(self, mode: str, data: Any) -> None:
        if mode == "updates" and isinstance(data, Mapping) and _INTERRUPT in data:
            self._is_interrupted = True
            self._interrupts += data[_INTERRUPT]

    async def _state(self, beginning: Beginning) -> Any:
        snapshot = await self._graph.aget_state(beginning.config)
        self._is_interrupted = bool(snapshot.next)
        return result_of(self._graph, snapshot.values, [*snapshot.interrupts])

    # --- stopping ---

    def _stop(self, why: Why, *, at_once: bool) -> None:
        # Whoever has lost the run stores nothing, whatever else is wanted of it.
        if self._why != "lost":
            self._why = why
        self._control.request_drain(why)
        if at_once and self._task is not None:
            self._task.cancel()
            asyncio.get_running_loop().call_later(_GRACE, self._give_up)

    def _give_up(self) -> None:
        if not self._given_up.done():
            self._given_up.set_result(None)

    def _seconds_left(self) -> float | None:
        timeout = self._request["timeout"]
        if timeout is None:
            return None
        return max(timeout - self.run.elapsed, 0)

    # --- the end ---

    async def _conclude(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled() or isinstance(task.exception(), GraphDrained):
            return await self._end_stopped()
        error = task.exception()
        if isinstance(error, LostRunError):
            return None
        if isinstance(error, UnreachableError):
            # The job is tried again after a while, by whoever can reach it.
            raise error
        if isinstance(error, ThreadConflictError) and error.reason == "fenced":
            # Of another thread, it is a node's failure as any other.
            if error.thread_id == self.run.thread_id:
                return await self._end_fenced()
        if error is not None:
            return await self._end("error", failure=failure_of(error))
        try:
            result = self._serde.dumps_typed(task.result())
        except (TypeError, ValueError) as unfit:
            return await self._end("error", failure=failure_of(unfit))
        try:
            await self._end("interrupted" if self._is_interrupted else "success", result=result)
        except DatabaseError as unfit:
            if is_outage(unfit):
                raise
            await self._end("error", failure=failure_of(unfit))

    async def _end_stopped(self) -> None:
        if self._why == "lost":
            return
        if self._asked:
            return await self._end_as_asked()
        if self._why == "leaving":
            await self._keeper.keep(lambda: give_back(self.run))
            raise GivenBack(self.run.id)
        if self._why == "late":
            seconds = self._request["timeout"]
            failure = RunFailure("TimeoutError", f"it took longer than {seconds} s", "")
            return await self._end("timeout", failure=failure)
        failure = RunFailure("asyncio.CancelledError", "a node cancelled the run it is in", "")
        return await self._end("error", failure=failure)

    async def _end_fenced(self) -> None:
        """The thread was taken: by whoever has the run now, or by one that had it and came late."""
        if await self._is_own():
            await self._keeper.keep(lambda: give_back(self.run))
            raise GivenBack(self.run.id)

    async def _is_own(self) -> bool:
        found = await self._keeper.keep(lambda: look([self.run.id]))
        return found[self.run.id].attempt == self.run.attempt

    async def _end_as_asked(self) -> None:
        reason = None
        if self._asked == "rollback":
            try:
                await self._roll_back()
            except Exception as error:
                # To try again does not help, and nothing of the thread could run meanwhile.
                if not isinstance(error, ValueError) and self.run.deaths < self._max_deaths:
                    raise
                logger.warning("run %s is not rolled back: %s", self.run.id, error)
                reason = storable(f"not rolled back, only cancelled: {error}")
        await self._end("cancelled", reason=reason)

    async def _roll_back(self) -> None:
        """Have the thread as it was before the run.

        Raises:
            ValueError: others have built on what it has stored.
        """
        # Whoever had the run, and is only thought to be gone, stores nothing from now on.
        holder = f"rollback of run {self.run.id}"
        lease = await self._saver.atake_thread(self.run.thread_id, holder, ttl=_TTL)
        try:
            if await self._is_own():
                await self._saver.aroll_back(self.run)
        finally:
            await lease.arelease()

    async def _end(
        self,
        status: str,
        *,
        result: tuple[str, bytes] | None = None,
        failure: RunFailure | None = None,
        reason: str | None = None,
    ) -> None:
        stored = None if failure is None else Jsonb(asdict(failure))
        run = self.run

        def plan() -> Plan[bool]:
            ended = {"result": result, "failure": stored, "reason": reason}
            return end(run.id, run.attempt, status, self._serde, **ended)

        if await self._keeper.keep(plan):
            return
        # Somebody was faster: another worker, or whoever wants it to be taken back.
        attempt, asked = (await self._keeper.keep(lambda: look([run.id])))[run.id]
        if attempt == run.attempt and asked == "rollback" and status != "cancelled":
            self._asked = asked
            await self._end_as_asked()
        else:
            logger.info("run %s is not attempt %s's to end any more", run.id, run.attempt)


def _forget(task: asyncio.Task[Any]) -> None:
    """Look at what came of it, which would be told of otherwise."""
    if not task.cancelled():
        task.exception()
