"""What finished tasks wrote is stored while others still run, and who waits for one is told."""

from __future__ import annotations

import asyncio
import operator
import time
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from langgraph_rust.cache.memory import InMemoryCache
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph_rust.config import get_stream_writer
from langgraph_rust.func import entrypoint, task
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import CachePolicy

THREAD: Any = {"configurable": {"thread_id": "1"}}
DURABILITIES = ["sync", "async"]


def results(path: str, count: int) -> int:
    """How many results of called tasks are stored, once there are so many or a second is over."""
    deadline = time.monotonic() + 1
    while True:
        with SqliteSaver.from_conn_string(path) as reader:
            reader.setup()
            rows = reader.conn.execute("SELECT 1 FROM writes WHERE channel = '__return__'")
            found = len(rows.fetchall())
        if found >= count or time.monotonic() > deadline:
            return found


@pytest.mark.parametrize("durability", DURABILITIES)
class TestStored:
    def test_called_tasks_of_a_sync_run(self, durability: Any, tmp_path: Any) -> None:
        seen: list[int] = []
        path = str(tmp_path / "own")

        @task
        def one(n: int) -> int:
            return n

        with SqliteSaver.from_conn_string(path) as saver:

            @entrypoint(checkpointer=saver)
            def flow(_: int) -> None:
                for number in range(3):
                    one(number).result()
                    seen.append(results(path, number + 1))

            flow.invoke(1, THREAD, durability=durability)
        assert seen == [1, 2, 3]

    def test_called_tasks_of_an_async_run(self, durability: Any, tmp_path: Any) -> None:
        seen: list[int] = []
        path = str(tmp_path / "own")

        @task
        async def one(n: int) -> int:
            return n

        async def main() -> None:
            async with AsyncSqliteSaver.from_conn_string(path) as saver:

                @entrypoint(checkpointer=saver)
                async def flow(_: int) -> None:
                    await asyncio.gather(*(one(number) for number in range(3)))
                    await asyncio.sleep(0.3)
                    seen.append(results(path, 3))

                await flow.ainvoke(1, THREAD, durability=durability)

        asyncio.run(main())
        assert seen == [3]

    def test_a_node_beside_one_that_takes_long(self, durability: Any, tmp_path: Any) -> None:
        seen: list[int] = []
        path = str(tmp_path / "own")

        def slow(_: Any) -> Any:
            time.sleep(0.3)
            with SqliteSaver.from_conn_string(path) as reader:
                rows = reader.conn.execute("SELECT 1 FROM writes WHERE instr(value, 'quick')")
                seen.append(len(rows.fetchall()))
            return {"log": ["slow"]}

        class State(TypedDict):
            log: Annotated[list, operator.add]

        builder = StateGraph(State).add_node("a", slow)
        builder.add_node("z", lambda _: {"log": ["quick"]})
        builder.add_edge(START, "a").add_edge(START, "z")
        with SqliteSaver.from_conn_string(path) as saver:
            app = builder.compile(saver)
            given = {"log": ["in"]}
            assert app.invoke(given, THREAD, durability=durability)["log"] == [
                "in",
                "slow",
                "quick",
            ]
        assert seen == [1]

    def test_before_one_that_cannot_be_stored(self, durability: Any) -> None:
        charged: list[int] = []

        @task
        def charge() -> int:
            charged.append(1)
            return 1

        @task
        def bad() -> Any:
            return (item for item in ())

        @entrypoint(checkpointer=InMemorySaver())
        def flow(_: int) -> Any:
            return charge().result(), bad().result()

        for given in (1, None):
            with pytest.raises(TypeError):
                flow.invoke(given, THREAD, durability=durability)
        assert len(charged) == 1


class Down(InMemoryCache):
    """A cache that cannot be written to."""

    def set(self, *_: Any) -> None:
        raise ConnectionError("the cache is down")


class TestWhoWaits:
    def test_for_a_task_whose_result_the_cache_does_not_take(self) -> None:
        @task(cache_policy=CachePolicy())
        def one() -> int:
            return 1

        @task(cache_policy=CachePolicy())
        async def other() -> int:
            return 1

        @entrypoint(cache=Down())
        def flow(_: int) -> int:
            return one().result()

        @entrypoint(cache=Down())
        async def aflow(_: int) -> int:
            return await other()

        with pytest.raises(ConnectionError, match="down"):
            flow.invoke(1)
        with pytest.raises(ConnectionError, match="down"):
            asyncio.run(asyncio.wait_for(aflow.ainvoke(1), 10))

    def test_a_task_may_run_an_event_loop_of_its_own(self) -> None:
        async def later(n: int) -> int:
            await asyncio.sleep(0)
            return n

        @task
        def one(n: int) -> int:
            return asyncio.run(later(n))

        @entrypoint()
        def flow(n: int) -> list[int]:
            return [future.result() for future in [one(number) for number in range(n)]]

        async def main() -> list[int]:
            return flow.invoke(3)

        assert flow.invoke(3) == asyncio.run(main()) == [0, 1, 2]

    @pytest.mark.parametrize("subgraphs", [False, True])
    def test_hears_what_a_called_task_streams(self, subgraphs: bool) -> None:
        @task
        def one() -> None:
            get_stream_writer()("task")

        @entrypoint()
        def flow(_: int) -> None:
            get_stream_writer()("flow")
            one().result()

        parts = flow.stream(1, stream_mode="custom", subgraphs=subgraphs)
        assert [part[-1] if subgraphs else part for part in parts] == ["flow", "task"]
