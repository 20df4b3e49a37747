"""Programs whose runs are watched: `python program.py beside FILE`, or `worker DATABASE FILE`.

The first runs a graph that it shows with `view="tokens"`, the second is a worker that is asked for
a run of it. The run waits in the middle until there is FILE.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy
from sample import Trip, inner


def trips(signal: Path, saver: Any) -> Any:
    """A graph that waits, fails at first, and speaks."""
    tries: list[int] = []

    def wait(state: Trip) -> Trip:
        while not signal.exists():
            time.sleep(0.02)
        return {"log": ["waited"]}

    def search(state: Trip) -> Trip:
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("the search did not answer")
        return {"log": ["searched"]}

    made = StateGraph(Trip).add_node(wait).add_node("mail", inner)
    made.add_node(search, retry_policy=RetryPolicy(initial_interval=0.01))
    for source, target in ((START, "wait"), ("wait", "search"), ("search", "mail"), ("mail", END)):
        made.add_edge(source, target)
    return made.compile(checkpointer=saver)


def beside(signal: str) -> None:
    """Run it, and stay until the input ends."""
    config: Any = {"configurable": {"thread_id": "beside"}}
    run: dict[str, Any] = {"view": "tokens"}
    trips(Path(signal), InMemorySaver()).invoke({"log": []}, config, **run)
    sys.stdin.read()


async def worker(database: str, signal: str) -> None:
    """Work until it is killed."""
    from langgraph_rust.runs import AsyncRuns, Worker

    async with AsyncRuns(database) as runs:
        await runs.setup()
        await runs.enqueue(
            "trips",
            {"log": []},
            thread_id="at-a-worker",
            stream_mode=["tasks", "custom", "messages"],
            subgraphs=True,
        )
        print("token=none", flush=True)
        await Worker(database, {"trips": trips(Path(signal), None)}).run()


if __name__ == "__main__":
    what, *given = sys.argv[1:]
    if what == "beside":
        beside(*given)
    else:
        asyncio.run(worker(*given))
