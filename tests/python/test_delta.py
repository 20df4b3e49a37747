"""Channels that store changes."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any

import pytest
from _driver_graphs import PlainSaver, thread
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, RemoveMessage
from typing_extensions import TypedDict

from langgraph_rust.channels import DeltaChannel
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.serde.types import _DeltaSnapshot
from langgraph_rust.errors import EmptyChannelError, InvalidUpdateError
from langgraph_rust.func import entrypoint
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.graph.message import REMOVE_ALL_MESSAGES, _messages_delta_reducer
from langgraph_rust.types import CachePolicy, Overwrite, interrupt


def fold(state: list[Any], writes: list[Any]) -> list[Any]:
    return [*state, *(item for write in writes for item in write)]


def schema(kind: Any) -> Any:
    return TypedDict("State", {"log": Annotated[list, kind], "n": int}, total=False)


def graph(saver: Any, *, frequency: int = 100, kind: Any = None, nodes: Any = None) -> Any:
    kind = kind or DeltaChannel(fold, snapshot_frequency=frequency)
    builder = StateGraph(schema(kind))
    before = START
    for name, node in (nodes or {"a": adds("a"), "b": adds("b")}).items():
        builder.add_node(name, node)
        builder.add_edge(before, name)
        before = name
    return builder.compile(checkpointer=saver)


def adds(name: str) -> Any:
    return lambda state: {"log": [f"{name}{len(state['log'])}"]}


def stored(saver: Any) -> list[Any]:
    """What each checkpoint holds of the channel, newest first."""
    return [one.checkpoint["channel_values"].get("log") for one in saver.list(thread())]


class TestTheChannel:
    def test_a_new_one_is_empty_and_one_that_has_begun_is_not(self) -> None:
        channel = DeltaChannel(fold, list)
        with pytest.raises(EmptyChannelError):
            channel.get()
        assert channel.from_checkpoint(None).get() == []
        assert channel.from_checkpoint(_DeltaSnapshot([1])).get() == [1]
        assert channel.from_checkpoint([2]).get() == [2]

    def test_the_writes_of_a_step_are_one_batch(self) -> None:
        batches = []

        def spy(state: Any, writes: Any) -> Any:
            batches.append(writes)
            return fold(state, writes)

        channel = DeltaChannel(spy, list)
        assert channel.update([[1], [2]]) and channel.get() == [1, 2]
        assert batches == [[[1], [2]]]
        assert not channel.update([])

    def test_an_overwrite_counts_alone_and_is_copied(self) -> None:
        channel, given = DeltaChannel(fold, list), [7]
        channel.update([[1], Overwrite(given), [2]])
        assert channel.get() == [7] and channel.get() is not given
        channel.update([Overwrite(None)])
        assert channel.get() == []
        with pytest.raises(InvalidUpdateError, match="only one Overwrite"):
            channel.update([Overwrite([1]), Overwrite([2])])

    def test_history_is_replayed_from_its_last_overwrite(self) -> None:
        channel = DeltaChannel(fold, list).from_checkpoint([0])
        history = [[1], Overwrite([5]), [6], Overwrite([8]), [9]]
        channel.replay_writes([("task", "log", value) for value in history])
        assert channel.get() == [8, 9]

    @pytest.mark.parametrize("frequency", [0, -1])
    def test_a_frequency_is_positive(self, frequency: int) -> None:
        with pytest.raises(ValueError, match="must be a positive int"):
            DeltaChannel(fold, snapshot_frequency=frequency)

    def test_a_type_that_makes_no_value(self) -> None:
        class Needs:
            def __init__(self, argument: Any) -> None: ...

        channel = DeltaChannel(fold, Needs)
        channel.key = "log"
        with pytest.raises(InvalidUpdateError, match=r"Key 'log'.*such as list"):
            channel.update([[1]])


class TestStorage:
    @pytest.mark.parametrize("durability", ["sync", "async", "exit"])
    def test_changes_are_stored_and_the_value_now_and_then(self, durability: Any) -> None:
        saver = InMemorySaver()
        app = graph(saver, frequency=4)
        for number in range(3):
            app.invoke({"log": [f"in{number}"]}, thread(), durability=durability)
        expected = ["in0", "a1", "b2", "in1", "a4", "b5", "in2", "a7", "b8"]
        assert app.get_state(thread()).values["log"] == expected
        for state in app.get_state_history(thread()):
            log = state.values.get("log", [])
            assert log == expected[: len(log)]
        values = stored(saver)
        assert not any(isinstance(value, list) for value in values)
        if durability != "exit":
            assert sum(isinstance(value, _DeltaSnapshot) for value in values) == 2

    def test_what_is_stored_does_not_grow_with_what_was_there(self) -> None:
        sizes = []
        for turns in (50, 100):
            saver = InMemorySaver()
            app = graph(saver, nodes={"a": lambda state: {"log": ["x" * 100]}}, frequency=10**6)
            for _ in range(turns):
                app.invoke({"log": ["y" * 100]}, thread())
            blobs = sum(len(blob[1]) for blob in saver.blobs.values())
            writes = (one[2][1] for kept in saver.writes.values() for one in kept.values())
            sizes.append(blobs + sum(map(len, writes)))
        assert sizes[1] < 2.2 * sizes[0]

    @pytest.mark.parametrize("saver", [InMemorySaver, PlainSaver])
    def test_a_saver_of_any_kind(self, saver: Any) -> None:
        app = graph(saver())
        app.invoke({"log": ["in"]}, thread())
        asyncio.run(app.ainvoke({"log": ["again"]}, thread()))
        assert app.get_state(thread()).values["log"] == ["in", "a1", "b2", "again", "a4", "b5"]

    def test_a_field_that_was_or_will_be_another_kind(self) -> None:
        saver = InMemorySaver()
        plain, delta = graph(saver, kind=operator.add), graph(saver)
        for app in (plain, delta, plain, delta, delta, plain):
            app.invoke({"log": ["in"]}, thread())
        expected = [
            item for turn in range(6) for item in ("in", f"a{3 * turn + 1}", f"b{3 * turn + 2}")
        ]
        assert plain.get_state(thread()).values["log"] == expected
        assert delta.get_state(thread()).values["log"] == expected

    def test_a_branch_after_the_field_has_become_plain(self) -> None:
        """What the parent's other child wrote is not part of it."""
        saver = InMemorySaver()
        graph(saver).invoke({"log": ["in"]}, thread())
        app = graph(saver, kind=operator.add)
        middle = [state for state in app.get_state_history(thread()) if state.next == ("b",)]
        app.invoke({"log": ["other"]}, middle[0].config)
        assert [s.values.get("log") for s in app.get_state_history(thread())][:4] == [
            ["in", "a1", "other", "a3", "b4"],
            ["in", "a1", "other", "a3"],
            ["in", "a1", "other"],
            ["in", "a1"],
        ]

    def test_a_fork_does_not_read_what_the_other_branch_wrote(self) -> None:
        app = graph(InMemorySaver())
        app.invoke({"log": ["in"]}, thread())
        middle = next(s for s in app.get_state_history(thread()) if s.next == ("b",))
        forked = app.update_state(middle.config, {"log": ["fork"]}, as_node="a")
        app.invoke(None, forked)
        assert app.get_state(thread()).values["log"] == ["in", "a1", "fork", "b3"]


class TestNodes:
    def test_an_interrupted_run_goes_on(self) -> None:
        asks = {"a": adds("a"), "b": lambda state: {"log": [interrupt("?")]}}
        app = graph(InMemorySaver(), nodes=asks)
        app.invoke({"log": ["in"]}, thread())
        from langgraph_rust.types import Command

        result = app.invoke(Command(resume="yes"), thread())
        assert result["log"] == ["in", "a1", "yes"]
        assert app.get_state(thread()).values["log"] == ["in", "a1", "yes"]

    @pytest.mark.parametrize("durability", ["sync", "exit"])
    def test_a_failed_run_goes_on(self, durability: Any) -> None:
        failures = [ValueError("once")]

        def flaky(state: Any) -> Any:
            if failures:
                raise failures.pop()
            return {"log": ["b"]}

        app = graph(InMemorySaver(), nodes={"a": adds("a"), "b": flaky})
        with pytest.raises(ValueError, match="once"):
            app.invoke({"log": ["in"]}, thread(), durability=durability)
        assert app.get_state(thread()).values["log"] == ["in", "a1"]
        assert app.invoke(None, thread(), durability=durability)["log"] == ["in", "a1", "b"]
        assert app.get_state(thread()).values["log"] == ["in", "a1", "b"]

    def test_a_cached_node_writes_what_it_wrote(self) -> None:
        from langgraph_rust.cache.memory import InMemoryCache

        saver = InMemorySaver()
        builder = StateGraph(schema(DeltaChannel(fold)))
        builder.add_node("a", lambda state: {"log": ["a"]}, cache_policy=CachePolicy())
        builder.add_edge(START, "a")
        app = builder.compile(checkpointer=saver, cache=InMemoryCache())
        for name in ("1", "2"):
            app.invoke({"log": ["in"]}, thread(name))
            assert app.get_state(thread(name)).values["log"] == ["in", "a"]

    def test_messages_keep_the_ids_they_were_given(self) -> None:
        answers = {"a": lambda state: {"log": [{"role": "ai", "content": "hello"}]}}
        app = graph(InMemorySaver(), kind=DeltaChannel(_messages_delta_reducer), nodes=answers)
        given = HumanMessage("hi")
        result = app.invoke({"log": given}, thread())
        assert isinstance(result["log"][1], AIMessage)
        read = [app.get_state(thread()).values["log"] for _ in range(2)]
        ids = [[message.id for message in messages] for messages in (result["log"], *read)]
        assert ids[0] == ids[1] == ids[2] and all(ids[0]) and given.id == ids[0][0]
        app.update_state(thread(), {"log": RemoveMessage(id=ids[0][0])}, as_node="a")
        assert [m.content for m in app.get_state(thread()).values["log"]] == ["hello"]


ids = st.sampled_from([None, "1", "2", "3"])
messages = st.builds(
    lambda kind, content, id: kind(content, id=id),
    st.sampled_from([AIMessage, AIMessageChunk, HumanMessage]),
    st.sampled_from("ab"),
    ids,
)
removals = st.sampled_from(["1", "2", REMOVE_ALL_MESSAGES]).map(lambda id: RemoveMessage(id=id))
others = st.one_of(removals, st.just("text"), st.just(("ai", "text")))
forms = st.one_of(messages, messages, messages, others)
writes = st.lists(st.one_of(forms, st.lists(messages, max_size=3), st.lists(forms, max_size=3)))


@given(st.lists(messages), writes)
def test_messages_are_folded_natively_as_in_python(state: list[Any], writes: list[Any]) -> None:
    channel = DeltaChannel(_messages_delta_reducer, list).from_checkpoint(list(state))
    channel.update(writes)
    expected = _messages_delta_reducer(state, writes) if writes else state
    assert channel.get() == expected
    old = {id(message) for message in state}
    assert [id(m) in old for m in channel.get()] == [id(m) in old for m in expected]


def test_a_graph_without_delta_channels_asks_savers_nothing_new() -> None:
    class Strict(InMemorySaver):
        def get_delta_channel_history(self, **_: Any) -> Any:
            raise AssertionError("not asked")

    app = graph(Strict(), kind=operator.add)
    app.invoke({"log": ["in"]}, thread())
    assert app.get_state(thread()).values["log"] == ["in", "a1", "b2"]

    @entrypoint(checkpointer=Strict())
    def flow(number: int) -> int:
        return number + 1

    assert flow.invoke(1, thread()) == 2
