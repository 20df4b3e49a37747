"""Drawing a graph by running it without running its nodes.

Which node leads to which is only known from what nodes write, so the drawing simulates a run in
which every node does all of its unconditional writes and, the first time, all conditional writes
it declares. An edge is a write of one node to a channel that triggers another.

Only channels that trigger a node or are a node's whole input take part; no code of the user's
runs, except a writer's mapper that decides whether something is written at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_rust._internal._constants import PUSH, TASKS
from langgraph_rust._internal._typing import MISSING
from langgraph_rust.channels.base import BaseChannel
from langgraph_rust.channels.binop import BinaryOperatorAggregate
from langgraph_rust.channels.delta import DeltaChannel
from langgraph_rust.channels.last_value import LastValueAfterFinish
from langgraph_rust.channels.untracked_value import UntrackedValue
from langgraph_rust.constants import END, START
from langgraph_rust.errors import InvalidUpdateError
from langgraph_rust.pregel._build.utils import at_home
from langgraph_rust.pregel._build.write import (
    ChannelWrite,
    ChannelWriteEntry,
    ChannelWriteTupleEntry,
    _assemble_writes,
)
from langgraph_rust.types import Send

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langchain_core.runnables.graph import Graph

    from langgraph_rust.managed.base import ManagedValueSpec
    from langgraph_rust.pregel._build.picture import DrawableGraph
    from langgraph_rust.pregel._build.read import PregelNode
    from langgraph_rust.types import All, Checkpointer


def draw_graph(
    config: RunnableConfig,
    *,
    nodes: dict[str, PregelNode],
    specs: dict[str, BaseChannel | ManagedValueSpec],
    input_channels: str | Sequence[str],
    interrupt_after_nodes: All | Sequence[str],
    interrupt_before_nodes: All | Sequence[str],
    trigger_to_nodes: Mapping[str, Sequence[str]],
    checkpointer: Checkpointer,
    subgraphs: dict[str, Graph],
    limit: int = 250,
) -> DrawableGraph:
    """Return a `Pregel`'s nodes and the edges found in at most `limit` simulated steps.

    `subgraphs` maps names of nodes to drawings to put in their place. `config` and `checkpointer`
    have no influence on the result.
    """
    channels = _Channels(nodes, specs, trigger_to_nodes)
    start_tasks = channels.start(input_channels)
    trace = _Trace()
    tasks = start_tasks
    for _ in range(limit + 1):
        if not tasks:
            break
        trace.begin_step()
        for task in tasks:
            trace.run(task, nodes[task.name], channels)
        tasks = channels.step(tasks)
        trace.connect(tasks)

    graph = _new_graph(nodes, specs, interrupt_before_nodes, interrupt_after_nodes)
    edges = _EdgeList(graph)
    if START not in nodes:
        graph.add_node(None, START)
        for task in start_tasks:
            edges.add(START, task.name)
    edges.add_found(trace.edges, last_step=trace.step)
    for name, subgraph in subgraphs.items():
        _replace_by_subgraph(graph, name, subgraph)
    return graph


class Edge(NamedTuple):
    """A way from one node to the next."""

    source: str
    target: str
    conditional: bool
    data: str | None
    """The label to draw."""


class _Signal(NamedTuple):
    """A write of some task to a channel that may trigger others."""

    channel: str
    conditional: bool
    label: str | None


class _Task:
    """A node that runs in a simulated step."""

    __slots__ = ("name", "sends", "triggers", "writes")

    def __init__(self, name: str, triggers: Sequence[str]) -> None:
        self.name = name
        self.triggers = triggers
        self.writes: list[tuple[str, Any]] = []
        self.sends: list[Send] = []

    def write(self, channel: str, value: Any) -> None:
        if channel == TASKS:
            self.sends.append(value)
        else:
            self.writes.append((channel, value))


class _Trace:
    """What tasks wrote so far, and the edges that follow from it."""

    def __init__(self) -> None:
        self.edges: set[Edge] = set()
        # the signals each node gave when it last ran, without those that were overtaken
        self.signals: dict[str, set[_Signal]] = {}
        # the same of the current step only; the sets are shared with `signals`
        self.step: dict[str, set[_Signal]] = {}
        self._declared: dict[str, set[_Signal]] = defaultdict(set)
        self._seen_writers: set[int] = set()

    def begin_step(self) -> None:
        self.step = {}

    def run(self, task: _Task, node: PregelNode, channels: _Channels) -> None:
        """Do the writes of `node`, and note them as signals."""
        labels: dict[str, str | None] = {}
        for writer in node.flat_writers:
            if isinstance(writer, ChannelWrite):
                for channel, value in _written(writer, channels.empty_root):
                    task.write(channel, value)
            if id(writer) not in self._seen_writers:
                self._seen_writers.add(id(writer))
                self._declare(task, writer, labels)
        # a declared write has no value; one with a value is unconditional
        signals = {
            _Signal(channel, True, labels[channel])
            if channel in labels and not value
            else _Signal(channel, False, None)
            for channel, value in task.writes
        }
        self.step[task.name] = signals | self._declared[task.name]
        self.signals[task.name] = self.step[task.name]

    def _declare(self, task: _Task, writer: Any, labels: dict[str, str | None]) -> None:
        for channel, value, label in ChannelWrite.get_static_writes(writer) or ():
            if channel == END:
                # nothing is written to END; the declaration alone makes the edge
                self.edges.add(Edge(task.name, END, True, label))
                continue
            labels[channel] = label
            self._declared[task.name].add(_Signal(channel, True, label))
            task.write(channel, value)

    def connect(self, tasks: Iterable[_Task]) -> None:
        """Add the edges to the tasks of the next step."""
        sources: dict[str, list[tuple[str, _Signal]]] = defaultdict(list)
        for name, signals in self.signals.items():
            for signal in signals:
                sources[signal.channel].append((name, signal))
        for task in tasks:
            explained = False
            for trigger in task.triggers:
                for source, signal in sources.get(trigger, ()):
                    self.edges.add(Edge(source, task.name, signal.conditional, signal.label))
                    if signal in self.step.get(source, ()):
                        explained = True
                    else:
                        self.signals[source].discard(signal)
            if not explained:
                # nobody said so, hence anybody of this step may have led here
                self.edges.update(Edge(source, task.name, True, None) for source in self.step)


class _Channels:
    """The channels that decide which nodes run, with versions as the engine counts them."""

    def __init__(
        self,
        nodes: Mapping[str, PregelNode],
        specs: Mapping[str, BaseChannel | ManagedValueSpec],
        trigger_to_nodes: Mapping[str, Sequence[str]],
    ) -> None:
        self.nodes = nodes
        self.trigger_to_nodes = trigger_to_nodes
        self.known = {name for name, spec in specs.items() if isinstance(spec, BaseChannel)}
        relevant = {trigger for node in nodes.values() for trigger in node.triggers}
        relevant.update(node.channels for node in nodes.values() if isinstance(node.channels, str))
        self.live = {
            name: _stand_in(spec)
            for name, spec in specs.items()
            if name in relevant and isinstance(spec, BaseChannel)
        }
        self.versions: dict[str, int] = {}
        self.seen: dict[str, dict[str, int]] = {}
        root = specs.get("__root__")
        self.empty_root = root.ValueType() if isinstance(root, BaseChannel) else None

    def start(self, input_channels: str | Sequence[str]) -> list[_Task]:
        """Write an empty input; return the tasks of the first step."""
        if not isinstance(input_channels, str):
            return []
        updated = self._update({input_channels: [{}]}, next_version=1)
        return list(self._triggered_by(updated))

    def step(self, tasks: Collection[_Task]) -> list[_Task]:
        """Apply what `tasks` wrote; return the tasks of the next step."""
        next_version = max(self.versions.values(), default=0) + 1
        for task in tasks:
            seen = self.seen.setdefault(task.name, {})
            seen.update({c: self.versions[c] for c in task.triggers if c in self.versions})
        for name in {trigger for task in tasks for trigger in task.triggers}:
            if name in self.live and self.live[name].consume():
                self.versions[name] = next_version
        writes: dict[str, list[Any]] = defaultdict(list)
        for task in tasks:
            for channel, value in task.writes:
                writes[channel].append(value)
        updated = self._update(writes, next_version)
        for name, channel in self.live.items():
            if name not in updated and channel.is_available() and channel.update(()):
                self._bump(name, next_version, updated)
        if updated.isdisjoint(self.trigger_to_nodes):
            for name, channel in self.live.items():
                if channel.finish():
                    self._bump(name, next_version, updated)
        sends = [send for task in tasks for send in task.sends if send.node in self.nodes]
        if sends:
            updated.add(TASKS)
        return [*(_Task(s.node, (PUSH,)) for s in sends), *self._triggered_by(updated)]

    def _update(self, writes: Mapping[str, list[Any]], next_version: int) -> set[str]:
        updated: set[str] = set()
        for name, values in writes.items():
            if name not in self.live:
                updated.update({name} & self.known)
            elif _receive(self.live[name], values):
                self._bump(name, next_version, updated)
        return updated

    def _bump(self, name: str, version: int, updated: set[str]) -> None:
        self.versions[name] = version
        if self.live[name].is_available():
            updated.add(name)

    def _triggered_by(self, updated: set[str]) -> Iterator[_Task]:
        names: Iterable[str] = self.nodes
        if updated and self.trigger_to_nodes:
            names = sorted({n for c in updated for n in self.trigger_to_nodes.get(c, ())})
        elif not self.versions:
            names = ()
        for name in names:
            node = self.nodes[name]
            if self._has_news(name, node) and self._has_input(node):
                yield _Task(name, sorted(node.triggers))

    def _has_news(self, name: str, node: PregelNode) -> bool:
        seen = self.seen.get(name)
        return any(
            self.live[trigger].is_available()
            and (seen is None or self.versions.get(trigger, 0) > seen.get(trigger, 0))
            for trigger in node.triggers
        )

    def _has_input(self, node: PregelNode) -> bool:
        if not isinstance(node.channels, str):
            return True
        return node.channels in self.live and self.live[node.channels].is_available()


def _written(writer: ChannelWrite, empty: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a writer writes of an empty value."""
    for entry in writer.entries_for(empty):
        try:
            yield from _assemble_writes([entry])
        except Exception:
            # A mapper of the user's that takes no empty value: of another it would make a write.
            if isinstance(entry, ChannelWriteEntry):
                yield entry.channel, None
            elif not isinstance(entry, ChannelWriteTupleEntry):
                raise


def _stand_in(spec: BaseChannel) -> BaseChannel:
    """An empty channel that is available when `spec` would be, and calls no reducer."""
    channel = spec.from_checkpoint(MISSING)
    if not isinstance(spec, BinaryOperatorAggregate | DeltaChannel):
        return channel
    kept = UntrackedValue(object, guard=False)
    if channel.is_available():
        kept.update([None])
    return kept


def _receive(channel: BaseChannel, values: list[Any]) -> bool:
    try:
        return channel.update(values)
    except InvalidUpdateError:
        # several nodes write what only one may; that is for a run to complain about
        return channel.update(values[-1:])


def _new_graph(
    nodes: Mapping[str, PregelNode],
    specs: Mapping[str, BaseChannel | ManagedValueSpec],
    interrupt_before: All | Sequence[str],
    interrupt_after: All | Sequence[str],
) -> DrawableGraph:
    """A drawing of the nodes alone."""
    from langgraph_rust.pregel._build.picture import DrawableGraph

    deferred = {
        name.split(":", 2)[-1]
        for name, spec in specs.items()
        if isinstance(spec, LastValueAfterFinish)
    }
    graph = DrawableGraph()
    for name, node in nodes.items():
        metadata = dict(node.metadata or {})
        if name in deferred:
            metadata["defer"] = True
        pauses = {"before": interrupt_before, "after": interrupt_after}
        if stops := [when for when, names in pauses.items() if name in names]:
            metadata["__interrupt"] = ",".join(stops)
        bound = at_home(node.bound)
        tools = getattr(bound, "tools_by_name", None)
        if tools and isinstance(tools, Mapping):
            metadata["__tools"] = list(tools)
        graph.add_node(bound, name, metadata=metadata or None)
    return graph


class _EdgeList:
    """Adds edges to a drawing, at most one from one node to another."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._drawn: set[tuple[str, str]] = set()

    def add(
        self, source: str, target: str, data: str | None = None, conditional: bool = False
    ) -> None:
        if (source, target) in self._drawn:
            return
        self._drawn.add((source, target))
        nodes = self.graph.nodes
        if target == END and END not in nodes:
            self.graph.add_node(None, END)
        self.graph.add_edge(nodes[source], nodes[target], data, conditional)

    def add_found(self, edges: Collection[Edge], *, last_step: Iterable[str]) -> None:
        """Add the edges of a simulation, and one to END from wherever it ended."""
        for source, target, conditional, label in sorted(edges, key=_edge_order):
            self.add(source, target, label if label != target else None, conditional)
        sources = {edge.source for edge in edges}
        targets = {edge.target for edge in edges}
        ends = targets - sources - {END}
        if ends:
            for name in sorted(ends):
                self.add(name, END)
        elif END not in targets and len(last := list(last_step)) == 1:
            self.add(last[0], END, conditional=True)


def _edge_order(edge: Edge) -> tuple[str, str, bool, str]:
    return edge.source, edge.target, edge.conditional, edge.data or ""


def _replace_by_subgraph(graph: DrawableGraph, name: str, subgraph: Graph) -> None:
    if name not in graph.nodes or len(subgraph.nodes) < 2:
        return
    if not (subgraph.first_node() and subgraph.last_node()):
        return
    subgraph.trim_first_node()
    subgraph.trim_last_node()
    from langgraph_rust.pregel._build.picture import notes

    graph.marks[name] = notes(graph.nodes.pop(name).metadata)
    first, last = graph.extend(subgraph, prefix=name)
    for index, edge in enumerate(graph.edges):
        if edge.source == name and last is not None:
            edge = edge.copy(source=last.id)
        if edge.target == name and first is not None:
            edge = edge.copy(target=first.id)
        graph.edges[index] = edge
