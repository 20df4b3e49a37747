"""``python -m tests.deltas.runner FIRST:END:STEP``: a line of what each program did, as JSON.

Runs with whichever package is there as `langgraph`.
"""

from __future__ import annotations

import asyncio
import json
import operator
import re
import sys
from typing import Annotated, Any

from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.pregel import _checkpoint
from langgraph.types import Command, Overwrite, interrupt
from typing_extensions import TypedDict

from tests.deltas.generate import SHAPES, program

ID = re.compile(r"id='[0-9a-f]{32}'")

THREAD = {"configurable": {"thread_id": "1"}}


def in_order(write: Any) -> Any:
    """A write, with the questions of an interrupt in the order of their values."""
    task, channel, value = write
    if channel == "__interrupt__" and isinstance(value, (list, tuple)):
        value = sorted(value, key=lambda question: repr(question.value))
    return task, channel, value


def fold(state: list[Any], writes: list[Any]) -> list[Any]:
    """Add lists to a list."""
    return [*state, *(item for write in writes for item in write)]


class Runner:
    """Runs one program."""

    def __init__(self, program: dict[str, Any], saver: Any) -> None:
        self.program = program
        self.saver = saver
        self.is_delta = True
        self.counts = dict.fromkeys(program["nodes"], 0)
        self.serial = 0
        _checkpoint.DELTA_MAX_SUPERSTEPS_SINCE_SNAPSHOT = program["supersteps"]

    def run(self) -> list[Any]:
        """Do what the script says; return what came of each action and is stored after it."""
        return [{**self._act(action), **self._stored()} for action in self.program["script"]]

    # --- the graph ---

    def graph(self) -> Any:
        """Compile the graph as it is at present."""
        plain = Annotated[list, operator.add]
        delta = Annotated[list, DeltaChannel(fold, snapshot_frequency=self.program["frequency"])]
        kinds = {"log": delta if self.is_delta else plain, "plain": plain}
        schema: Any = TypedDict("State", kinds, total=False)  # pyright: ignore
        builder = StateGraph(schema)
        for name, node in self.program["nodes"].items():
            builder.add_node(name, self._node(name, node))
        for edge in SHAPES[self.program["shape"]]:
            builder.add_edge(*edge)
        if not self.program["subgraph"]:
            return builder.compile(checkpointer=self.saver)
        outer = StateGraph(schema)
        outer.add_node("inner", builder.compile())
        outer.add_edge(START, "inner")
        return outer.compile(checkpointer=self.saver)

    def _node(self, name: str, node: dict[str, Any]) -> Any:
        def work(state: Any) -> Any:
            self.counts[name] += 1
            if self.counts[name] == node["fails"]:
                raise ValueError(f"{name} fails")
            if node["asks"]:
                interrupt(name)
            return self._writes(node["writes"], f"{name}{len(state.get('plain', ()))}")

        async def awork(state: Any) -> Any:
            await asyncio.sleep(0)
            return work(state)

        return awork if self.program["async"] else work

    def _writes(self, kind: str, tag: str) -> Any:
        if kind == "nothing":
            return {}
        values = [tag, f"{tag}'"] if kind == "add two" else [tag]
        if kind == "overwrite":
            return {"log": Overwrite(list(values)), "plain": Overwrite(list(values))}
        return {"log": list(values), "plain": list(values)}

    # --- the script ---

    def _act(self, action: dict[str, Any]) -> dict[str, Any]:
        self.serial += 1
        done = {"do": action["do"], "durability": action["durability"]}
        try:
            return {**done, "result": self._do(action)}
        except Exception as error:
            return {**done, "raised": type(error).__name__}

    def _do(self, action: dict[str, Any]) -> Any:
        graph, durability = self.graph(), action["durability"]
        given = self._writes("add", f"in{self.serial}")
        match action["do"]:
            case "invoke":
                return self._invoke(graph, given, THREAD, durability)
            case "resume":
                return self._invoke(graph, Command(resume="yes"), THREAD, durability)
            case "fork":
                return self._invoke(graph, None, self._at(action["at"]), durability)
            case "rewind":
                return self._invoke(graph, given, self._at(action["at"]), durability)
            case "migrate":
                self.is_delta = not self.is_delta
                return None
            case "update":
                values = self._writes(action["writes"], f"up{self.serial}")
                if action["as_node"] == "__end__":
                    values = None
                if action["as_node"] == "__copy__":
                    values = [(values, next(iter(graph.nodes)))] if self.serial % 2 else None
                place = THREAD if action["at"] is None else self._at(action["at"])
                graph.update_state(place, values, as_node=action["as_node"])
                return None

    def _invoke(self, graph: Any, given: Any, config: Any, durability: str) -> Any:
        if self.program["async"]:
            result = asyncio.run(graph.ainvoke(given, config, durability=durability))
        else:
            result = graph.invoke(given, config, durability=durability)
        return {key: result.get(key) for key in ("log", "plain")}

    def _at(self, number: int) -> Any:
        found = list(self.saver.list(THREAD))
        return found[number % len(found)].config if found else THREAD

    def _stored(self) -> dict[str, Any]:
        states = [
            [state.metadata["step"], state.values.get("log"), state.values.get("plain")]
            for state in self.graph().get_state_history(THREAD)
        ]
        rows = [self._row(found) for found in self.saver.list(THREAD)]
        return {"states": states, "rows": rows}

    def _row(self, found: Any) -> Any:
        checkpoint, metadata = found.checkpoint, found.metadata
        writes = [
            (task[:8] if task[:4] in ("0000", "ffff") else "", *rest)
            for task, *rest in (found.pending_writes or ())
        ]
        return {
            "values": {
                name: repr(value) for name, value in sorted(checkpoint["channel_values"].items())
            },
            "versions": {
                name: _count(version)
                for name, version in sorted(checkpoint["channel_versions"].items())
            },
            "seen": {
                node: {name: _count(version) for name, version in sorted(seen.items())}
                for node, seen in sorted(checkpoint["versions_seen"].items())
            },
            "metadata": {key: metadata.get(key) for key in ("source", "step")},
            "counters": metadata.get("counters_since_delta_snapshot"),
            # Of several tasks' writes, who stores first is a matter of luck; upstream also which of
            # a subgraph's interrupts comes first.
            "writes": sorted(ID.sub("id=?", repr(in_order(write))) for write in writes),
            "keys": sorted(checkpoint),
        }


def _count(version: Any) -> Any:
    """The number in a version; the rest is random."""
    return version.partition(".")[0] if isinstance(version, str) else version


def main() -> None:
    """Run the programs that the command line names."""
    first, last, step = map(int, sys.argv[1].split(":"))
    for seed in range(first, last, step):
        made = program(seed)
        if made["saver"] == "sqlite" and not made["async"]:
            from langgraph.checkpoint.sqlite import SqliteSaver

            with SqliteSaver.from_conn_string(":memory:") as saver:
                done = Runner(made, saver).run()
        else:
            done = Runner(made, InMemorySaver()).run()
        print(json.dumps([seed, done], default=repr), flush=True)


if __name__ == "__main__":
    main()
