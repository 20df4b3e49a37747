"""Stream events v3: channels, the mux, transformers, and the handles of runs."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.constants import START
from langgraph_rust.graph import StateGraph
from langgraph_rust.stream import StreamChannel, StreamTransformer, UpdatesTransformer
from langgraph_rust.stream._convert import convert_to_protocol_event, make_event
from langgraph_rust.stream._mux import StreamMux
from langgraph_rust.stream._start import astart_v3, start_v3
from langgraph_rust.stream.run_stream import AsyncGraphRunStream, GraphRunStream
from langgraph_rust.stream.transformers import (
    LifecycleTransformer,
    SubgraphTransformer,
    ValuesTransformer,
)
from langgraph_rust.types import interrupt

pytestmark = pytest.mark.filterwarnings("ignore:The v3 streaming protocol")


def part(mode: str, data: Any, ns: tuple[str, ...] = (), **extra: Any) -> dict[str, Any]:
    return {"type": mode, "ns": ns, "data": data, **extra}


def channel(is_async: bool = False, name: str | None = None) -> StreamChannel[Any]:
    made: StreamChannel[Any] = StreamChannel(name)
    made._bind(is_async=is_async)
    return made


# --- Channels ------------------------------------------------------------------------------------


def test_a_channel_drops_what_nobody_reads() -> None:
    made = channel()
    made.push(1)
    reader = iter(made)
    made.push(2)
    made.close()
    assert list(reader) == [2]
    with pytest.raises(RuntimeError, match="closed StreamChannel"):
        made.push(3)


def test_a_channel_gives_its_error_last() -> None:
    made = channel()
    reader = iter(made)
    made.push(1)
    made.fail(ValueError("no"))
    assert next(reader) == 1
    with pytest.raises(ValueError, match="no"):
        next(reader)


def test_reading_makes_the_run_go_on() -> None:
    made = channel()
    left = [1, 2]

    def request_more() -> bool:
        if left:
            made.push(left.pop(0))
        return bool(left)

    made._request_more = request_more
    assert list(made) == [1, 2]


async def test_a_channel_is_read_in_one_way_by_one_reader() -> None:
    with pytest.raises(TypeError, match="has not been bound"):
        iter(StreamChannel())
    with pytest.raises(TypeError, match="bound to async mode"):
        iter(channel(is_async=True))
    with pytest.raises(TypeError, match="bound to sync mode"):
        aiter(channel())
    made = channel()
    iter(made)
    with pytest.raises(RuntimeError, match=r"use \.tee\(n\)"):
        iter(made)
    with pytest.raises(ValueError, match="positive int"):
        StreamChannel(maxlen=0)


async def test_several_readers_each_get_all() -> None:
    made = channel()
    first, second = made.tee()
    made.push(1)
    made.push(2)
    made.fail(ValueError("no"))
    assert [next(first), next(first), next(second)] == [1, 2, 1]
    with pytest.raises(ValueError, match="no"):
        next(first)
    assert next(second) == 2
    with pytest.raises(ValueError, match="no"):
        next(second)

    looped = channel(is_async=True)
    readers = looped.atee(3)
    looped.push(1)
    looped.close()
    for reader in readers:
        assert [item async for item in reader] == [1]


# --- The mux -------------------------------------------------------------------------------------


class Recorder(StreamTransformer):
    """Records what it is called with; `drops` names the method it keeps from the log."""

    drops = ""
    key = "recorded"

    def __init__(self, scope: tuple[str, ...] = ()) -> None:
        super().__init__(scope)
        self.calls: list[Any] = []
        self.channel: StreamChannel[Any] = StreamChannel("found")

    def init(self) -> dict[str, Any]:
        return {self.key: self.channel}

    def process(self, event: Any) -> bool:
        self.calls.append(event["method"])
        if event["method"] == "custom":
            self.channel.push(event["params"]["data"])
        return event["method"] != self.drops

    def finalize(self) -> None:
        self.calls.append("finalize")

    def fail(self, err: BaseException) -> None:
        self.calls.append(err)


class Dropper(Recorder):
    drops = "updates"
    key = "dropped"
    before_builtins = True


def test_events_pass_all_transformers_and_enter_the_log_in_order() -> None:
    mux = StreamMux(factories=[Recorder, Dropper])
    dropper, recorder = mux._transformers
    assert (type(dropper), type(recorder)) == (Dropper, Recorder)
    log = iter(mux._events)
    for method in ("custom", "updates", "values"):
        mux.push(make_event(method, [], 1))
    mux.close()
    assert recorder.calls == dropper.calls == ["custom", "updates", "values", "finalize"]
    # What a transformer pushes comes before the event that made it do so.
    found = [(event["seq"], event["method"]) for event in log]
    assert found == [(1, "custom:found"), (2, "custom:found"), (3, "custom"), (4, "values")]


def test_a_failing_transformer_does_not_keep_others_from_ending() -> None:
    class Failing(Recorder):
        key = "failing"

        def finalize(self) -> None:
            raise KeyError

        fail = finalize  # type: ignore[assignment]

    mux = StreamMux(factories=[Failing, Recorder])
    with pytest.raises(KeyError):
        mux.close()
    assert mux._transformers[1].calls == ["finalize"]  # type: ignore[attr-defined]
    assert all(channel._closed for channel in (*mux._channels, mux._events))

    mux = StreamMux(factories=[Failing, Recorder])
    error = ValueError()
    mux.fail(error)
    assert mux._events._error is error


def test_refused_transformers() -> None:
    class NoDict(Recorder):
        def init(self) -> Any:
            return []

    class NeedsLoop(Recorder):
        async def aprocess(self, event: Any) -> bool:
            return True

    with pytest.raises(TypeError, match="must return a dict"):
        StreamMux(factories=[NoDict])
    with pytest.raises(RuntimeError, match="requires an async run"):
        StreamMux(factories=[NeedsLoop])
    with pytest.raises(ValueError, match=r"'recorded' \(owned by Recorder\)"):
        StreamMux(factories=[Recorder, Recorder])
    with pytest.raises(RuntimeError, match="`factories=`"):
        StreamMux([Recorder()])._make_child(("a",))


async def test_scheduled_work_is_waited_for_or_cancelled() -> None:
    done: list[str] = []

    class Scheduling(Recorder):
        requires_async = True

        async def _work(self) -> None:
            try:
                await asyncio.sleep(0)
                done.append("done")
            except asyncio.CancelledError:
                done.append("cancelled")
                raise

        def process(self, event: Any) -> bool:
            self.schedule(self._work())
            return True

    mux = StreamMux(factories=[Scheduling], is_async=True)
    await mux.apush(make_event("values", [], 1))
    await mux.aclose()
    assert done == ["done"]
    mux = StreamMux(factories=[Scheduling], is_async=True)
    await mux.apush(make_event("values", [], 1))
    await asyncio.sleep(0)
    error = ValueError()
    await mux.afail(error)
    assert done == ["done", "cancelled"]
    assert mux._events._error is error


def test_scheduling_needs_a_loop() -> None:
    async def work() -> None: ...

    with pytest.raises(RuntimeError, match="requires a running event loop"):
        Recorder().schedule(work())


# --- Transformers about subgraphs ----------------------------------------------------------------


def start(task_id: str, ns: tuple[str, ...] = (), **extra: Any) -> Any:
    data = {"id": task_id, "name": "n", "input": None, "triggers": (), **extra}
    return convert_to_protocol_event(part("tasks", data, ns))  # type: ignore[arg-type]


def end(task_id: str, ns: tuple[str, ...] = (), **extra: Any) -> Any:
    data = {"id": task_id, "name": "n", "error": None, "result": {}, "interrupts": [], **extra}
    return convert_to_protocol_event(part("tasks", data, ns))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ({}, ("completed", None)),
        ({"error": ValueError("no")}, ("failed", "no")),
        ({"error": "x", "interrupts": [{}]}, ("interrupted", None)),
    ],
)
def test_starts_and_ends_of_subgraphs(outcome: Any, expected: Any) -> None:
    mux = StreamMux(factories=[LifecycleTransformer, SubgraphTransformer])
    lifecycle, handles = iter(mux.extensions["lifecycle"]), iter(mux.extensions["subgraphs"])
    for event in (start("1"), start("2", ("sub:1",)), end("2", ("sub:1",)), end("1", **outcome)):
        mux.push(event)
    mux.close()
    status, error = expected
    assert list(lifecycle) == [
        {
            "event": "started",
            "namespace": ["sub:1"],
            "graph_name": "sub",
            "trigger_call_id": "1",
        },
        {"event": status, "namespace": ["sub:1"], **({"error": error} if error else {})},
    ]
    [handle] = handles
    assert (handle.path, handle.graph_name, handle.trigger_call_id) == (("sub:1",), "sub", "1")
    assert (handle.status, handle.error) == expected


def test_an_agents_start_has_its_name_and_the_tool_call_it_is_due_to() -> None:
    mux = StreamMux(factories=[LifecycleTransformer])
    lifecycle = iter(mux.extensions["lifecycle"])
    mux.push(start("1", input={"tool_call": {"id": "call"}}))
    mux.push(start("2", ("tools:1",), metadata={"lc_agent_name": "helper"}))
    payload = next(lifecycle)
    assert payload["graph_name"] == "helper"
    assert payload["cause"] == {"type": "toolCall", "tool_call_id": "call"}


def test_events_of_a_subgraph_are_on_its_handle() -> None:
    mux = StreamMux(factories=[ValuesTransformer, SubgraphTransformer])
    handles, values = iter(mux.extensions["subgraphs"]), iter(mux.extensions["values"])
    mux.push(start("2", ("sub:1",)))
    handle = next(handles)
    inner, deeper = iter(handle.values), iter(handle.subgraphs)
    mux.push(start("3", ("sub:1", "deep:2")))
    for ns in ((), ("sub:1",), ("sub:1", "deep:2")):
        mux.push(convert_to_protocol_event(part("values", len(ns), ns)))  # type: ignore[arg-type]
    mux.close()
    assert (list(values), list(inner)) == ([0], [1])
    assert handle.output == 1
    assert [h.path for h in deeper] == [("sub:1", "deep:2")]


# --- Runs ----------------------------------------------------------------------------------------


class State(TypedDict):
    items: Annotated[list[Any], operator.add]


def graph_of(*nodes: Any, **compile_args: Any) -> Any:
    builder = StateGraph(State)
    before = START
    for node in nodes:
        name = getattr(node, "__name__", "sub")
        builder.add_node(name, node)
        builder.add_edge(before, name)
        before = name
    return builder.compile(**compile_args)


def one(state: State) -> State:
    return {"items": ["one"]}


def two(state: State) -> State:
    return {"items": ["two"]}


def fails(state: State) -> State:
    raise ValueError("no")


def asks(state: State) -> State:
    return {"items": [interrupt("?")]}


EMPTY: Any = {"items": []}
STATES = [{"items": []}, {"items": ["one"]}, {"items": ["one", "two"]}]


def test_a_run_goes_on_while_it_is_read() -> None:
    ran: list[str] = []

    def node(state: State) -> State:
        ran.append("node")
        return {"items": []}

    run = start_v3(graph_of(node), EMPTY)
    assert ran == []
    states = iter(run.values)
    assert next(states) == EMPTY
    assert ran == []
    assert run.output == EMPTY
    assert ran == ["node"]


async def test_projections_of_a_run() -> None:
    graph = graph_of(one, two)
    assert list(start_v3(graph, EMPTY).values) == STATES
    run = await astart_v3(graph, EMPTY)
    assert [state async for state in run.values] == STATES
    assert await run.output() == STATES[-1]
    assert await run.interrupted() is False

    run = start_v3(graph, EMPTY, transformers=[UpdatesTransformer])
    assert list(run.updates) == [{"one": {"items": ["one"]}}, {"two": {"items": ["two"]}}]
    with pytest.raises(AttributeError, match="registered projections: lifecycle, messages, "):
        _ = run.custom


def test_the_log_of_a_run() -> None:
    events = list(start_v3(graph_of(one), EMPTY))
    assert [(event["method"], event["seq"]) for event in events] == [("values", 1), ("values", 2)]


async def test_the_error_of_a_run() -> None:
    graph = graph_of(one, fails)
    run = start_v3(graph, EMPTY)
    with pytest.raises(ValueError, match="no"):
        list(run.values)
    with pytest.raises(ValueError, match="no"):
        _ = run.output
    arun = await astart_v3(graph, EMPTY)
    with pytest.raises(ValueError, match="no"):
        await arun.output()


async def test_questions_of_a_run() -> None:
    graph = graph_of(one, asks, checkpointer=InMemorySaver())
    run = start_v3(graph, EMPTY, {"configurable": {"thread_id": "1"}})
    assert run.interrupted
    assert [question.value for question in run.interrupts] == ["?"]
    arun = await astart_v3(graph, EMPTY, {"configurable": {"thread_id": "2"}})
    assert [question.value for question in await arun.interrupts()] == ["?"]


def test_items_of_several_projections_in_order() -> None:
    run = start_v3(graph_of(one, two), EMPTY, transformers=[UpdatesTransformer])
    found = [name for name, _ in run.interleave("values", "updates")]
    assert found == ["values", "updates", "values", "updates", "values"]
    with pytest.raises(KeyError):
        list(run.interleave("nothing"))


async def test_concurrent_readers_share_a_run() -> None:
    run = await astart_v3(graph_of(one, two), EMPTY, transformers=[UpdatesTransformer])

    async def read(projection: Any) -> int:
        return len([item async for item in projection])

    assert await asyncio.gather(read(run.values), read(run.updates), read(run)) == [3, 2, 5]


@pytest.mark.parametrize("is_async", [False, True])
async def test_messages_of_models(is_async: bool) -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage("one two")]))

    def chat(state: State) -> State:
        return {"items": [model.invoke("q")]}

    if is_async:
        arun = await astart_v3(graph_of(chat), EMPTY)
        texts = [await message.text async for message in arun.messages]
    else:
        texts = [str(message.text) for message in start_v3(graph_of(chat), EMPTY).messages]
    assert texts == ["one two"]


@pytest.mark.parametrize("is_async", [False, True])
async def test_subgraphs_of_a_run(is_async: bool) -> None:
    graph = graph_of(one, graph_of(two))
    if is_async:
        arun = await astart_v3(graph, EMPTY)
        async for handle in arun.subgraphs:
            states = [state async for state in handle.values]
    else:
        for handle in start_v3(graph, EMPTY).subgraphs:
            states = list(handle.values)
    assert (handle.graph_name, handle.status) == ("sub", "completed")
    # The state that the subgraph begins with comes before its first task, by which it is found.
    assert states == STATES[2:]


async def test_leaving_a_run_stops_it() -> None:
    stopped: list[str] = []

    def parts() -> Any:
        try:
            yield part("values", 1)
            yield part("values", 2)
        finally:
            stopped.append("sync")

    with GraphRunStream(parts(), StreamMux(factories=[ValuesTransformer])) as run:
        assert next(iter(run.values)) == 1
    assert run.output == 1

    async def aparts() -> Any:
        try:
            yield part("values", 1)
            await asyncio.sleep(60)
        finally:
            stopped.append("async")

    mux = StreamMux(factories=[ValuesTransformer], is_async=True)
    async with AsyncGraphRunStream(aparts(), mux) as arun:
        states = aiter(arun.values)
        assert await anext(states) == 1
        reader = asyncio.ensure_future(anext(states, "over"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert await asyncio.wait_for(reader, 60) == "over"
    assert stopped == ["sync", "async"]


def test_arguments_that_are_not_the_callers() -> None:
    graph = graph_of(one)
    with pytest.raises(TypeError, match="not accept stream_mode, subgraphs"):
        start_v3(graph, EMPTY, stream_mode="values", subgraphs=False)
    with pytest.raises(TypeError, match="pre-built instance Recorder"):
        start_v3(graph, EMPTY, transformers=[Recorder()])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="got int"):
        start_v3(graph, EMPTY, transformers=[1])  # type: ignore[list-item]
