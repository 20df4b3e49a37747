"""What nodes and inputs write to nobody is named: the node, what there is, the way out."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from _driver_graphs import State, chain, fan_out, thread
from _mistakes import Caught, run
from langchain_core.callbacks import BaseCallbackHandler
from typing_extensions import TypedDict

from langgraph_rust.channels import EphemeralValue
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.graph import END, START, MessagesState, StateGraph
from langgraph_rust.managed import RemainingSteps
from langgraph_rust.pregel import NodeBuilder, Pregel
from langgraph_rust.types import Command, Send


def by_hand() -> Pregel:
    """A graph with two channels for its input."""
    add = NodeBuilder().subscribe_to("first", "second").do(lambda given: sum(given.values()))
    return Pregel(
        nodes={"add": add.write_to("sum")},
        channels={name: EphemeralValue(int) for name in ("first", "second", "sum")},
        input_channels=["first", "second"],
        output_channels="sum",
    )


BOTH = pytest.mark.parametrize("is_async", [False, True])


def node(result: Any) -> Callable[[State], Any]:
    return lambda _: result


def routed(answer: Any, path_map: Any = None) -> Any:
    builder = StateGraph(State)
    builder.add_node("review", node({"value": 1}))
    builder.add_node("publish", node({"value": 2}))
    builder.add_edge(START, "review")
    builder.add_conditional_edges("review", lambda _: answer, path_map)
    return builder.compile()


@BOTH
class TestNodesThatAreNone:
    @pytest.mark.parametrize("goto", ["n2", ["n2"], ["n2", END]])
    def test_goto(self, is_async: bool, goto: Any) -> None:
        with Caught() as caught:
            given = run(
                chain([node(Command(goto=goto, update={"value": 1}))]), {}, is_async=is_async
            )
        assert given["value"] == 1
        assert caught == [
            "Node 'n0' goes to 'n2', which is no node of the graph: nothing runs there. "
            "The nodes are 'n0'; to stop, go to END"
        ]

    @pytest.mark.parametrize("answer", ["publsh", ["publsh", "publish"]])
    def test_a_router(self, is_async: bool, answer: Any) -> None:
        with Caught() as caught:
            run(routed(answer), {}, is_async=is_async)
        assert caught == [
            "Node 'review' goes to 'publsh', which is no node of the graph: nothing runs there. "
            "Did you mean 'publish'? The nodes are 'review', 'publish'; to stop, go to END"
        ]

    def test_a_packet(self, is_async: bool) -> None:
        with Caught() as caught:
            run(routed([Send("zzz", {})]), {}, is_async=is_async)
        assert caught == [
            "Node 'review' sends a packet to 'zzz', which is no node of the graph: it is lost. "
            "The nodes are 'review', 'publish'"
        ]

    def test_a_router_at_the_start(self, is_async: bool) -> None:
        builder = StateGraph(State)
        builder.add_node("a", node({"value": 1}))
        builder.add_conditional_edges(START, lambda _: "b")
        with Caught() as caught:
            run(builder.compile(), {"value": 0}, is_async=is_async)
        assert caught == [
            "A conditional edge from START goes to 'b', which is no node of the graph: nothing "
            "runs there. The nodes are 'a'; to stop, go to END"
        ]

    def test_what_is_neither_a_name_nor_a_packet(self, is_async: bool) -> None:
        with Caught() as caught:
            run(chain([node(Command(goto=[5]))]), {}, is_async=is_async)
        assert caught == [
            "Node 'n0' goes to 5, which is neither the name of a node nor a Send: nothing "
            "runs there"
        ]

    def test_the_end_and_nodes_that_exist_are_none(self, is_async: bool) -> None:
        with Caught() as caught:
            run(chain([node(Command(goto=END))]), {}, is_async=is_async)
            run(routed("publish"), {}, is_async=is_async)
            run(routed("yes", {"yes": "publish"}), {}, is_async=is_async)
        assert caught == []

    @pytest.mark.parametrize(
        ("command", "message"),
        [
            (
                Command(goto="n9"),
                "goes to 'n9', which is no node of the graph: nothing runs there. "
                "The nodes are 'n0'; to stop, go to END",
            ),
            (
                Command(goto=Send("n9", {})),
                "sends a packet to 'n9', which is no node of the graph: it is lost. "
                "The nodes are 'n0'",
            ),
            (
                Command(update={"vlaue": 1}),
                "writes to 'vlaue', which is no channel of the graph: it is lost. "
                "Did you mean 'value'? The channels are 'value', 'log'",
            ),
        ],
    )
    def test_a_command_as_input(self, is_async: bool, command: Any, message: str) -> None:
        graph = chain([node({"value": 1})], checkpointer=InMemorySaver())
        run(graph, {}, thread(), is_async=is_async)
        with Caught() as caught:
            run(graph, command, thread(), is_async=is_async)
        assert caught == [f"The Command given as input {message}"]

    def test_the_command_of_a_subgraph(self, is_async: bool) -> None:
        inner = chain([node(Command(goto="nope", graph=Command.PARENT))])
        with Caught() as caught:
            run(chain([inner]), {}, is_async=is_async)
        assert caught == [
            "Node 'n0' goes to 'nope', which is no node of the graph: nothing runs there. "
            "The nodes are 'n0'; to stop, go to END"
        ]


@BOTH
class TestUpdatesThatAreNone:
    @pytest.mark.parametrize("update", [5, "value", [1, 2]])
    def test_of_a_node(self, is_async: bool, update: Any) -> None:
        with Caught() as caught:
            run(chain([node(Command(update=update))]), {}, is_async=is_async)
        assert caught == [
            f"The update of node 'n0' is {update!r}, no dict, and the state has keys: nothing is "
            "updated. The keys are 'value', 'log'"
        ]

    def test_of_a_command_as_input(self, is_async: bool) -> None:
        with Caught() as caught:
            graph = chain([node({"value": 1})], checkpointer=InMemorySaver())
            run(graph, Command(update=5), thread(), is_async=is_async)
        assert caught == [
            "The update of the Command given as input is no dict, and the state has keys: nothing "
            "is updated. The keys are 'value', 'log'"
        ]


class Listens(BaseCallbackHandler):
    """Has nodes be run as those who listen need them."""


@BOTH
@pytest.mark.parametrize("listens", [False, True])
class TestKeysOfResults:
    def caught(self, function: Any, is_async: bool, listens: bool, **keys: Any) -> list[str]:
        config: Any = {"callbacks": [Listens()]} if listens else None
        with Caught() as caught:
            run(chain([function]), {"value": 0, **keys}, config, is_async=is_async)
        return caught

    @pytest.mark.parametrize("command", [False, True])
    def test_that_a_node_spells(self, is_async: bool, listens: bool, command: bool) -> None:
        def misspells(_: State) -> Any:
            result = {"vlaue": 1, "log": []}
            return Command(update=result) if command else result

        assert self.caught(misspells, is_async, listens) == [
            "Node 'n0' returns 'vlaue', which is no key of the graph's state: its value is lost. "
            "Did you mean 'value'? The keys of the state are 'value', 'log'"
        ]

    def test_of_which_none_is_the_states(self, is_async: bool, listens: bool) -> None:
        other = {"".join(("ot", "her")): 1}
        assert self.caught(lambda _: other, is_async, listens) == [
            "Node 'n0' returns 'other', which is no key of the graph's state: its value is lost. "
            "The keys of the state are 'value', 'log'"
        ]

    def test_may_be_what_another_graph_returned(self, is_async: bool, listens: bool) -> None:
        class Wide(State):
            more: int

        inner = StateGraph(Wide)
        inner.add_node("a", lambda _: {"more": 1, "value": 2})
        inner.add_edge(START, "a")
        graph = inner.compile()
        assert self.caught(graph, is_async, listens) == []
        if is_async:

            async def acalls(state: State) -> Any:
                return await graph.ainvoke(state)

            assert self.caught(acalls, is_async, listens) == []
        else:
            assert self.caught(lambda state: graph.invoke(state), is_async, listens) == []

    def test_that_are_let_go_beside_others_are_named_where_they_are_alone(
        self, is_async: bool, listens: bool
    ) -> None:
        results = [{"".join(("mo", "re")): 1, "value": 2}, {"".join(("mo", "re")): 1}]
        graph, caught = chain([lambda _: results[0]]), Caught()
        config: Any = {"callbacks": [Listens()]} if listens else None
        with caught:
            run(graph, {}, config, is_async=is_async)
            run(graph, {}, config, is_async=is_async)
            results.reverse()
            run(graph, {}, config, is_async=is_async)
        assert [text[:25] for text in caught] == ["Node 'n0' returns 'more',"]

    def test_are_looked_for_in_whatever_is_called(self, is_async: bool, listens: bool) -> None:
        def misspells(_: State, more: int = 0) -> Any:
            return {"vlaue": more, "log": []}

        class Node:
            def __call__(self, state: State) -> Any:
                return misspells(state) if state is None else {"vlaue": 1, "log": []}

        for function in (partial(misspells, more=1), Node()):
            assert len(self.caught(function, is_async, listens)) == 1


@BOTH
class TestKeysOfInputs:
    def test_of_which_none_is_the_states(self, is_async: bool) -> None:
        with Caught() as caught:
            run(chain([node({"value": 1})]), {"other": 0}, is_async=is_async)
        assert caught == [
            "The input has 'other', which is no key of the graph's input: its value is lost. "
            "The keys of the input are 'value', 'log'"
        ]

    def test_that_are_like_one_that_is_not_given(self, is_async: bool) -> None:
        with Caught() as caught:
            run(chain([node({"value": 1})]), {"vlaue": 0, "log": []}, is_async=is_async)
        assert caught == [
            "The input has 'vlaue', which is no key of the graph's input: its value is lost. "
            "Did you mean 'value'? The keys of the input are 'value', 'log'"
        ]

    def test_of_graphs_that_are_made_by_hand(self, is_async: bool) -> None:
        graph = by_hand()
        with Caught() as caught:
            assert run(graph, {"first": 1, "frist": 2, "second": 3}, is_async=is_async) == 4
        assert caught == [
            "The input has 'frist', which is no input channel of the graph: its value is lost. "
            "Did you mean 'first'? The input channels are 'first', 'second'"
        ]

    def test_may_be_more_than_is_wanted(self, is_async: bool) -> None:
        with Caught() as caught:
            graph = chain([node({"value": 1})])
            run(graph, {"value": 0, "values": 1, "user": "me"}, is_async=is_async)
            run(graph, {}, is_async=is_async)
        assert caught == []

    def test_of_graphs_within_graphs_are_those_of_the_graph_around(self, is_async: bool) -> None:
        inner = StateGraph(MessagesState)
        inner.add_node("a", lambda _: {"messages": []})
        inner.add_edge(START, "a")
        graph = inner.compile()
        with Caught() as caught:
            run(chain([graph]), {"value": 1}, is_async=is_async)
        assert caught == []


@BOTH
def test_a_value_that_the_run_computes_may_be_returned_with_the_others(is_async: bool) -> None:
    class Limited(State):
        left: RemainingSteps

    builder = StateGraph(Limited)
    builder.add_node("a", lambda state: {**state, "value": 1})
    builder.add_edge(START, "a")
    with Caught() as caught:
        run(builder.compile(), {"value": 0}, is_async=is_async)
    assert caught == []


class TestUpdatesOfTheState:
    def test_keys_that_are_none(self) -> None:
        graph = chain([node({"value": 1})], checkpointer=InMemorySaver())
        with Caught() as caught:
            graph.update_state(thread(), {"value": 1, "loog": []}, as_node="n0")
        assert caught == [
            "The update of the state as node 'n0' has 'loog', which is no key of the state: its "
            "value is lost. Did you mean 'log'? The keys are 'value', 'log'"
        ]


class TestPlaces:
    """A warning shows the line at fault: the node's function, or where the graph is run."""

    def test_a_nodes_function(self) -> None:
        def strays(_: State) -> Any:
            return Command(goto="nowhere")

        with Caught() as caught:
            chain([strays]).invoke({})
        assert caught.places == [(__file__, inspect.getsourcelines(strays)[1])]

    def test_a_nodes_function_on_a_thread_of_its_own(self) -> None:
        def strays(_: State) -> Any:
            return Command(goto="nowhere")

        with Caught() as caught:
            fan_out([strays, node({"log": [1]})]).invoke({})
        assert caught.places == [(__file__, inspect.getsourcelines(strays)[1])]

    def test_where_the_graph_is_run(self) -> None:
        graph = chain([node({"value": 1})])
        with Caught() as caught:
            line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
            graph.invoke({"other": 0})
        assert caught.places == [(__file__, line)]

    async def test_where_a_stream_is_read(self) -> None:
        graph = chain([node({"value": 1})])
        with Caught() as caught:
            line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
            async with contextlib.aclosing(graph.astream({"other": 0})) as chunks:
                async for _ in chunks:
                    pass
        assert [place for place, _ in caught.places] == [__file__]
        assert line <= caught.places[0][1] <= line + 1


class Wide(TypedDict, total=False):
    """A state of more keys than a message lists."""

    k0: int
    k1: int
    k2: int
    k3: int
    k4: int
    k5: int
    k6: int
    k7: int
    k8: int
    k9: int
    k10: int
    k11: int
    k12: int


def test_a_message_lists_some_of_many_names() -> None:
    builder = StateGraph(Wide)
    builder.add_node("a", lambda _: {"k0": 1})
    builder.add_edge(START, "a")
    with Caught() as caught:
        builder.compile().invoke({"zzz": 1})  # type: ignore[typeddict-unknown-key]
    assert caught[0].endswith("'k11' and 1 more")
