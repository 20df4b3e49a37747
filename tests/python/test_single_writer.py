"""One writer per thread: what is refused, what is not, and what is left then."""

from __future__ import annotations

import asyncio
import operator
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from _one_writer import aopened, opened
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.base import empty_checkpoint
from langgraph_rust.checkpoint.base.id import uuid6
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.single_writer import ThreadConflictError, fork
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import Command, RetryPolicy, interrupt
from tests.python._postgres import Databases, databases

THREAD: Any = {"configurable": {"thread_id": "1"}}
DURABILITIES = "sync", "async", "exit"
KINDS = "memory", "sqlite", "postgres"


class State(TypedDict, total=False):
    items: Annotated[list[str], operator.add]
    plain: str


@pytest.fixture(scope="module")
def make() -> Iterator[Databases]:
    with databases() as make:
        yield make


@pytest.fixture(params=KINDS)
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with opened(request.param, request, tmp_path) as saver:
        yield saver


class Meanwhile:
    """Something that another does while a node runs, once."""

    def __init__(self) -> None:
        self.what: Callable[[], Any] | None = None

    def __call__(self) -> Any:
        what, self.what = self.what, None
        return what and what()


def chain(saver: Any, *nodes: Callable[[Any], Any], **options: Any) -> Any:
    builder = StateGraph(State)
    for number, node in enumerate(nodes):
        builder.add_node(f"n{number}", node, **options)
        builder.add_edge(f"n{number - 1}" if number else START, f"n{number}")
    return builder.compile(checkpointer=saver)


def adding(item: str, meanwhile: Callable[[], Any] = lambda: None) -> Callable[[Any], Any]:
    def add(_: Any) -> Any:
        meanwhile()
        return {"items": [item]}

    return add


def hook(saver: Any, others: list[Callable[[], Any]]) -> None:
    """Have others do something when a checkpoint is loaded next, and is not gone on with yet."""

    class Slow(type(saver)):  # type: ignore[misc]
        def get_tuple(self, config: Any) -> Any:
            found = super().get_tuple(config)
            if others:
                others.pop()()
            return found

    saver.__class__ = Slow


def items(graph: Any, config: Any = THREAD) -> list[str]:
    return graph.get_state(config).values["items"]


def ids(saver: Any) -> set[str]:
    return {found.config["configurable"]["checkpoint_id"] for found in saver.list(THREAD)}


class TestTwoRuns:
    @pytest.mark.parametrize("durability", DURABILITIES)
    def test_the_second_to_store_is_refused(self, saver: Any, durability: Any) -> None:
        meanwhile = Meanwhile()
        graph = chain(saver, adding("a", meanwhile), adding("b"))
        graph.invoke({"items": ["0"]}, THREAD)
        seen: set[str] = set()

        def other() -> None:
            graph.invoke({"items": ["other"]}, {**THREAD, "metadata": {"run_id": "them"}})
            seen.update(ids(saver))

        meanwhile.what = other
        with pytest.raises(ThreadConflictError) as refused:
            graph.invoke(
                {"items": ["1"]},
                {**THREAD, "metadata": {"run_id": "us"}},
                durability=durability,
            )
        error = refused.value
        assert (error.reason, error.run_id, error.other_run_id) == ("superseded", "us", "them")
        assert error.thread_id == "1" and error.checkpoint_id != error.newest_checkpoint_id
        assert "us" in str(error) and "them" in str(error)
        assert pickle.loads(pickle.dumps(error)).__dict__ == error.__dict__
        # Nothing of it was stored after the other had.
        assert ids(saver) == seen
        assert graph.get_state(THREAD).metadata["run_id"] == "them"
        begun = [] if durability == "exit" else ["1"]
        assert items(graph) == ["0", "a", "b", *begun, "other", "a", "b"]

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("durability", DURABILITIES)
    async def test_of_async_ones(
        self, kind: str, durability: Any, request: pytest.FixtureRequest, tmp_path: Path
    ) -> None:
        async with aopened(kind, request, tmp_path) as saver:
            others = [lambda: graph.ainvoke({"items": ["other"]}, THREAD)]

            async def first(_: Any) -> Any:
                if others:
                    await others.pop()()
                return {"items": ["a"]}

            graph = chain(saver, first, adding("b"))
            with pytest.raises(ThreadConflictError, match="since"):
                async for _ in graph.astream({"items": ["1"]}, THREAD, durability=durability):
                    pass
            begun = [] if durability == "exit" else ["1"]
            state = await graph.aget_state(THREAD)
            # Storing may be under way when the node runs; then it is the other that is refused.
            assert state.values["items"] in ([*begun, "other", "a", "b"], ["1"])
            # Whoever tries again goes on from there.
            await graph.ainvoke({"items": ["1"]}, THREAD, durability=durability)

    def test_whoever_streams_is_told(self, saver: Any) -> None:
        meanwhile = Meanwhile()
        graph = chain(saver, adding("a", meanwhile), adding("b"))
        meanwhile.what = lambda: graph.invoke({"items": ["other"]}, THREAD)
        with pytest.raises(ThreadConflictError):
            [*graph.stream({"items": ["1"]}, THREAD)]

    def test_runs_that_follow_each_other_are_not_refused(self, saver: Any) -> None:
        graph = chain(saver, adding("a"), adding("b"))
        for durability in DURABILITIES * 2:
            graph.invoke({"items": ["0"]}, THREAD, durability=durability)
        assert items(graph) == ["0", "a", "b"] * 6

    def test_off_lets_one_be_lost(self, saver: Any) -> None:
        saver.single_writer = "off"
        meanwhile = Meanwhile()
        graph = chain(saver, adding("a", meanwhile))
        graph.invoke({"items": ["0"]}, THREAD)
        meanwhile.what = lambda: graph.invoke({"items": ["other"]}, THREAD)
        graph.invoke({"items": ["1"]}, THREAD)
        assert "run_id" not in graph.get_state(THREAD).metadata
        assert "other" not in items(graph)

    def test_what_it_is_told_must_be_a_mode(
        self, saver: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        graph = chain(saver, adding("a"))
        monkeypatch.setenv("LANGGRAPH_RUST_SINGLE_WRITER", "of")
        with pytest.raises(ValueError, match="'refuse', 'wait' or 'off', not 'of'"):
            graph.invoke({"items": []}, THREAD)
        saver.single_writer = "refuse"
        graph.invoke({"items": []}, THREAD)


class TestQuestions:
    def ask(self, saver: Any, meanwhile: Callable[[], Any]) -> Any:
        def ask(_: Any) -> Any:
            answer = interrupt("?")
            meanwhile()
            return {"items": [answer]}

        return chain(saver, ask, adding("end"))

    @pytest.mark.parametrize("durability", DURABILITIES)
    def test_an_answer_goes_on(self, saver: Any, durability: Any) -> None:
        graph = self.ask(saver, lambda: None)
        graph.invoke({"items": []}, THREAD, durability=durability)
        graph.invoke(Command(resume="yes"), THREAD, durability=durability)
        assert items(graph) == ["yes", "end"]

    @pytest.mark.parametrize("durability", DURABILITIES)
    def test_of_two_answers_one_counts(self, saver: Any, durability: Any) -> None:
        meanwhile = Meanwhile()
        graph = self.ask(saver, meanwhile)
        graph.invoke({"items": []}, THREAD, durability=durability)
        outcomes: list[Any] = []

        def other() -> None:
            try:
                graph.invoke(Command(resume="second"), THREAD, durability=durability)
            except ThreadConflictError as error:
                outcomes.append(error.reason)

        meanwhile.what = other
        try:
            graph.invoke(Command(resume="first"), THREAD, durability=durability)
        except ThreadConflictError as error:
            outcomes.append(error.reason)
        assert len(outcomes) == 1 and outcomes[0] in ("taken", "superseded")
        assert items(graph) in (["first", "end"], ["second", "end"])

    def test_what_another_wrote_on_a_checkpoint_is_not_taken_for_ones_own(self, saver: Any) -> None:
        # Lists that are stored as changes are rebuilt from what tasks wrote on a checkpoint.
        graph = chain(saver, adding("a"))
        graph.invoke({"items": ["0"]}, THREAD)
        newest = graph.get_state(THREAD).config
        others = [lambda: saver.put_writes(newest, [("items", ["theirs"])], "task of another")]
        hook(saver, others)
        with pytest.raises(ThreadConflictError) as refused:
            graph.invoke({"items": ["1"]}, THREAD)
        assert (refused.value.reason, refused.value.other_run_id) == ("taken", None)
        assert items(graph) == ["0", "a"]
        graph.invoke({"items": ["1"]}, THREAD)
        assert items(graph) == ["0", "a", "1", "a"]


class TestForks:
    @pytest.mark.parametrize("durability", DURABILITIES)
    def test_an_older_checkpoint_that_is_named_is_a_fork(self, saver: Any, durability: Any) -> None:
        graph = chain(saver, adding("a"), adding("b"))
        graph.invoke({"items": ["0"]}, THREAD)
        graph.invoke({"items": ["1"]}, THREAD)
        old = next(s for s in graph.get_state_history(THREAD) if s.values["items"] == ["0"])
        graph.invoke(None, old.config, durability=durability)
        assert items(graph) == ["0", "a", "b"]
        graph.invoke({"items": ["2"]}, old.config, durability=durability)
        assert items(graph)[-3:] == ["2", "a", "b"]
        graph.update_state(old.config, {"items": ["u"]}, as_node="n0")
        graph.invoke(None, THREAD, durability=durability)
        assert items(graph) == ["0", "u", "b"]
        graph.update_state(old.config, None, as_node="__copy__")
        first, second = ({"items": ["x"]}, "n0", None), ({"items": ["y"]}, "n1", None)
        graph.bulk_update_state(old.config, [[first], [second]])
        assert items(graph) == ["0", "x", "y"]

    def test_one_whose_head_another_has_gone_on_with_is_refused(self, saver: Any) -> None:
        meanwhile = Meanwhile()
        graph = chain(saver, adding("a", meanwhile), adding("b"))
        graph.invoke({"items": ["0"]}, THREAD)
        old = next(s for s in graph.get_state_history(THREAD) if s.values.get("items") == ["0"])
        meanwhile.what = lambda: graph.invoke({"items": ["other"]}, THREAD)
        with pytest.raises(ThreadConflictError):
            graph.invoke({"items": ["forked"]}, old.config)
        assert items(graph)[-3:] == ["other", "a", "b"]

    def test_two_that_are_meant_to_be_side_by_side(self, saver: Any) -> None:
        meanwhile = Meanwhile()
        graph = chain(saver, adding("a", meanwhile), adding("b"))
        graph.invoke({"items": ["0"]}, THREAD)
        newest = graph.get_state(THREAD).config
        meanwhile.what = lambda: graph.invoke({"items": ["other"]}, fork(newest))
        result = graph.invoke({"items": ["1"]}, fork(newest))
        assert result["items"] == ["0", "a", "b", "1", "a", "b"]

    def test_what_was_the_newest_is_no_fork(self, saver: Any) -> None:
        graph = chain(saver, adding("a"))
        graph.invoke({"items": ["0"]}, THREAD)
        newest = graph.get_state(THREAD).config
        graph.update_state(newest, {"items": ["1"]}, as_node="n0")
        assert items(graph) == ["0", "a", "1"]


class TestUpdates:
    def test_an_update_is_refused_whole(self, saver: Any) -> None:
        graph = chain(saver, adding("a"))
        graph.invoke({"items": ["0"]}, THREAD)
        hook(saver, [lambda: graph.update_state(THREAD, {"items": ["other"]}, as_node="n0")])
        with pytest.raises(ThreadConflictError) as refused:
            graph.update_state(THREAD, {"items": ["mine"]}, as_node="n0")
        assert refused.value.run_id and refused.value.other_run_id
        assert items(graph) == ["0", "a", "other"]
        written = [write for found in saver.list(THREAD) for write in found.pending_writes]
        assert not any(write[2] == ["mine"] for write in written)

    def test_a_run_that_an_update_overtakes_is_refused(self, saver: Any) -> None:
        meanwhile = Meanwhile()
        graph = chain(saver, adding("a", meanwhile), adding("b"))
        meanwhile.what = lambda: graph.update_state(THREAD, {"items": ["u"]}, as_node="n1")
        with pytest.raises(ThreadConflictError):
            graph.invoke({"items": ["0"]}, THREAD)
        assert items(graph) == ["0", "u"]


class TestSubgraphs:
    def outer(self, saver: Any, inner: Any, **options: Any) -> Any:
        builder = StateGraph(State)
        builder.add_node("inner", inner, **options).add_edge(START, "inner")
        builder.add_node("end", adding("end")).add_edge("inner", "end")
        return builder.compile(checkpointer=saver)

    @pytest.mark.parametrize("own", [None, True])
    @pytest.mark.parametrize("durability", DURABILITIES)
    def test_their_runs_follow_each_other(self, saver: Any, own: Any, durability: Any) -> None:
        inner = StateGraph(State)
        inner.add_node("ask", lambda _: {"items": [interrupt("?")]}).add_edge(START, "ask")
        graph = self.outer(saver, inner.compile(checkpointer=own))
        for _ in range(2):
            graph.invoke({"items": []}, THREAD, durability=durability)
            graph.invoke(Command(resume="yes"), THREAD, durability=durability)
        assert items(graph)[-2:] == ["yes", "end"]
        asked = [s for s in graph.get_state_history(THREAD) if s.next == ("inner",)]
        for state in asked:
            graph.invoke(None, state.config, durability=durability)
            graph.invoke(Command(resume="again"), THREAD, durability=durability)
        assert items(graph)[-1] == "end" and "again" in items(graph)

    def test_one_that_is_overtaken_is_tried_again_by_nobody(self, saver: Any) -> None:
        calls: list[int] = []
        meanwhile = Meanwhile()

        def first(_: Any) -> Any:
            calls.append(1)
            meanwhile()
            return {"items": ["in"]}

        inner = chain(None, first, adding("in2"))
        policy = RetryPolicy(retry_on=Exception, initial_interval=0, max_attempts=3)
        graph = self.outer(saver, inner, retry_policy=policy)
        # From here on the thread is the other's, while the inner graph is still at work.
        meanwhile.what = lambda: chain(saver, adding("other")).invoke({}, THREAD)
        with pytest.raises(ThreadConflictError):
            graph.invoke({"items": ["0"]}, THREAD)
        assert calls == [1]
        assert items(graph)[-1] == "other"


def put(saver: Any, config: Any, step: int = 0) -> Any:
    checkpoint: Any = {**empty_checkpoint(), "v": 4, "id": str(uuid6(clock_seq=step))}
    return saver.put(config, checkpoint, {"source": "loop", "step": step}, {})


class TestCallers:
    """Those who call a saver themselves."""

    PLACE: Any = {"configurable": {"thread_id": "1", "checkpoint_ns": ""}}

    def test_who_names_an_old_parent_must_mean_it(self, saver: Any) -> None:
        first = put(saver, self.PLACE)
        put(saver, first, 1)
        with pytest.raises(ThreadConflictError, match="A caller of the saver"):
            put(saver, first, 2)
        with pytest.raises(ThreadConflictError):
            saver.put_writes(first, [("items", 1)], "task")
        put(saver, fork(first), 2)
        saver.put_writes(fork(first), [("items", 1)], "task")

    def test_who_names_none_says_nothing_that_could_be_wrong(self, saver: Any) -> None:
        assert {put(saver, self.PLACE, n)["configurable"]["thread_id"] for n in range(3)} == {"1"}

    def test_the_same_again(self, saver: Any) -> None:
        first = put(saver, self.PLACE)
        checkpoint: Any = {**empty_checkpoint(), "v": 4, "id": str(uuid6(clock_seq=1))}
        for _ in range(2):
            saver.put(first, checkpoint, {"source": "loop", "step": 1}, {})
        assert len([*saver.list(THREAD)]) == 2

    def test_a_clock_that_is_behind(self, saver: Any) -> None:
        graph = chain(saver, adding("a"))
        later: Any = {**empty_checkpoint(), "v": 4, "id": "ffffffff-ffff-6fff-8000-000000000000"}
        saver.put(self.PLACE, later, {"source": "loop", "step": 0, "run_id": "ahead"}, {})
        with pytest.raises(ThreadConflictError, match="clocks") as refused:
            graph.invoke({"items": ["0"]}, THREAD)
        assert (refused.value.reason, refused.value.other_run_id) == ("behind", "ahead")


@pytest.mark.parametrize("is_pooled", [False, True])
def test_an_interrupt_while_another_stores(make: Databases, is_pooled: bool) -> None:
    import psycopg
    import psycopg_pool

    from langgraph_rust.checkpoint.postgres import PostgresSaver
    from langgraph_rust.checkpoint.postgres._single_writer import LOCK_SQL, lock_of

    database, place = make(), TestCallers.PLACE
    with (
        psycopg.connect(database) as other,
        PostgresSaver.from_conn_string(database) as single,
        psycopg_pool.ConnectionPool(database, kwargs={"autocommit": True}) as pool,
    ):
        single.setup()
        first = put(single, place)
        saver = PostgresSaver(pool) if is_pooled else single
        other.execute(LOCK_SQL, lock_of("1"))
        threading.Timer(0.3, signal.raise_signal, (signal.SIGINT,)).start()
        with pytest.raises(KeyboardInterrupt):
            put(saver, first, 1)
        other.rollback()
        assert len([*saver.list(THREAD)]) == 1
        saver.put_writes(put(saver, first, 2), [("items", 1)], "task")
        assert len([*saver.list(THREAD)]) == 2


def test_a_server_is_told_nothing_of_it(saver: Any) -> None:
    from langgraph_rust.config import get_config
    from langgraph_rust.pregel._remote.codec import sanitize_config

    configs: list[Any] = []
    graph = chain(saver, lambda _: configs.append(get_config()))
    graph.invoke({"items": []}, fork(THREAD))
    assert any("langgraph_rust" in key for key in configs[0]["configurable"])
    sent = sanitize_config(configs[0])["configurable"]
    assert not any("langgraph_rust" in key for key in sent)


def test_drop_in_mode_is_as_upstream(run_program: Callable[..., Any]) -> None:
    told = run_program(
        """
import langgraph_rust
langgraph_rust.install()
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph

saver = InMemorySaver()
thread = {"configurable": {"thread_id": "1"}}

def node(state):
    if not done:
        done.append(1)
        graph.invoke({"n": 5}, thread)
    return {"n": state["n"] + 1}

done = []
builder = StateGraph(dict)
builder.add_node("node", node).add_edge(START, "node")
graph = builder.compile(checkpointer=saver)
graph.invoke({"n": 1}, thread)
assert "run_id" not in graph.get_state(thread).metadata
saver.single_writer = "refuse"
done.clear()
try:
    graph.invoke({"n": 1}, thread)
except Exception as error:
    print(type(error).__name__)
"""
    )
    assert "ThreadConflictError" in str(told)


def test_storing_side_by_side_in_one_process(saver: Any) -> None:
    # Tasks of one superstep store what they wrote at the same time, and none looks strange.
    async def main() -> None:
        builder = StateGraph(State)

        async def wait(_: Any) -> Any:
            await asyncio.sleep(0.001)
            return {"items": ["x"]}

        for number in range(8):
            builder.add_node(f"n{number}", wait).add_edge(START, f"n{number}")
        graph = builder.compile(checkpointer=InMemorySaver())
        for _ in range(5):
            await graph.ainvoke({"items": []}, THREAD)

    asyncio.run(main())
    builder = StateGraph(State)
    for number in range(8):
        builder.add_node(f"n{number}", adding("x")).add_edge(START, f"n{number}")
    graph = builder.compile(checkpointer=saver)
    for _ in range(3):
        graph.invoke({"items": []}, THREAD)
    assert items(graph) == ["x"] * 24


def test_the_first_of_a_database_make_its_tables_together(make: Databases) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from langgraph_rust.checkpoint.postgres import PostgresSaver

    for _ in range(3):
        database = make()
        with PostgresSaver.from_conn_string(database) as saver:
            saver.setup()

        def first(number: int, database: str = database) -> None:
            with PostgresSaver.from_conn_string(database) as saver:
                saver.take_lease(str(number), "me").release()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(first, range(8)))


def test_a_lease_that_was_taken_unheard_is_given_back() -> None:
    from langgraph_rust.checkpoint._writing.leases import NOBODY, Taking

    taking = Taking("me", 30.0, False, 0.0)
    asked: Any = taking.steps().send(None)
    held, token = asked.change(NOBODY, 1.0)
    assert (held.holder, token) == ("me", 1)
    after, _ = taking.leave(held, 2.0)
    assert after.holder is None and after.token == 1
    # Another's is left alone.
    others = held._replace(holder="another", token=2)
    assert taking.leave(others, 2.0)[0].holder == "another"
