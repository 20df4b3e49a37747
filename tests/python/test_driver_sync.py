"""Driving a run on the calling thread."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
import time
import weakref
from typing import Annotated, Any

import pytest
from _driver_graphs import PATIENCE, Meeting, PlainSaver, State, chain, fan_out, thread
from typing_extensions import TypedDict

from langgraph_rust._internal._constants import CONF, CONFIG_KEY_READ
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.config import get_config
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import StreamWriter

var: contextvars.ContextVar[str] = contextvars.ContextVar("var", default="outside")


def log_thread(_: State) -> State:
    return {"log": [threading.get_ident()]}


def refuse(*_: Any) -> None:
    raise OSError("disk full")


def ways_to_run(graph: Any, input: Any, config: Any = None) -> list[Any]:
    """Run a graph by each of the sync driver's ways; return the last values of each."""
    return [
        graph.invoke(input, config),
        list(graph.stream(input, config, stream_mode="values"))[-1],
        [part for mode, part in graph.stream(input, config, stream_mode=["values", "custom"])][-1],
    ]


class TestWhereNodesRun:
    def test_a_single_task_runs_on_the_callers_thread(self) -> None:
        graph = chain([log_thread] * 3)
        assert graph.invoke({})["log"] == [threading.get_ident()] * 3
        assert list(graph.stream({}))[-1]["n2"]["log"] == [threading.get_ident()]

    def test_the_caller_takes_part_in_a_fan_out(self) -> None:
        graph = fan_out([log_thread] * 3)
        config = {"max_concurrency": 1}
        assert graph.invoke({}, config)["log"] == [threading.get_ident()] * 3

    @pytest.mark.parametrize("way", [0, 1, 2])
    def test_tasks_that_block_overlap(self, way: int) -> None:
        graph = fan_out([Meeting(5)] * 5)
        if way == 0:
            assert graph.invoke({})["log"] == ["met"] * 5
        elif way == 1:
            assert len(list(graph.stream({}, stream_mode="updates"))) == 5
        else:
            assert len(list(graph.stream({}, stream_mode=["custom", "updates"]))) == 5

    def test_a_caller_that_runs_an_event_loop_leaves_fan_outs_to_others(self) -> None:
        async def answer() -> int:
            return threading.get_ident()

        def node(_: State) -> State:
            return {"log": [asyncio.run(answer())]}

        async def main() -> None:
            threads = fan_out([node] * 3).invoke({})["log"]
            assert threading.get_ident() not in threads

        asyncio.run(main())

    def test_updates_leave_when_their_task_is_done(self) -> None:
        seen = threading.Event()

        def waits(_: State) -> State:
            assert seen.wait(PATIENCE)
            return {"log": ["slow"]}

        graph = fan_out([waits, lambda _: {"log": ["fast"]}])
        for chunk in graph.stream({}, stream_mode="updates"):
            if "n1" in chunk:
                seen.set()
        assert seen.is_set()

    def test_custom_chunks_leave_while_their_task_runs(self) -> None:
        seen = threading.Event()

        def node(_: State, writer: StreamWriter) -> State:
            writer("hello")
            assert seen.wait(PATIENCE)
            return {}

        for chunk in chain([node]).stream({}, stream_mode="custom"):
            assert chunk == "hello"
            seen.set()
        assert seen.is_set()


class TestContext:
    @pytest.mark.parametrize("width", [1, 4])
    def test_nodes_see_the_callers_context_and_leave_it_alone(self, width: int) -> None:
        def node(_: State) -> State:
            before = var.get()
            var.set("inside")
            return {"log": [before]}

        token = var.set("caller")
        try:
            for result in ways_to_run(fan_out([node] * width), {}):
                assert result["log"] == ["caller"] * width
            assert var.get() == "caller"
        finally:
            var.reset(token)

    def test_a_node_does_not_see_what_an_earlier_one_set(self) -> None:
        def sets(_: State) -> State:
            var.set("inside")
            return {}

        graph = chain([sets, lambda _: {"log": [var.get()]}])
        assert graph.invoke({})["log"] == ["outside"]


class TestFailures:
    def test_a_failure_lets_running_siblings_finish_and_keeps_what_they_wrote(self) -> None:
        started, failed = threading.Event(), threading.Event()

        def fails(_: State) -> State:
            assert started.wait(PATIENCE)
            failed.set()
            raise ValueError("no luck")

        def finishes(_: State) -> State:
            started.set()
            assert failed.wait(PATIENCE)
            return {"log": ["kept"]}

        graph = fan_out([fails, finishes], checkpointer=InMemorySaver())
        with pytest.raises(ValueError, match="no luck"):
            graph.invoke({}, thread())
        assert graph.get_state(thread()).values["log"] == ["kept"]

    def test_the_traceback_leads_to_the_node(self) -> None:
        def culprit(_: State) -> State:
            raise ValueError("no luck")

        with pytest.raises(ValueError) as caught:
            fan_out([culprit, log_thread]).invoke({})
        assert any(entry.name == "culprit" for entry in caught.traceback)

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
    @pytest.mark.parametrize("width", [1, 3])
    def test_exits_pass_through(self, error: type[BaseException], width: int) -> None:
        def leaves(_: State) -> State:
            raise error("out")

        with pytest.raises(error, match="out"):
            fan_out([leaves] + [log_thread] * (width - 1)).invoke({})

    @pytest.mark.parametrize("width", [1, 3])
    def test_stop_iteration_is_no_end(self, width: int) -> None:
        def stops(_: State) -> State:
            raise StopIteration("node")

        graph = fan_out([stops] + [log_thread] * (width - 1))
        for run in (graph.invoke, lambda input: list(graph.stream(input))):
            with pytest.raises(RuntimeError, match="generator raised StopIteration") as caught:
                run({})
            assert isinstance(caught.value.__cause__, StopIteration)

    def test_a_reducer_that_uses_its_own_run_is_told(self) -> None:
        readers: list[Any] = []

        def reenters(old: list[str], new: list[str]) -> list[str]:
            return old + new + [read("log") for read in readers]

        # Not a class: the annotations of one here would be text that names a local function.
        own = TypedDict("own", {"log": Annotated[list[str], reenters]})  # noqa: UP013

        def node(_: Any) -> Any:
            readers.append(get_config()[CONF][CONFIG_KEY_READ])
            return {"log": ["x"]}

        builder = StateGraph(own)
        builder.add_node("node", node).add_edge(START, "node")
        with pytest.raises(RuntimeError, match="A reducer or channel used the run"):
            builder.compile().invoke({"log": []})


class TestStepTimeout:
    @pytest.mark.parametrize("width", [1, 3])
    def test_a_step_that_takes_too_long_ends_the_run(self, width: int) -> None:
        release = threading.Event()

        def hangs(_: State) -> State:
            release.wait(PATIENCE)
            return {}

        graph = fan_out([hangs] + [log_thread] * (width - 1))
        graph.step_timeout = 0.05
        try:
            with pytest.raises(TimeoutError):
                graph.invoke({})
            assert not release.is_set()
        finally:
            release.set()

    def test_a_node_that_ends_after_its_run_keeps_nothing_alive(self) -> None:
        class Token:
            pass

        release, let_go = threading.Event(), threading.Event()

        def hangs(_: State) -> State:
            release.wait(PATIENCE)
            return {}

        graph = fan_out([hangs])
        graph.step_timeout = 0.05
        token = Token()
        weakref.finalize(token, let_go.set)
        with pytest.raises(TimeoutError):
            graph.invoke({"value": token})
        del token
        release.set()
        for _ in range(20):
            gc.collect()
            if let_go.wait(0.05):
                break
        assert let_go.is_set()

    def test_each_step_has_the_whole_time(self) -> None:
        def works(_: State) -> State:
            time.sleep(0.1)
            return {"log": ["done"]}

        graph = chain([works] * 4)
        graph.step_timeout = 0.3
        assert graph.invoke({})["log"] == ["done"] * 4


class TestClosingEarly:
    def test_no_further_step_begins(self) -> None:
        ran: list[int] = []
        graph = chain([lambda _, i=i: ran.append(i) or {"log": [i]} for i in range(4)])
        stream = graph.stream({}, stream_mode="updates")
        next(stream)
        next(stream)
        stream.close()
        assert ran in ([0, 1], [0, 1, 2])

    def test_what_is_done_is_stored(self) -> None:
        graph = chain([log_thread] * 3, checkpointer=InMemorySaver())
        stream = graph.stream({}, thread(), stream_mode="updates")
        next(stream)
        stream.close()
        state = graph.get_state(thread())
        assert state.next in (("n0",), ("n1",))
        assert len(graph.invoke(None, thread())["log"]) == 3

    def test_running_tasks_are_waited_for(self) -> None:
        started, release = threading.Event(), threading.Event()
        ended: list[str] = []

        def slow(_: State) -> State:
            started.set()
            assert release.wait(PATIENCE)
            ended.append("slow")
            return {}

        def fast(_: State) -> State:
            assert started.wait(PATIENCE)
            return {"log": ["fast"]}

        stream = fan_out([slow, fast]).stream({}, stream_mode="updates")
        assert next(stream) == {"n1": {"log": ["fast"]}}
        threading.Timer(0.05, release.set).start()
        stream.close()
        assert ended == ["slow"]

    def test_a_stream_of_very_many_chunks_may_be_closed(self) -> None:
        def chatty(_: State, writer: StreamWriter) -> State:
            for number in range(100_000):
                writer(number)
            return {}

        stream = chain([chatty]).stream({}, stream_mode="custom")
        assert next(stream) == 0
        stream.close()


class TestDurability:
    def run(self, durability: Any, saver: Any) -> list[str]:
        events = saver.events if isinstance(saver, PlainSaver) else []

        def node(_: State) -> State:
            events.append("node")
            return {"log": ["x"]}

        graph = chain([node, node], checkpointer=saver)
        graph.invoke({"value": 1}, thread(), durability=durability)
        assert graph.get_state(thread()).values == {"value": 1, "log": ["x", "x"]}
        return events

    @pytest.mark.parametrize("durability", ["sync", "async"])
    def test_writes_and_checkpoints_are_stored_step_by_step(self, durability: str) -> None:
        events = self.run(durability, PlainSaver())
        noted = [event for event in events if event in ("node", "writes log") or "put" in event]
        assert noted == [
            "put -1",
            "put 0",
            "node",
            "writes log",
            "put 1",
            "node",
            "writes log",
            "put 2",
        ]

    def test_exit_stores_once(self) -> None:
        events = self.run("exit", PlainSaver())
        assert events == ["node", "node", "put 2"]

    @pytest.mark.parametrize("durability", ["sync", "async", "exit"])
    def test_history_with_the_saver_in_memory(self, durability: Any) -> None:
        saver = InMemorySaver()
        self.run(durability, saver)
        steps = [item.metadata["step"] for item in saver.list(thread())]
        assert steps == ([2] if durability == "exit" else [2, 1, 0, -1])

    @pytest.mark.parametrize("durability", ["sync", "async", "exit"])
    @pytest.mark.parametrize("method", ["put", "put_writes"])
    def test_a_saver_that_fails_fails_the_run(self, durability: Any, method: str) -> None:
        def fails(_: State) -> State:
            raise ValueError("no luck")

        # With `exit`, writes are stored only of a step that did not finish.
        nodes = [log_thread, fails] if durability == "exit" else [log_thread, log_thread]
        saver = PlainSaver()
        setattr(saver, method, refuse)
        # Which of two errors comes out is not said; one of them does.
        with pytest.raises((OSError, ValueError), match=r"disk full|no luck"):
            fan_out(nodes, checkpointer=saver).invoke({}, thread(), durability=durability)
