"""Graphs that use what a node can use. Each gives a transcript, which says nothing of processes.

A scenario takes the executor for its nodes, as `add_node` takes it, and a folder of its own.
"""

from __future__ import annotations

import asyncio
import operator
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from pydantic import BaseModel
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.config import get_config, get_store, get_stream_writer
from langgraph_rust.errors import NodeError
from langgraph_rust.func import entrypoint, task
from langgraph_rust.graph import END, START, StateGraph
from langgraph_rust.graph.message import add_messages
from langgraph_rust.runtime import Runtime, get_runtime
from langgraph_rust.store.memory import InMemoryStore
from langgraph_rust.types import Command, RetryPolicy, Send, interrupt

Scenario = Callable[[Any, Path], Any]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    """Add a scenario, by its function's name."""
    SCENARIOS[function.__name__] = function
    return function


class State(TypedDict, total=False):
    """What most scenarios have."""

    log: Annotated[list[Any], operator.add]
    value: Any


def alone(node: Any, executor: Any, **options: Any) -> Any:
    """A graph of one node, named `node`."""
    compiled = {k: options.pop(k) for k in ("checkpointer", "store") if k in options}
    graph = StateGraph(State, context_schema=options.pop("context_schema", None))
    return (
        graph.add_node("node", node, executor=executor, **options)
        .add_edge(START, "node")
        .compile(**compiled)
    )


def raised(call: Callable[[], Any]) -> str:
    """The error of a call."""
    try:
        return f"returned {call()!r}"
    except BaseException as error:
        return repr(error)


THREAD: RunnableConfig = {"configurable": {"thread_id": "1"}}

# --- Values --------------------------------------------------------------------------------------


class Colour(Enum):
    """An enum."""

    RED = "red"


@dataclass
class Point:
    """A dataclass."""

    x: int
    y: tuple[int, ...] = ()


class Named(NamedTuple):
    """A named tuple."""

    a: int


class Model(BaseModel):
    """A model."""

    n: int
    inner: Point | None = None


VALUES = [
    (1, (2,)),
    {1, 2},
    frozenset({3}),
    Point(1, (2,)),
    Named(1),
    Colour.RED,
    Model(n=1, inner=Point(2)),
    b"bytes",
    2**80,
    Decimal("1.5"),
    1j,
    {(1, 2): "key"},
    ValueError("an error"),
    AIMessage("hi", id="m", tool_calls=[{"name": "t", "args": {"a": 1}, "id": "c"}]),
    Colour,
    None,
]


@scenario
def values(executor: Any, _folder: Path) -> Any:
    """Values of all kinds go to a node and back."""

    def echo(state: State) -> Any:
        return {"value": state["value"], "log": [type(state["value"]).__name__]}

    graph = alone(echo, executor)
    return [repr(graph.invoke({"value": value})) for value in VALUES]


@scenario
def large(executor: Any, _folder: Path) -> Any:
    """Large fields arrive whole, in their order among the others."""

    def measure(state: State) -> Any:
        return {"value": [list(state), [len(item) for item in state["value"]]], "log": ["x"]}

    graph = alone(measure, executor)
    return graph.invoke({"log": ["a" * 10], "value": [b"x" * 1_000_000, "y" * 500_000]})["value"]


@scenario
def inputs(executor: Any, _folder: Path) -> Any:
    """Inputs that are no dicts: models, dataclasses, packets."""

    def of_model(state: Model) -> Any:
        return {"n": state.n + 1, "inner": Point(state.n)}

    graph = StateGraph(Model).add_node("node", of_model, executor=executor)
    first = graph.add_edge(START, "node").compile().invoke({"n": 1})

    def each(given: Any) -> Any:
        return {"log": [given]}

    spread = StateGraph(State).add_node("each", each, executor=executor)
    spread.add_conditional_edges(START, lambda _: [Send("each", (n, Point(n))) for n in range(3)])
    return repr([first, spread.compile().invoke({})])


class Adder:
    """A callable object."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __call__(self, state: State) -> Any:
        return {"log": [self.n]}

    def method(self, state: State) -> Any:
        return {"log": [-self.n]}


def module_level(state: State) -> Any:
    """A function that can be imported."""
    return {"log": ["module"]}


def with_argument(n: int, state: State) -> Any:
    """For `partial`."""
    return {"log": [n]}


def generates(state: State) -> Iterator[Any]:
    """A generator."""
    yield {"log": ["generated"]}


@scenario
def kinds(executor: Any, _folder: Path) -> Any:
    """Nodes of all kinds."""
    held = [7]
    nodes = {
        "module": module_level,
        "closure": lambda state: {"log": held},
        "object": Adder(1),
        "method": Adder(2).method,
        "partial": partial(with_argument, 3),
        "lambda": RunnableLambda(lambda state: {"log": ["lambda"]}),
        "sequence": RunnableLambda(lambda state: 5) | (lambda n: {"log": [n]}),
        "generator": generates,
        "returns": lambda state: RunnableLambda(lambda state: {"log": ["returned"]}),
    }
    graph = StateGraph(State)
    for name, node in nodes.items():
        graph.add_node(name, node, executor=executor).add_edge(START, name)
    return repr(graph.compile().invoke({}))


# --- Control -------------------------------------------------------------------------------------


@scenario
def commands(executor: Any, _folder: Path) -> Any:
    """A node says where to go, and sends packets."""

    def route(state: State) -> Any:
        return Command(update={"log": ["route"]}, goto=["b", Send("c", (1, 2))])

    graph = StateGraph(State)
    graph.add_node("a", route, executor=executor, destinations=("b", "c"))
    graph.add_node("b", lambda state: {"log": ["b"]}, executor=executor)
    graph.add_node("c", lambda packet: {"log": [packet]}, executor=executor)
    graph.add_edge(START, "a").add_conditional_edges("b", lambda state: END)
    compiled = graph.compile()
    # Which of two is done first is nobody's business.
    chunks = sorted(map(repr, compiled.stream({}, stream_mode=["updates", "values"])))
    return repr([compiled.invoke({}), chunks])


@scenario
def interrupts(executor: Any, _folder: Path) -> Any:
    """A node asks twice, is answered by order and by id, and fails between."""

    def asks(state: State) -> Any:
        first = interrupt("first?")
        second = interrupt({"second?": first})
        return {"log": [first, second]}

    graph = alone(asks, executor, checkpointer=InMemorySaver())
    seen = [graph.invoke({}, THREAD), graph.invoke(Command(resume=1), THREAD)]
    [question] = graph.get_state(THREAD).interrupts
    seen.append(graph.invoke(Command(resume={question.id: (2,)}), THREAD))
    return [_without_ids(state) for state in seen]


@scenario
def answered_and_retried(executor: Any, folder: Path) -> Any:
    """What a node was answered before it failed is answered when it is tried again."""
    mark = str(folder / "failed")

    def asks(state: State) -> Any:
        answer = interrupt("what?")
        if not Path(mark).exists():
            Path(mark).touch()
            raise ConnectionError("once")
        return {"log": [answer]}

    policy = RetryPolicy(initial_interval=0.01, jitter=False)
    graph = alone(asks, executor, checkpointer=InMemorySaver(), retry_policy=policy)
    graph.invoke({}, THREAD)
    return graph.invoke(Command(resume="that"), THREAD)


@scenario
def errors(executor: Any, _folder: Path) -> Any:
    """Errors of a node are its own, with notes; attempts are counted; a handler handles."""

    class Own(Exception):
        def __init__(self, *, code: int) -> None:
            super().__init__(f"code {code}")
            self.code = code

    def fails(state: State) -> Any:
        error = KeyError("missing")
        if hasattr(error, "add_note"):
            error.add_note("look there")
        raise error

    def odd(state: State) -> Any:
        raise Own(code=3)

    def flaky(state: State, runtime: Runtime) -> Any:
        attempt = runtime.execution_info.node_attempt
        if attempt < 3:
            raise ConnectionError(attempt)
        return {"log": [attempt]}

    def handle(state: State, error: NodeError) -> Any:
        return {"log": [error.node, repr(error.error)]}

    policy = RetryPolicy(initial_interval=0.01, jitter=False)
    seen: list[Any] = [raised(lambda: alone(fails, executor).invoke({}))]
    seen.append("code 3" in raised(lambda: alone(odd, executor).invoke({})))
    seen.append(alone(flaky, executor, retry_policy=policy).invoke({}))
    seen.append(alone(fails, executor, error_handler=handle).invoke({}))
    return seen


@scenario
def exits(executor: Any, _folder: Path) -> Any:
    """`SystemExit` of a node ends the run."""

    def leaves(state: State) -> Any:
        raise SystemExit(3)

    return raised(lambda: alone(leaves, executor).invoke({}))


@scenario
def in_parent(executor: Any, _folder: Path) -> Any:
    """A node of a subgraph gives a command to the graph around."""

    def leave(state: State) -> Any:
        return Command(graph=Command.PARENT, update={"log": ["left"]}, goto="after")

    inner = StateGraph(State).add_node("leave", leave, executor=executor)
    outer = StateGraph(State)
    outer.add_node("inner", inner.add_edge(START, "leave").compile(), destinations=("after",))
    outer.add_node("after", lambda state: {"log": ["after"]}, executor=executor)
    return outer.add_edge(START, "inner").compile().invoke({})


# --- What nodes reach ----------------------------------------------------------------------------


@scenario
def runtime(executor: Any, _folder: Path) -> Any:
    """Context, config, ids and the store are there, as parameters and ambiently."""

    def looks(state: State, config: RunnableConfig, runtime: Runtime[Any]) -> Any:
        info = runtime.execution_info
        same = get_config()["configurable"]["thread_id"] == config["configurable"]["thread_id"]
        store = get_store()
        store.put(("a", "b"), "k", {"n": runtime.context["n"]})
        runtime.heartbeat()
        return {
            "log": [
                config["configurable"]["own"],
                config["tags"],
                config["metadata"]["mine"],
                config["metadata"]["langgraph_node"],
                config["recursion_limit"],
                info.thread_id,
                info.node_attempt,
                same,
                get_runtime().context,
                [item.value for item in runtime.store.search(("a",))],
                runtime.store.get(("a", "b"), "none"),
                runtime.drain_requested,
                runtime.previous,
            ]
        }

    store = InMemoryStore()
    graph = alone(looks, executor, checkpointer=InMemorySaver(), store=store, context_schema=dict)
    config: Any = {
        "configurable": {"thread_id": "1", "own": ("x",), "lock": open},
        "tags": ["tag"],
        "metadata": {"mine": 1},
        "recursion_limit": 9,
    }
    return repr([graph.invoke({}, config, context={"n": 5}), store.get(("a", "b"), "k").value])


@scenario
def streams(executor: Any, _folder: Path) -> Any:
    """Custom chunks come while the node runs, in their order, before its update."""

    def speaks(state: State) -> Any:
        writer = get_stream_writer()
        for n in range(5):
            writer({"n": n, "pair": (n, n)})
        return {"log": ["done"]}

    graph = alone(speaks, executor)
    return repr(list(graph.stream({}, stream_mode=["custom", "updates"])))


@scenario
def streams_of_graphs_within(executor: Any, _folder: Path) -> Any:
    """Graphs that a node calls write to the stream, as graphs within the one around them."""

    def writes(state: State, runtime: Runtime) -> Any:
        get_stream_writer()("in a graph")
        runtime.stream_writer("in a graph, by its runtime")

    def calls(state: State) -> Any:
        get_stream_writer()("before")
        alone(writes, None).invoke({})

    def nests(state: State) -> Any:
        alone(calls, None).invoke({})

    async def awaits(state: State) -> Any:
        await alone(writes, None).ainvoke({})

    async def listened(graph: Any, options: Any) -> Any:
        return [chunk async for chunk in graph.astream({}, **options)]

    said = []
    for node in (calls, nests, awaits):
        for subgraphs in (True, False):
            options = {"stream_mode": ["custom", "updates"], "subgraphs": subgraphs}
            for chunk in asyncio.run(listened(alone(node, executor), options)):
                place = [part.partition(":")[0] for part in chunk[0]] if subgraphs else None
                said.append((place, *chunk[-2:]))
    return said


@scenario
def many_chunks(executor: Any, _folder: Path) -> Any:
    """Chunks come in their order, and before what is asked after them."""

    @task
    def at_home(n: int) -> int:
        get_stream_writer()("at home")
        return n

    def node(state: State) -> Any:
        writer = get_stream_writer()
        for n in range(3000):
            writer(n)
            if n % 1000 == 500:
                at_home(n).result()
        for n in range(30):
            writer((n, bytes(1_000_000)))

    streamed = alone(node, executor).stream({}, stream_mode="custom")
    chunks = [(c[0], len(c[1])) if isinstance(c, tuple) else c for c in streamed]
    known = [*range(501), "at home", *range(501, 1501), "at home", *range(1501, 2501), "at home"]
    return [chunks == [*known, *range(2501, 3000), *[(n, 1_000_000) for n in range(30)]]]


@scenario
def tokens(executor: Any, _folder: Path) -> Any:
    """Tokens of a chat model that a node calls."""

    class Chat(TypedDict):
        messages: Annotated[list[AnyMessage], add_messages]

    def model(state: Chat) -> Any:
        chat = GenericFakeChatModel(messages=iter([AIMessage("one two three", id="m1")]))
        return {"messages": [chat.invoke(state["messages"])]}

    graph = StateGraph(Chat).add_node("model", model, executor=executor)
    compiled = graph.add_edge(START, "model").compile()
    given = {"messages": [HumanMessage("hi", id="h1")]}
    chunks = [
        (chunk.content, chunk.id, metadata["langgraph_node"])
        for chunk, metadata in compiled.stream(given, stream_mode="messages")
    ]
    last = compiled.invoke(given)["messages"][-1]
    return [chunks, last.content, last.id]


class Hears(BaseCallbackHandler):
    """Notes what it hears, with who is whose parent."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.names: dict[Any, str] = {}

    def _note(self, event: str, name: str, run_id: Any, parent: Any) -> None:
        self.names[run_id] = name
        self.heard.append((event, name, self.names.get(parent)))

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        """Note it."""
        self._note("chain", kwargs.get("name") or "?", kwargs["run_id"], kwargs["parent_run_id"])

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        """Note it."""
        self._note("model", "model", kwargs["run_id"], kwargs["parent_run_id"])

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        """Note it."""
        self.heard.append(("answer", response.generations[0][0].text))

    def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        """Note it."""
        self.heard.append((name, data))


@scenario
def callbacks(executor: Any, _folder: Path) -> Any:
    """Handlers hear what a node calls, with its place in the tree of runs."""

    def calls(state: State, config: RunnableConfig) -> Any:
        chat = GenericFakeChatModel(messages=iter([AIMessage("hello", id="m1")]))
        inner = RunnableLambda(lambda text: chat.invoke(text, config), name="inner")
        return {"log": [inner.invoke("x", config).content]}

    handler = Hears()
    result = alone(calls, executor).invoke({}, {"callbacks": [handler]})
    return [result, handler.heard]


REQUEST: ContextVar[str] = ContextVar("REQUEST")


@scenario
def context_variables(executor: Any, _folder: Path) -> Any:
    """A context variable that the node names."""

    def reads(state: State) -> Any:
        return {"log": [REQUEST.get()]}

    named = executor
    if executor is not None:
        named = {**executor, "context": [f"{__name__}:REQUEST"]}
    token = REQUEST.set("r-1")
    try:
        return alone(reads, named).invoke({})
    finally:
        REQUEST.reset(token)


# --- Graphs and tasks within nodes ---------------------------------------------------------------


@task
def double(n: int) -> tuple[int, int]:
    """A task that can be imported."""
    return (n, n * 2)


@task
def broken(n: int) -> int:
    """A task that fails."""
    raise ValueError(n)


@scenario
def tasks(executor: Any, _folder: Path) -> Any:
    """A node calls tasks, which are tasks of its superstep at home."""

    def work(numbers: list[int]) -> Any:
        pending = [double(n) for n in numbers]
        return [future.result() for future in pending] + [raised(lambda: broken(1).result())]

    graph = entrypoint(checkpointer=InMemorySaver())(work)
    default: Any = {**THREAD, "configurable": {"thread_id": "1", "executor": executor}}
    updates = list(graph.stream([1, 2], default, stream_mode="updates"))
    return repr(sorted(map(repr, updates)))


@scenario
def subgraphs(executor: Any, _folder: Path) -> Any:
    """A node runs a graph, which asks, is stored at home, and goes on."""
    inner = StateGraph(State)
    inner.add_node("first", lambda state: {"log": ["first"]})
    inner.add_node("second", lambda state: {"log": [interrupt("inner?")]})
    inner.add_edge(START, "first").add_edge("first", "second")
    graph = inner.compile()

    def calls(state: State) -> Any:
        return {"log": ["outer", *graph.invoke({})["log"]]}

    outer = alone(calls, executor, checkpointer=InMemorySaver())
    asked = outer.invoke({}, THREAD)
    stored = outer.checkpointer.list({"configurable": {"thread_id": "1"}})
    namespaces = {saved.config["configurable"]["checkpoint_ns"] for saved in stored}
    graphs = sorted({namespace.partition(":")[0] for namespace in namespaces})
    return [_without_ids(asked), graphs, outer.invoke(Command(resume=4), THREAD)]


@scenario
def checkpoints(executor: Any, _folder: Path) -> Any:
    """What is stored is what a node at home would have stored."""
    graph = StateGraph(State)
    graph.add_node("a", lambda state: {"log": [1], "value": (1, 2)}, executor=executor)
    graph.add_node("b", lambda state: {"log": [len(state["log"])]}, executor=executor)
    compiled = graph.add_edge(START, "a").add_edge("a", "b").compile(InMemorySaver())
    compiled.invoke({"log": [0]}, THREAD)
    return repr(
        [
            (state.values, state.next, state.metadata["step"], [t.result for t in state.tasks])
            for state in compiled.get_state_history(THREAD)
        ]
    )


# --- Async ---------------------------------------------------------------------------------------


@scenario
def async_nodes(executor: Any, _folder: Path) -> Any:
    """Async and sync nodes of an async run, with the store, chunks and tasks."""

    async def waits(state: State, runtime: Runtime) -> Any:
        await asyncio.sleep(0.01)
        runtime.stream_writer("waiting")
        await runtime.store.aput(("n",), "k", {"v": 1})
        found = await runtime.store.asearch(("n",))
        return {"log": [item.value for item in found]}

    def blocks(state: State) -> Any:
        get_stream_writer()("blocking")
        return {"log": [get_runtime().store.get(("n",), "k").value]}

    graph = StateGraph(State)
    graph.add_node("waits", waits, executor=executor)
    graph.add_node("blocks", blocks, executor=executor)
    graph.add_edge(START, "waits").add_edge("waits", "blocks")
    compiled = graph.compile(store=InMemoryStore())

    async def main() -> Any:
        modes: Any = ["custom", "values"]
        return [chunk async for chunk in compiled.astream({}, stream_mode=modes)]

    return repr(asyncio.run(main()))


@scenario
def async_asks(executor: Any, _folder: Path) -> Any:
    """An async node asks, and runs two things at a time."""

    async def asks(state: State) -> Any:
        answer = interrupt("what?")
        both = await asyncio.gather(asyncio.sleep(0.01, 1), asyncio.sleep(0.01, 2))
        return {"log": [answer, *both]}

    graph = alone(asks, executor, checkpointer=InMemorySaver())

    async def main() -> Any:
        asked = await graph.ainvoke({}, THREAD)
        return [_without_ids(asked), await graph.ainvoke(Command(resume=3), THREAD)]

    return asyncio.run(main())


@scenario
def limits(executor: Any, _folder: Path) -> Any:
    """An async node takes too long; one that is heard of does not."""

    async def slow(state: State) -> Any:
        await asyncio.sleep(60)

    async def lively(state: State, runtime: Runtime) -> Any:
        for _ in range(6):
            await asyncio.sleep(0.5)
            runtime.heartbeat()
        return {"log": ["alive"]}

    from langgraph_rust.types import TimeoutPolicy

    began = time.monotonic()
    late = raised(lambda: asyncio.run(alone(slow, executor, timeout=0.5).ainvoke({})))
    # On Ray it takes up to a second until there is a process.
    policy = TimeoutPolicy(idle_timeout=2.5)
    alive = asyncio.run(alone(lively, executor, timeout=policy).ainvoke({}))
    return [late.partition(" (elapsed")[0], alive, time.monotonic() - began < 30]


@scenario
def side_by_side(executor: Any, _folder: Path) -> Any:
    """A fan-out, whose results are in the order of its tasks."""

    def each(n: int) -> Any:
        time.sleep(0.01 * (5 - n))
        return {"log": [n]}

    graph = StateGraph(State).add_node("each", each, executor=executor)
    graph.add_conditional_edges(START, lambda _: [Send("each", n) for n in range(6)])
    compiled = graph.compile()
    return [compiled.invoke({}), asyncio.run(compiled.ainvoke({}))]


@scenario
def by_default(executor: Any, _folder: Path) -> Any:
    """The config says where nodes run, in nested graphs, too."""
    inner = StateGraph(State).add_node("inner", module_level).add_edge(START, "inner").compile()
    graph = StateGraph(State).add_node("sub", inner).add_node("own", module_level)
    compiled = graph.add_edge(START, "sub").add_edge("sub", "own").compile()
    config: Any = {"configurable": {"executor": executor}} if executor else None
    return [compiled.invoke({}, config), asyncio.run(compiled.ainvoke({}, config))]


def _without_ids(state: Any) -> Any:
    asked = [question.value for question in state.get("__interrupt__", ())]
    return {**{k: v for k, v in state.items() if k != "__interrupt__"}, "asked": asked}
