"""`Pregel`: putting a graph together, running it, what callers get."""

from __future__ import annotations

import asyncio
import copy
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from langgraph_rust.channels import EphemeralValue, LastValue, Topic
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.config import get_config, get_stream_writer
from langgraph_rust.errors import EmptyInputError, GraphDrained, GraphRecursionError
from langgraph_rust.graph import END, START, StateGraph
from langgraph_rust.pregel import NodeBuilder, Pregel
from langgraph_rust.pregel._state.savers import saver_traits
from langgraph_rust.runtime import RunControl, Runtime, get_runtime
from langgraph_rust.types import Command, GraphOutput, Interrupt, Send, interrupt
from langgraph_rust.warnings import LangGraphDeprecatedSinceV10


class State(TypedDict, total=False):
    x: int
    log: Annotated[list, operator.add]


def compile_chain(*nodes: tuple[str, Callable[..., Any]], **options: Any) -> Pregel:
    """A graph that runs nodes one after the other."""
    builder = StateGraph(State)
    before = START
    for name, function in nodes:
        builder.add_node(name, function)
        builder.add_edge(before, name)
        before = name
    return builder.compile(**options)


def add_one(state: State) -> dict[str, Any]:
    return {"x": state["x"] + 1, "log": [state["x"]]}


@pytest.fixture(params=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Calls a method of a graph, or its async twin; chunks come as a list."""

    async def collect(graph: Pregel, method: str, *args: Any, **kwargs: Any) -> Any:
        made = getattr(graph, f"a{method}")(*args, **kwargs)
        return [item async for item in made] if hasattr(made, "__aiter__") else await made

    def call(graph: Pregel, method: str, *args: Any, **kwargs: Any) -> Any:
        if request.param == "async":
            return asyncio.run(collect(graph, method, *args, **kwargs))
        made = getattr(graph, method)(*args, **kwargs)
        return list(made) if method == "stream" else made

    return call


# --- construction ---


def doubling() -> Pregel:
    node = NodeBuilder().subscribe_only("a").do(lambda x: x + x).write_to("b")
    return Pregel(
        nodes={"double": node},
        channels={"a": EphemeralValue(str), "b": LastValue(str)},
        input_channels=["a"],
        output_channels=["b"],
    )


def test_nodes_may_be_builders(run: Callable[..., Any]) -> None:
    assert run(doubling(), "invoke", {"a": "foo"}) == {"b": "foofoo"}


def test_the_tasks_channel_is_reserved() -> None:
    parts: dict[str, Any] = {
        "nodes": {"double": NodeBuilder().subscribe_only("a")},
        "input_channels": "a",
        "output_channels": "a",
    }
    with pytest.raises(ValueError, match="is reserved"):
        Pregel(channels={"a": LastValue(str), "__pregel_tasks": LastValue(str)}, **parts)
    graph = Pregel(channels={"a": LastValue(str), "__pregel_tasks": Topic(Send)}, **parts)
    assert isinstance(graph.channels["__pregel_tasks"], Topic)


def test_config_type_is_an_old_name_of_context_schema() -> None:
    with pytest.warns(LangGraphDeprecatedSinceV10, match="config_type"):
        graph = Pregel(
            nodes={"n": NodeBuilder().subscribe_only("a")},
            channels={"a": LastValue(str)},
            input_channels="a",
            output_channels="a",
            config_type=State,
        )
    assert graph.context_schema is State


def test_node_builder_refuses_to_mix_ways_to_subscribe() -> None:
    with pytest.raises(ValueError, match="single channels"):
        NodeBuilder().subscribe_to("a").subscribe_only("b")
    with pytest.raises(ValueError, match="single channel"):
        NodeBuilder().subscribe_only("a").subscribe_to("b")
    with pytest.raises(AssertionError):
        NodeBuilder().subscribe_only("a").read_from("b")


def test_node_builder_collects() -> None:
    builder = NodeBuilder().subscribe_to("a", "b").subscribe_to("c", read=False).read_from("d")
    node = builder.meta("tag", key=1).write_to("e", f=len, g=3).build()
    assert (node.channels, node.triggers) == (["a", "b", "d"], ["a", "b", "c"])
    assert (node.tags, node.metadata) == (["tag"], {"key": 1})
    entries = node.writers[0].writes
    assert [entry.channel for entry in entries] == ["e", "f", "g"]
    assert (entries[1].mapper, entries[2].value) == (len, 3)


def test_copies_differ_only_in_what_is_updated() -> None:
    graph = doubling()
    named = graph.copy({"name": "other"})
    assert (named.name, graph.name) == ("other", "LangGraph")
    assert named.invoke({"a": "x"}) == graph.invoke({"a": "x"})
    tagged = graph.with_config(tags=["t"]).with_config({"configurable": {"k": 1}})
    assert tagged.config == {"tags": ["t"], "configurable": {"k": 1}}
    assert graph.config is None


def test_a_graph_that_ran_can_be_copied_with_the_copy_module() -> None:
    graph = doubling()
    graph.invoke({"a": "x"})
    assert copy.copy(graph).invoke({"a": "y"}) == {"b": "yy"}


def test_changed_nodes_take_effect() -> None:
    graph = doubling()
    assert graph.invoke({"a": "x"}) == {"b": "xx"}
    graph.nodes = {"same": NodeBuilder().subscribe_only("a").write_to("b").build()}
    assert graph.invoke({"a": "x"}) == {"b": "x"}
    graph.nodes["same"] = NodeBuilder().subscribe_only("a").do(len).write_to("b").build()
    assert graph.validate().invoke({"a": "x"}) == {"b": 1}


def test_schemas() -> None:
    graph = doubling()
    assert graph.InputType is None
    assert graph.get_input_jsonschema()["properties"]["a"]["type"] == "string"
    assert graph.get_output_jsonschema()["properties"]["b"]["type"] == "string"
    single = graph.copy({"input_channels": "a", "output_channels": "b"})
    assert (single.InputType, single.OutputType) == (str, str)
    assert single.get_output_jsonschema() == {"title": "LangGraphOutput", "type": "string"}
    assert graph.stream_channels_list == ["a", "b", "__pregel_tasks"]


def test_context_schema_as_json() -> None:
    @dataclass
    class Context:
        user: str

    graph = doubling()
    assert graph.get_context_jsonschema() is None
    schema = graph.copy({"context_schema": Context}).get_context_jsonschema()
    assert schema is not None
    assert schema["required"] == ["user"]
    with pytest.raises(ValueError, match="Invalid context schema"):
        graph.copy({"context_schema": int}).get_context_jsonschema()
    with pytest.warns(LangGraphDeprecatedSinceV10):
        assert graph.get_config_jsonschema(include=["tags"])["properties"].keys() == {"tags"}


def test_subgraphs_are_listed_by_whole_segments() -> None:
    inner = compile_chain(("leaf", add_one))
    middle = compile_chain(("inner", inner))
    outer = compile_chain(("middle", middle), ("mid", add_one))
    assert [name for name, _ in outer.get_subgraphs()] == ["middle"]
    assert dict(outer.get_subgraphs(recurse=True)) == {"middle": middle, "middle|inner": inner}
    assert dict(outer.get_subgraphs(namespace="middle|inner", recurse=True)) == {
        "middle|inner": inner
    }
    assert dict(outer.get_subgraphs(namespace="mid", recurse=True)) == {}
    assert dict(outer.get_subgraphs(namespace="middle|inner")) == {}


def test_drawings_open_as_many_levels_as_asked() -> None:
    inner = compile_chain(("leaf", add_one))
    outer = compile_chain(("middle", compile_chain(("inner", inner))))
    assert set(outer.get_graph().nodes) == {START, "middle", END}
    assert set(outer.get_graph(xray=1).nodes) >= {"middle:inner"}
    assert set(outer.get_graph(xray=True).nodes) >= {"middle:inner:leaf"}
    drawn = asyncio.run(outer.aget_graph(xray=True))
    assert set(drawn.nodes) == set(outer.get_graph(xray=True).nodes)


# --- running ---


def test_invoke_returns_the_output(run: Callable[..., Any]) -> None:
    graph = compile_chain(("a", add_one), ("b", add_one))
    assert run(graph, "invoke", {"x": 1}) == {"x": 3, "log": [1, 2]}
    assert run(graph, "invoke", {"x": 1}, output_keys="x") == 3
    assert run(graph, "invoke", {"x": 1}, output_keys=["log"]) == {"log": [1, 2]}


def test_invoke_in_other_modes_returns_chunks(run: Callable[..., Any]) -> None:
    graph = compile_chain(("a", add_one))
    update = {"a": {"x": 2, "log": [1]}}
    assert run(graph, "invoke", {"x": 1}, stream_mode="updates") == [update]
    assert run(graph, "invoke", {"x": 1}, stream_mode=["updates"]) == [("updates", update)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [{"a": {"x": 2}}]),
        ({"stream_mode": "values"}, [{"x": 1, "log": []}, {"x": 2, "log": []}]),
        ({"stream_mode": ["updates"]}, [("updates", {"a": {"x": 2}})]),
        ({"subgraphs": True}, [((), {"a": {"x": 2}})]),
        (
            {"stream_mode": ["updates"], "subgraphs": True},
            [((), "updates", {"a": {"x": 2}})],
        ),
        ({"version": "v2"}, [{"type": "updates", "ns": (), "data": {"a": {"x": 2}}}]),
        (
            {"stream_mode": "values", "version": "v2", "output_keys": ["x"]},
            [
                {"type": "values", "ns": (), "data": {"x": 1}, "interrupts": ()},
                {"type": "values", "ns": (), "data": {"x": 2}, "interrupts": ()},
            ],
        ),
    ],
)
def test_chunks_have_the_shape_asked_for(
    run: Callable[..., Any], options: dict[str, Any], expected: list[Any]
) -> None:
    graph = compile_chain(("a", lambda state: {"x": state["x"] + 1}))
    assert run(graph, "stream", {"x": 1}, **options) == expected


def test_version_2_makes_objects_of_the_schema(run: Callable[..., Any]) -> None:
    class Model(BaseModel):
        x: int

    builder = StateGraph(Model)
    builder.add_node("a", lambda state: {"x": state.x + 1})
    builder.add_edge(START, "a")
    graph = builder.compile()
    assert run(graph, "invoke", {"x": 1}, version="v2") == GraphOutput(Model(x=2))
    last = run(graph, "stream", {"x": 1}, stream_mode="values", version="v2")[-1]
    assert last["data"] == Model(x=2)


def test_printing_leaves_the_result_alone(
    run: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    graph = compile_chain(("a", add_one))
    assert run(graph, "invoke", {"x": 1}, print_mode="updates") == {"x": 2, "log": [1]}
    assert "[updates]" in capsys.readouterr().out
    assert run(graph, "stream", {"x": 1}, stream_mode="updates", debug=True) == [
        {"a": {"x": 2, "log": [1]}}
    ]
    printed = capsys.readouterr().out
    assert printed.count("[values]") == 2
    assert printed.count("[updates]") == 1


def test_printed_events_of_subgraphs_name_their_graph(
    capsys: pytest.CaptureFixture[str],
) -> None:
    graph = compile_chain(("sub", compile_chain(("a", lambda state: {"x": 1}))))
    list(graph.stream({"x": 1}, print_mode="updates", stream_mode="values", subgraphs=True))
    assert "graph=('sub:" in capsys.readouterr().out


def test_custom_chunks_come_in_order(run: Callable[..., Any]) -> None:
    def speak(state: State) -> dict[str, Any]:
        write = get_stream_writer()
        write("one")
        write("two")
        return {"x": 2}

    graph = compile_chain(("a", speak))
    assert run(graph, "stream", {"x": 1}, stream_mode=["custom", "updates"]) == [
        ("custom", "one"),
        ("custom", "two"),
        ("updates", {"a": {"x": 2}}),
    ]
    assert run(graph, "invoke", {"x": 1}) == {"x": 2, "log": []}


def test_custom_chunks_of_a_streamed_child_reach_only_its_caller() -> None:
    received = []
    child = compile_chain(("leaf", lambda state: get_stream_writer()("hello")))

    def node(state: State) -> None:
        received.extend(child.stream({"x": 1}, stream_mode="custom"))

    graph = compile_chain(("a", node))
    assert list(graph.stream({"x": 1}, stream_mode="custom", subgraphs=True)) == []
    assert received == ["hello"]


@pytest.mark.parametrize("saver", [None, InMemorySaver()])
def test_custom_chunks_of_subgraphs_are_shown_if_subgraphs_are(
    run: Callable[..., Any], saver: InMemorySaver | None
) -> None:
    def node(state: State) -> dict[str, Any]:
        get_stream_writer()(state["x"])
        return {"x": state["x"] + 1}

    inner = compile_chain(("in", node))
    graph = compile_chain(("own", node), ("sub", inner), checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    options = {"config": config, "stream_mode": "custom"}
    assert run(graph, "stream", {"x": 1}, **options) == [1]
    shown = run(graph, "stream", {"x": 1}, **options, subgraphs=True)
    assert [(len(namespace), chunk) for namespace, chunk in shown] == [(0, 1), (1, 2)]


@pytest.mark.filterwarnings("ignore::langgraph_rust.warnings.LangGraphMistakeWarning")
@pytest.mark.parametrize("modes", [[1], [None], b"values", [1, "no mode"]])
def test_what_is_no_mode_shows_nothing(run: Callable[..., Any], modes: Any) -> None:
    graph = compile_chain(("a", add_one))
    assert run(graph, "stream", {"x": 1}, stream_mode=modes) == []
    expected = [("updates", {"a": {"x": 2, "log": [1]}})]
    assert run(graph, "stream", {"x": 1}, stream_mode=["updates", 1]) == expected


def test_methods_are_named_after_their_class() -> None:
    coroutine = compile_chain(("a", add_one)).ainvoke({"x": 1})
    assert coroutine.__qualname__ == "Pregel.ainvoke"
    coroutine.close()
    for name in ("invoke", "astream", "get_state", "aupdate_state"):
        method = getattr(Pregel, name)
        assert (method.__module__, method.__qualname__) == (Pregel.__module__, f"Pregel.{name}")


def test_closing_a_stream_stops_the_run() -> None:
    ran = []
    graph = compile_chain(
        ("a", lambda state: ran.append("a")), ("b", lambda state: ran.append("b"))
    )
    chunks = graph.stream({"x": 1}, stream_mode="updates")
    next(chunks)
    chunks.close()
    assert ran == ["a"]


async def test_closing_an_async_stream_stops_the_run() -> None:
    ran = []

    async def first(state: State) -> None:
        ran.append("a")

    async def second(state: State) -> None:
        ran.append("b")

    chunks = compile_chain(("a", first), ("b", second)).astream({"x": 1}, stream_mode="updates")
    await chunks.__anext__()
    await chunks.aclose()
    assert ran == ["a"]


def test_errors_of_nodes_pass_through(run: Callable[..., Any]) -> None:
    def fail(state: State) -> None:
        raise KeyError("mine")

    graph = compile_chain(("a", fail))
    with pytest.raises(KeyError, match="mine"):
        run(graph, "invoke", {"x": 1})
    with pytest.raises(KeyError, match="mine"):
        run(graph, "stream", {"x": 1})


def test_limits(run: Callable[..., Any]) -> None:
    graph = compile_chain(("a", add_one), ("b", add_one))
    with pytest.raises(GraphRecursionError, match="Recursion limit of 1 "):
        run(graph, "invoke", {"x": 1}, {"recursion_limit": 1})
    with pytest.raises(ValueError, match="recursion_limit must be at least 1"):
        run(graph, "invoke", {"x": 1}, {"recursion_limit": 0})
    with pytest.raises(ValueError, match="Key nope not in channels"):
        run(graph, "invoke", {"x": 1}, output_keys=["nope"])
    with pytest.raises(EmptyInputError):
        run(graph, "invoke", None)


def test_control_stops_a_run_between_steps(run: Callable[..., Any]) -> None:
    control = RunControl()

    def ask(state: State) -> None:
        get_runtime().control.request_drain("enough")

    graph = compile_chain(("a", ask), ("b", add_one))
    with pytest.raises(GraphDrained, match="enough"):
        run(graph, "invoke", {"x": 1}, control=control)
    assert control.drain_requested


# --- config, runtime, context ---


def test_the_config_of_graph_and_call_reaches_nodes(run: Callable[..., Any]) -> None:
    seen: list[Any] = []
    graph = compile_chain(("a", lambda state: seen.append(get_config())))
    graph = graph.with_config({"tags": ["own"], "metadata": {"m": 1}})
    run(graph, "invoke", {"x": 1}, {"tags": ["call"], "configurable": {"key": "value"}})
    (config,) = seen
    assert config["tags"] == ["own", "call"]
    assert config["metadata"]["m"] == 1
    assert config["configurable"]["key"] == "value"


def test_callers_keep_their_config(run: Callable[..., Any]) -> None:
    graph = compile_chain(("a", add_one), checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": 1}, "metadata": {"m": 1}}
    before = copy.deepcopy(config)
    run(graph, "invoke", {"x": 1}, config)
    assert config == before


def test_a_context_dict_becomes_the_schema(run: Callable[..., Any]) -> None:
    @dataclass
    class Context:
        user: str

    seen: list[Any] = []
    builder = StateGraph(State, context_schema=Context)
    builder.add_node("a", lambda state, runtime: seen.append(runtime.context))
    builder.nodes["a"].runnable.func_accepts = {"runtime": ("N/A", None)}
    builder.add_edge(START, "a")
    graph = builder.compile()
    run(graph, "invoke", {"x": 1}, context={"user": "u"})
    run(graph, "invoke", {"x": 1}, context=Context("v"))
    assert seen == [Context("u"), Context("v")]


def test_nested_runs_inherit_context_and_store() -> None:
    seen: list[Runtime[Any]] = []
    child = compile_chain(("leaf", lambda state: seen.append(get_runtime())))
    store = object()
    graph = compile_chain(("a", lambda state: child.invoke({"x": 1}) and None), store=store)
    graph.invoke({"x": 1}, context="context")
    (runtime,) = seen
    assert (runtime.context, runtime.store) == ("context", store)


def test_a_server_may_put_an_object_of_its_own_into_the_config() -> None:
    class Theirs:
        context = "theirs"
        store = "store"

    seen: list[Runtime[Any]] = []
    graph = compile_chain(("a", lambda state: seen.append(get_runtime())))
    conf = {"__pregel_runtime": Theirs(), "assistant_id": 7, "graph_id": "g"}
    graph.invoke({"x": 1}, {"configurable": conf})
    (runtime,) = seen
    assert (runtime.context, runtime.store) == ("theirs", "store")
    assert runtime.server_info is not None
    assert (runtime.server_info.assistant_id, runtime.server_info.graph_id) == ("7", "g")
    assert runtime.server_info.user is None


def test_durability_needs_a_saver(run: Callable[..., Any]) -> None:
    graph = compile_chain(("a", add_one))
    with pytest.warns(UserWarning, match="`durability` has no effect"):
        run(graph, "invoke", {"x": 1}, durability="sync")
    with pytest.warns(LangGraphDeprecatedSinceV10, match="checkpoint_during"):
        with pytest.raises(ValueError, match="Cannot use both"):
            run(graph, "invoke", {"x": 1}, durability="sync", checkpoint_during=True)


def test_a_saver_needs_a_thread(run: Callable[..., Any]) -> None:
    graph = compile_chain(("a", add_one), checkpointer=InMemorySaver())
    with pytest.raises(ValueError, match="Checkpointer requires one or more"):
        run(graph, "invoke", {"x": 1})
    root = compile_chain(("a", add_one), checkpointer=True)
    with pytest.raises(RuntimeError, match="cannot be used for root graphs"):
        run(root, "invoke", {"x": 1})


def test_what_is_known_about_savers() -> None:
    class Old(InMemorySaver):
        def put_writes(self, config: Any, writes: Any, task_id: str) -> None: ...

        def get_next_version(self, current: Any, channel: None) -> Any: ...

    plain = saver_traits(InMemorySaver(), is_async=False)
    assert plain == (True, True, True, False, "text")
    old = saver_traits(Old(), is_async=False)
    assert (old.never_blocks, old.takes_path, old.joins) == (False, False, False)
    assert callable(old.versioning)
    replaced = InMemorySaver()
    replaced.aput = None  # type: ignore[method-assign]
    assert not saver_traits(replaced, is_async=True).never_blocks
    assert not saver_traits(replaced, is_async=True).joins


# --- interrupts ---


def asking(count: int = 1) -> Pregel:
    builder = StateGraph(State)
    for number in range(count):
        builder.add_node(f"ask{number}", lambda state, n=number: {"log": [interrupt(n)]})
        builder.add_edge(START, f"ask{number}")
    return builder.compile(checkpointer=InMemorySaver())


THREAD = {"configurable": {"thread_id": "1"}}


def test_questions_are_part_of_the_result(run: Callable[..., Any]) -> None:
    graph = asking()
    result = run(graph, "invoke", {"x": 1}, THREAD)
    (question,) = result.pop("__interrupt__")
    assert isinstance(question, Interrupt)
    assert (question.value, result) == (0, {"x": 1, "log": []})
    typed = run(graph, "invoke", None, THREAD, version="v2")
    assert typed == GraphOutput({"x": 1, "log": []}, interrupts=(question,))
    assert run(graph, "invoke", Command(resume="yes"), THREAD) == {"x": 1, "log": ["yes"]}


def test_an_answer_needs_a_saver_and_a_question(run: Callable[..., Any]) -> None:
    with pytest.raises(RuntimeError, match="without checkpointer"):
        run(compile_chain(("a", add_one)), "invoke", Command(resume=1))
    graph = asking(2)
    questions = run(graph, "invoke", {"x": 1}, THREAD)["__interrupt__"]
    with pytest.raises(RuntimeError, match="multiple pending interrupts"):
        run(graph, "invoke", Command(resume="yes"), THREAD)
    answers = {question.id: question.value * 10 for question in questions}
    assert run(graph, "invoke", Command(resume=answers), THREAD)["log"] == [0, 10]


def test_static_interrupts_of_the_call_replace_those_of_the_graph(
    run: Callable[..., Any],
) -> None:
    graph = compile_chain(
        ("a", add_one), ("b", add_one), checkpointer=InMemorySaver(), interrupt_before=["a"]
    )
    assert run(graph, "invoke", {"x": 1}, THREAD)["x"] == 1
    assert run(graph, "invoke", None, THREAD, interrupt_before=["b"])["x"] == 2
    assert run(graph, "invoke", None, THREAD)["x"] == 3


# --- as a Runnable ---


def test_a_graph_is_a_runnable() -> None:
    from langchain_core.runnables import Runnable, RunnableLambda

    graph = compile_chain(("a", add_one))
    assert isinstance(graph, Runnable)
    assert graph.batch([{"x": 1}, {"x": 2}]) == [{"x": 2, "log": [1]}, {"x": 3, "log": [2]}]
    assert (graph | RunnableLambda(lambda state: state["x"])).invoke({"x": 1}) == 2


async def test_events_are_those_of_langchain() -> None:
    graph = compile_chain(("a", add_one))
    names = [event["event"] async for event in graph.astream_events({"x": 1}, version="v2")]
    assert names[0] == "on_chain_start"
    assert names[-1] == "on_chain_end"


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
def test_events_of_version_3_are_read_from_a_handle() -> None:
    graph = compile_chain(("a", add_one))
    with graph.stream_events({"x": 1}, version="v3") as run:
        assert [state["x"] for state in run.values] == [1, 2]
    with pytest.raises(TypeError, match="not accept subgraphs"):
        graph.astream_events({"x": 1}, version="v3", subgraphs=True)


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
async def test_async_events_of_version_3_are_read_from_a_handle() -> None:
    graph = compile_chain(("a", add_one))
    run = await graph.astream_events({"x": 1}, version="v3")
    assert [state["x"] async for state in run.values] == [1, 2]


def test_the_cache_can_only_be_cleared_if_there_is_one() -> None:
    with pytest.raises(ValueError, match="No cache is set"):
        compile_chain(("a", add_one)).clear_cache()
