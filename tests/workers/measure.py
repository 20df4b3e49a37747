"""What the queue takes: an idle worker's processor time, latency, throughput beside a loop."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
import uuid
from pathlib import Path

from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph_rust.runs import AsyncRuns, Runs
from langgraph_rust.runs._database import async_pool
from tests.workers.fleet import one
from tests.workers.program import short

CONCURRENCY = 10
_INPUT = {"number": 0}


def idle(database: str, log: Path, seconds: float) -> float:
    """Seconds of processor time that an idle worker takes in a minute."""
    with one(database, log, graph="short") as worker:
        began = _used(worker.pid)
        time.sleep(seconds)
        return (_used(worker.pid) - began) * 60 / seconds


def latency(database: str, log: Path, count: int) -> tuple[float, float, float]:
    """Milliseconds from enqueuing to the first event, one run at a time: median, p99, most."""
    with one(database, log, graph="short"), Runs(database) as runs:
        took = []
        for _ in range(count):
            began = time.perf_counter()
            run = runs.enqueue("short", _INPUT)
            next(iter(runs.stream(run.id)))
            took.append((time.perf_counter() - began) * 1000)
            runs.wait(run.id)
    cuts = statistics.quantiles(took, n=100)
    return statistics.median(took), cuts[98], max(took)


def throughput(database: str, log: Path, count: int) -> dict[str, float]:
    """Runs a second: of a worker, and of a plain loop, one at a time and as many as the worker."""
    rates = asyncio.run(_plain(database, count))
    with one(database, log, "--concurrency", str(CONCURRENCY), graph="short") as worker:
        began = _used(worker.pid)
        rates["worker"] = asyncio.run(_queued(database, count))
        rates["worker's ms of processor time a run"] = (_used(worker.pid) - began) / count * 1000
    return rates


async def _queued(database: str, count: int) -> float:
    async with AsyncRuns(database) as runs:
        began = time.perf_counter()
        made = [await runs.enqueue("short", _INPUT) for _ in range(count)]
        # Whoever waits for each takes more of the machine than the runs.
        while [run for run in await runs.list(limit=count) if not run.is_over]:
            await asyncio.sleep(0.05)
        assert len(made) == count
        return count / (time.perf_counter() - began)


async def _plain(database: str, count: int) -> dict[str, float]:
    rates = {}
    async with async_pool(database, CONCURRENCY + 4) as pool:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        graph = short.copy({"checkpointer": saver})
        for width in (1, CONCURRENCY):
            began, places = time.perf_counter(), asyncio.Semaphore(width)

            async def run(places: asyncio.Semaphore = places) -> None:
                async with places:
                    config = {"configurable": {"thread_id": str(uuid.uuid4())}}
                    await graph.ainvoke(_INPUT, config, durability="sync")

            await asyncio.gather(*(run() for _ in range(count)))
            rates[f"loop of {width}"] = count / (time.perf_counter() - began)
    return rates


def _used(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
