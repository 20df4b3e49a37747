"""What is logged while a graph runs, under the loggers that upstream has."""

from __future__ import annotations

import asyncio
import logging
import operator
import time
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Annotated, Any

import pytest
from _driver_graphs import State, chain, thread
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.errors import InvalidUpdateError
from langgraph_rust.func import entrypoint, task
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import Command, RetryPolicy, Send

ALGO, RETRY = "langgraph", "langgraph.pregel._retry"
AGAIN = RetryPolicy(initial_interval=0.01, backoff_factor=2, jitter=False, max_attempts=3)


def lines(caplog: pytest.LogCaptureFixture, name: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == name]


def run(graph: Any, is_async: bool) -> Any:
    return asyncio.run(graph.ainvoke({}, thread())) if is_async else graph.invoke({}, thread())


@pytest.mark.parametrize("saver", [None, InMemorySaver])
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.filterwarnings("ignore::langgraph_rust.warnings.LangGraphMistakeWarning")
class TestWritesToNobody:
    def test_goto_an_unknown_node(
        self, caplog: pytest.LogCaptureFixture, is_async: bool, saver: Any
    ) -> None:
        graph = chain([lambda _: Command(goto="zz")], checkpointer=saver and saver())
        run(graph, is_async)
        assert lines(caplog, ALGO) == [
            "Task n0 with path ('__pregel_pull', 'n0') wrote to unknown channel branch:to:zz, "
            "ignoring it."
        ]

    def test_a_packet_for_an_unknown_node(
        self, caplog: pytest.LogCaptureFixture, is_async: bool, saver: Any
    ) -> None:
        graph = chain([lambda _: Command(goto=Send("zz", {}))], checkpointer=saver and saver())
        run(graph, is_async)
        assert lines(caplog, ALGO) == ["Ignoring unknown node name zz in pending sends"]

    def test_nothing_else(
        self, caplog: pytest.LogCaptureFixture, is_async: bool, saver: Any
    ) -> None:
        run(chain([lambda _: {"log": [1]}], checkpointer=saver and saver()), is_async)
        assert lines(caplog, ALGO) == []


@pytest.mark.parametrize("is_async", [False, True])
class TestRetries:
    def test_of_nodes(self, caplog: pytest.LogCaptureFixture, is_async: bool) -> None:
        caplog.set_level(logging.INFO, RETRY)
        attempts: list[int] = []

        def fails(_: State) -> State:
            attempts.append(1)
            if len(attempts) < 3:
                raise ConnectionError("no")
            return {}

        builder = StateGraph(State)
        builder.add_node("fails", fails, retry_policy=AGAIN)
        builder.add_edge(START, "fails")
        run(builder.compile(), is_async)
        assert lines(caplog, RETRY) == [
            f"Retrying task fails after {seconds} seconds (attempt {attempt}) after "
            "ConnectionError no"
            for attempt, seconds in [(1, "0.01"), (2, "0.02")]
        ]
        assert all(record.exc_info for record in caplog.records if record.name == RETRY)

    def test_of_called_tasks(self, caplog: pytest.LogCaptureFixture, is_async: bool) -> None:
        caplog.set_level(logging.INFO, RETRY)

        @task(retry_policy=AGAIN)
        def fails() -> None:
            raise ConnectionError("no")

        @entrypoint()
        def calls(_: Any) -> None:
            fails().result()

        @entrypoint()
        async def acalls(_: Any) -> None:
            await fails()

        with pytest.raises(ConnectionError):
            run(acalls if is_async else calls, is_async)
        assert [line.split(" (")[0] for line in lines(caplog, RETRY)] == [
            "Retrying task fails after 0.01 seconds",
            "Retrying task fails after 0.02 seconds",
        ]


class Listener(logging.Handler):
    """Does something whenever a retry is logged."""

    def __init__(self, does: Callable[[], None]) -> None:
        super().__init__()
        self.does = does

    def emit(self, record: logging.LogRecord) -> None:
        self.does()


@pytest.fixture
def listens(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Has a function called at each retry that is logged."""
    caplog.set_level(logging.INFO, RETRY)
    logger, handlers = logging.getLogger(RETRY), list[logging.Handler]()

    def listen(does: Callable[[], None]) -> None:
        handlers.append(Listener(does))
        logger.addHandler(handlers[-1])

    yield listen
    for handler in handlers:
        logger.removeHandler(handler)


class TestHandlersWhileACallerWaits:
    """A called task is tried again whatever the handlers do, and its caller is answered."""

    def program(self) -> Any:
        attempts = iter(range(9))

        @task(retry_policy=RetryPolicy(initial_interval=0, jitter=False, max_attempts=2))
        def fails_once(value: int) -> int:
            if next(attempts) == 0:
                raise ConnectionError
            return value

        @task
        def plain(value: int) -> int:
            return value

        @entrypoint()
        def both(_: Any) -> int:
            asked = [fails_once(1), plain(2)]
            return sum(each.result() for each in asked)

        return both

    def outcome(self) -> Any:
        chunks: list[Any] = []
        config = {"max_concurrency": 1}
        runs = Thread(target=lambda: chunks.extend(self.program().stream(0, config)), daemon=True)
        runs.start()
        runs.join(10)
        assert not runs.is_alive(), "the caller is not answered"
        return chunks[-1]

    def test_one_that_lets_the_driver_in(self, listens: Any) -> None:
        listens(lambda: time.sleep(0.1))
        assert self.outcome() == {"both": 3}

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_one_that_raises(self, listens: Any) -> None:
        def raises() -> None:
            raise OSError("no space left")

        listens(raises)
        assert self.outcome() == {"both": 3}


class TestClassesOfThePackageLanggraph:
    """Under the own name they are another package's: an error, where nothing would happen."""

    def test_a_command(self) -> None:
        command = type(
            "Command", (), {"__module__": "langgraph.types", "__annotations__": {"a": int}}
        )
        with pytest.raises(InvalidUpdateError, match=r"import it from langgraph_rust\.types"):
            chain([lambda _: command()]).invoke({})

    def test_a_channel(self) -> None:
        class Topic:
            __module__ = "langgraph.channels.topic"

        own: Any = TypedDict("own", {"items": Annotated[list[Any], Topic()]})  # type: ignore[misc]
        with pytest.raises(TypeError, match=r"import it from langgraph_rust\.channels"):
            StateGraph(own)

    def test_reducers_of_any_package_will_do(self) -> None:
        class Own(State):
            items: Annotated[list[Any], operator.add]

        StateGraph(Own)
