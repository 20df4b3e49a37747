"""The `StateGraph` builder: what it takes in, what it refuses, what it compiles to."""

from __future__ import annotations

import logging
import operator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel
from typing_extensions import NotRequired, Required, TypedDict

from langgraph_rust.channels import (
    BinaryOperatorAggregate,
    DeltaChannel,
    EphemeralValue,
    LastValue,
    LastValueAfterFinish,
    NamedBarrierValue,
    NamedBarrierValueAfterFinish,
)
from langgraph_rust.constants import END, START
from langgraph_rust.graph._checks import check_node_name
from langgraph_rust.graph._schema import SchemaMapper, get_channel, get_channels
from langgraph_rust.graph.state import CompiledStateGraph, StateGraph
from langgraph_rust.managed import IsLastStep
from langgraph_rust.pregel._build.write import ChannelWrite
from langgraph_rust.types import Command, RetryPolicy
from langgraph_rust.warnings import LangGraphDeprecatedSinceV05, LangGraphDeprecatedSinceV10


class State(TypedDict):
    log: Annotated[list, operator.add]
    count: int


class Private(TypedDict):
    secret: str


class Model(BaseModel):
    count: int = 0


@dataclass
class Record:
    count: int = 0


def noop(state: State) -> dict[str, Any]:
    return {}


def chain(*names: str, **compile_args: Any) -> CompiledStateGraph:
    builder = StateGraph(State).add_sequence([(name, noop) for name in names])
    return builder.set_entry_point(names[0]).compile(**compile_args)


# --- schemas -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotation", "kind", "typ"),
    [
        (int, LastValue, int),
        (Required[int], LastValue, int),
        (NotRequired[Annotated[int, EphemeralValue]], EphemeralValue, int),
        (Annotated[str, "doc", EphemeralValue, "more"], EphemeralValue, str),
        (Annotated[list, "doc"], LastValue, Annotated[list, "doc"]),
        (Annotated[list, operator.add], BinaryOperatorAggregate, Annotated[list, operator.add]),
    ],
)
def test_annotation_chooses_the_channel(annotation: Any, kind: type, typ: Any) -> None:
    channel = get_channel("k", annotation)
    assert type(channel) is kind
    assert channel.key == "k"
    assert channel.typ == typ


def test_channel_instance_is_taken_as_it_is() -> None:
    own = EphemeralValue(int)
    assert get_channel("k", Annotated[int, own]) is own


@pytest.mark.parametrize("reducer", [lambda a: a, lambda a, b, c: a, lambda a, *, b: a])
def test_reducer_takes_two_arguments(reducer: Any) -> None:
    with pytest.raises(ValueError, match="Invalid reducer signature"):
        get_channel("k", Annotated[list, reducer])


def test_schema_without_fields_is_one_channel() -> None:
    channels, managed, hints = get_channels(Annotated[list, operator.add])
    assert (list(channels), managed, hints) == (["__root__"], {}, {})


def test_managed_values_are_no_channels() -> None:
    class WithManaged(TypedDict):
        last: IsLastStep
        count: int

    builder = StateGraph(WithManaged, input_schema=State, output_schema=State)
    assert list(builder.managed) == ["last"]
    assert set(builder.channels) == {"count", "log"}
    with pytest.raises(ValueError, match="Invalid managed channels detected in WithManaged: last"):
        StateGraph(State, input_schema=WithManaged)


def test_schemas_must_agree() -> None:
    class Other(TypedDict):
        log: Annotated[list, operator.or_]

    class Plain(TypedDict):
        log: list

    with pytest.raises(ValueError, match="Channel 'log' already exists with a different type"):
        StateGraph(State, output_schema=Other)
    plain = StateGraph(State, output_schema=Plain)
    assert isinstance(plain.channels["log"], BinaryOperatorAggregate)


def test_delta_channel_has_the_fields_type() -> None:
    class Delta(TypedDict):
        files: Annotated[dict, DeltaChannel(operator.or_, snapshot_frequency=7)]

    channel = StateGraph(Delta).channels["files"]
    assert isinstance(channel, DeltaChannel)
    assert (channel.typ, channel.snapshot_frequency, channel.key) == (dict, 7, "files")


def test_schema_that_is_no_type_warns() -> None:
    with pytest.warns(UserWarning, match="Invalid state_schema"):
        try:
            StateGraph(Literal)  # type: ignore[arg-type]
        except TypeError:
            pass


# --- nodes ---------------------------------------------------------------------------------------


def test_node_is_named_after_what_it_runs() -> None:
    class Callable_:
        def __call__(self, state: State) -> None: ...

        def method(self, state: State) -> None: ...

    builder = StateGraph(State).add_node(noop).add_node(Callable_()).add_node(Callable_().method)
    assert list(builder.nodes) == ["noop", "Callable_", "method"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("taken", "Node `taken` already present."),
        (START, "is reserved"),
        (END, "is reserved"),
        ("a|b", "reserved character"),
        ("a:b", "reserved character"),
    ],
)
def test_refused_node_names(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_node_name(name, ["taken"])


def test_annotations_of_a_node_are_used() -> None:
    def routes(state: Private) -> Command[Literal["a", "b"]]: ...

    def routes_or_not(state: Private) -> Command[Literal["a"]] | dict: ...

    def unresolvable(state: Missing) -> Command[Literal["a"]]: ...  # noqa: F821

    namespace = {"Private": Private, "Command": Command, "Literal": Literal}
    for function in (routes, routes_or_not):
        function.__annotations__ = {
            name: eval(text, globals(), namespace)
            for name, text in function.__annotations__.items()
        }
    builder = StateGraph(State)
    for function in (routes, routes_or_not, unresolvable):
        builder.add_node(function)
    found = {n: (s.input_schema.__name__, s.ends) for n, s in builder.nodes.items()}
    assert found == {
        "routes": ("Private", ("a", "b")),
        "routes_or_not": ("Private", ("a",)),
        "unresolvable": ("State", ()),
    }
    assert "secret" in builder.channels


def test_explicit_arguments_win_over_annotations() -> None:
    def routes(state: Private) -> Command[Literal["a"]]: ...

    builder = StateGraph(State)
    builder.add_node("n", routes, input_schema=State, destinations={"b": "label"})
    assert builder.nodes["n"].input_schema is State
    assert builder.nodes["n"].ends == {"b": "label"}


def test_error_handler_is_a_hidden_node_before_its_own() -> None:
    builder = StateGraph(State).add_node("n", noop, error_handler=noop).set_entry_point("n")
    assert list(builder.nodes) == ["__error_handler__n", "n"]
    compiled = builder.compile()
    assert compiled.nodes["n"].error_handler_node == "__error_handler__n"
    assert compiled.nodes["__error_handler__n"].is_error_handler


def test_defaults_reach_nodes_without_values_of_their_own() -> None:
    retry, own = RetryPolicy(max_attempts=9), RetryPolicy(max_attempts=2)
    builder = (
        StateGraph(State)
        .add_node("plain", noop)
        .add_node("own", noop, retry_policy=own, error_handler=noop)
        .set_node_defaults(retry_policy=retry, error_handler=noop)
        .set_entry_point("plain")
    )
    nodes = builder.compile().nodes
    assert nodes["plain"].retry_policy == (retry,)
    assert nodes["own"].retry_policy == (own,)
    assert nodes["plain"].error_handler_node == "__default_error_handler__"
    assert nodes["own"].error_handler_node == "__error_handler__own"
    assert nodes["__default_error_handler__"].error_handler_node is None
    assert "__default_error_handler__" not in builder.nodes
    assert builder.compile().nodes.keys() == nodes.keys()


def test_deprecated_names_still_work() -> None:
    with pytest.warns(LangGraphDeprecatedSinceV10, match="`config_schema` is deprecated"):
        assert StateGraph(State, config_schema=Private).context_schema is Private
    with pytest.warns(LangGraphDeprecatedSinceV05, match="`output` is deprecated"):
        assert StateGraph(State, output=Private).output_schema is Private
    policy = RetryPolicy()
    with pytest.warns(LangGraphDeprecatedSinceV05, match="`retry` is deprecated"):
        assert StateGraph(State).add_node(noop, retry=policy).nodes["noop"].retry_policy is policy


# --- edges ---------------------------------------------------------------------------------------


def test_refused_edges() -> None:
    builder = StateGraph(State).add_node("a", noop)
    with pytest.raises(ValueError, match="END cannot be a start node"):
        builder.add_edge(END, "a")
    with pytest.raises(ValueError, match="START cannot be an end node"):
        builder.add_edge("a", START)
    with pytest.raises(ValueError, match="Need to add_node `b` first"):
        builder.add_edge(["a", "b"], END)
    with pytest.raises(ValueError, match="Need to add_node `c` first"):
        builder.add_edge(["a"], "c")


def test_sequence_refuses_what_it_cannot_name() -> None:
    with pytest.raises(ValueError, match="at least one node"):
        StateGraph(State).add_sequence([])
    with pytest.raises(ValueError, match="Node names must be unique"):
        StateGraph(State).add_sequence([noop, noop])


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([], "must have an entrypoint"),
        ([(START, "a"), ("ghost", "a")], "starting at unknown node 'ghost'"),
        ([(START, "ghost")], "ending at unknown node `ghost`"),
    ],
)
def test_graph_that_leads_nowhere_does_not_compile(edges: list, message: str) -> None:
    builder = StateGraph(State).add_node("a", noop)
    for start, end in edges:
        builder.add_edge(start, end)
    with pytest.raises(ValueError, match=message):
        builder.compile()


def test_breakpoints_must_exist() -> None:
    for argument in ("interrupt_before", "interrupt_after"):
        with pytest.raises(ValueError, match="Interrupt node `ghost` not found"):
            chain("a", **{argument: ["ghost"]})
    chain("a", interrupt_before="*", interrupt_after="*")


def test_change_after_compile_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    builder = StateGraph(State).add_node("a", noop).set_entry_point("a")
    builder.compile()
    with caplog.at_level(logging.WARNING):
        builder.add_node("b", noop).add_edge("a", "b")
    assert [record.message.split(" to ")[0] for record in caplog.records] == [
        "Adding a node",
        "Adding an edge",
    ]


# --- what it compiles to -------------------------------------------------------------------------


def test_edges_become_trigger_channels() -> None:
    graph = chain("a", "b")
    assert graph.nodes["b"].triggers == ["branch:to:b"]
    assert isinstance(graph.channels["branch:to:b"], EphemeralValue)
    targets = [
        entry.channel
        for writer in graph.nodes["a"].writers
        for entry in writer.writes
        if hasattr(entry, "channel")
    ]
    assert targets == ["branch:to:b"]


def test_waiting_edge_becomes_a_barrier() -> None:
    builder = StateGraph(State).add_node("a", noop).add_node("b", noop).add_node("c", noop)
    builder.add_node("late", noop, defer=True)
    for start in ("a", "b"):
        builder.add_edge(START, start)
    graph = builder.add_edge(["a", "b"], "c").add_edge(["a", "c"], "late").compile()
    assert isinstance(graph.channels["join:a+b:c"], NamedBarrierValue)
    assert isinstance(graph.channels["join:a+c:late"], NamedBarrierValueAfterFinish)
    assert isinstance(graph.channels["branch:to:late"], LastValueAfterFinish)
    assert graph.nodes["c"].triggers == ["branch:to:c", "join:a+b:c"]


def test_nodes_of_a_schema_read_its_keys() -> None:
    builder = StateGraph(State, output_schema=Private).add_node("a", noop)
    builder.add_node("p", noop, input_schema=Private).set_entry_point("a")
    graph = builder.compile()
    assert graph.nodes["a"].channels == ["log", "count"]
    assert graph.nodes["p"].channels == ["secret"]
    assert graph.output_channels == ["secret"]
    assert set(graph.stream_channels) == {"log", "count", "secret"}


@pytest.mark.parametrize("schema", [Model, Record])
def test_classes_are_made_of_dicts(schema: type) -> None:
    graph = StateGraph(schema).add_node("a", noop, input_schema=schema).set_entry_point("a")
    mapper = graph.compile().nodes["a"].mapper
    assert isinstance(mapper, SchemaMapper)
    assert mapper({"count": 3}) == schema(count=3)
    assert chain("a").nodes["a"].mapper is None


def test_destinations_are_declared_writes() -> None:
    builder = StateGraph(State).add_node("a", noop, destinations={"b": "go", END: "stop"})
    graph = builder.add_node("b", noop).set_entry_point("a").compile()
    (writer,) = graph.nodes["a"].writers
    assert ChannelWrite.get_static_writes(writer) == [
        ("branch:to:b", None, "go"),
        (END, None, "stop"),
    ]


def test_json_schemas() -> None:
    builder = StateGraph(State, input_schema=Model, output_schema=Record).add_node("a", noop)
    graph = builder.set_entry_point("a").compile(name="Named")
    assert graph.get_input_jsonschema()["properties"]["count"]["default"] == 0
    assert graph.get_output_jsonschema()["title"] == "NamedOutput"


# --- old checkpoints -----------------------------------------------------------------------------


def test_old_channel_names_are_migrated() -> None:
    checkpoint = {
        "v": 2,
        "channel_values": {"start:a": "in", "a": "done", "count": 1},
        "channel_versions": {"start:a": 2, "branch:a:route:b": 3, "a": 4, "count": 4},
        "versions_seen": {"a": {"start:a": 2}, "b": {"a": 4}, "__interrupt__": {"a": 4}},
    }
    chain("a", "b")._migrate_checkpoint(checkpoint)
    assert checkpoint["channel_values"] == {
        "branch:to:a": "in",
        "branch:to:b": "done",
        "count": 1,
    }
    assert checkpoint["channel_versions"] == {"branch:to:a": 2, "branch:to:b": 4, "count": 4}
    assert checkpoint["versions_seen"] == {
        "a": {"branch:to:a": 2},
        "b": {"branch:to:b": 4},
        "__interrupt__": {"branch:to:b": 4},
    }


def test_new_checkpoints_are_left_alone() -> None:
    checkpoint = {
        "v": 4,
        "channel_values": {},
        "channel_versions": {"start:a": 1},
        "versions_seen": {},
    }
    chain("a")._migrate_checkpoint(checkpoint)
    assert checkpoint["channel_versions"] == {"start:a": 1}
