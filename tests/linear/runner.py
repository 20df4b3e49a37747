"""``python -m tests.linear.runner FOLDER FIRST:END PART``: a line of what was seen, as JSON.

`PART` is `plain` or `linear`: do what the program of each seed says, on a database in the folder;
`go on`: read that of `linear`, do some more, read it again; or `read`. Runs with whichever package
is there as `langgraph`.
"""

from __future__ import annotations

import asyncio
import json
import operator
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from langchain_core.messages import AIMessage, RemoveMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Overwrite
from typing_extensions import TypedDict

from tests.deltas.generate import SHAPES, program
from tests.deltas.runner import THREAD, Runner
from tests.linear.compare import STUB, without_ids


class State(TypedDict, total=False):
    """Two lists that grow."""

    plain: Annotated[list, operator.add]
    messages: Annotated[list, add_messages]


class LinearRunner(Runner):
    """Runs a program whose lists have plain reducers."""

    is_linear = False

    def graph(self) -> Any:
        """Compile the graph."""
        builder = StateGraph(State)
        for name, node in self.program["nodes"].items():
            builder.add_node(name, self._node(name, node))
        for edge in SHAPES[self.program["shape"]]:
            builder.add_edge(*edge)
        if not self.program["subgraph"]:
            return builder.compile(checkpointer=self.saver)
        outer = StateGraph(State)
        outer.add_node("inner", builder.compile())
        outer.add_edge(START, "inner")
        return outer.compile(checkpointer=self.saver)

    def states(self) -> list[Any]:
        """Return what the thread holds at each checkpoint, newest first."""
        return [
            [state.metadata["step"], *shown(state.values), sorted(state.next)]
            for state in self.graph().get_state_history(THREAD)
        ]

    def _writes(self, kind: str, tag: str) -> Any:
        if kind == "nothing":
            return {}
        if kind == "overwrite":
            return {"plain": Overwrite([tag]), "messages": Overwrite([AIMessage(tag, id=tag)])}
        if kind == "add two":
            # The first without an id, in another form; the second takes the place of one, if there.
            return {
                "plain": [tag, f"{tag}'"],
                "messages": [("user", tag), AIMessage("again", id="x")],
            }
        if hash(tag) % 7 == 0:
            return {"plain": [tag], "messages": [AIMessage(tag, id="x"), RemoveMessage("x")]}
        return {"plain": [tag], "messages": [("ai", tag)]}

    def _do(self, action: dict[str, Any]) -> Any:
        if action["do"] == "migrate":
            self.saver.linear_storage = self.is_linear and not self.saver.linear_storage
            return None
        return super()._do(action)

    def _invoke(self, graph: Any, given: Any, config: Any, durability: str) -> Any:
        if self.program["async"]:
            result = asyncio.run(graph.ainvoke(given, config, durability=durability))
        else:
            result = graph.invoke(given, config, durability=durability)
        return without_ids(shown(result))

    def _at(self, number: int) -> Any:
        stored = (one for one in self.saver.list(THREAD) if one.metadata["step"] != STUB)
        found = list(stored)
        return found[number % len(found)].config if found else THREAD

    def _stored(self) -> dict[str, Any]:
        return {"states": self.states()}


def shown(values: Any) -> list[Any]:
    """The two lists, messages as type, text and id."""
    messages = values.get("messages")
    if messages is not None:
        messages = [[message.type, message.content, message.id] for message in messages]
    return [values.get("plain"), messages]


@contextmanager
def saver_of(path: Path, made: dict[str, Any]) -> Iterator[Any]:
    """A saver for a program: on a database, unless it is an async one."""
    if made["async"]:
        yield InMemorySaver()
    else:
        with SqliteSaver.from_conn_string(str(path)) as saver:
            yield saver


def done(runner: LinearRunner, part: str) -> Any:
    """Do a part of the work and return what was seen."""
    if part in ("plain", "linear"):
        runner.is_linear = runner.saver.linear_storage = part == "linear"
        return runner.run()
    seen = [runner.states()]
    if part == "go on":
        runner.saver.linear_storage = True
        for action in (
            {"do": "invoke", "durability": "sync"},
            {"do": "update", "durability": "sync", "at": None, "as_node": None, "writes": "add"},
            {"do": "resume", "durability": "exit"},
            {"do": "fork", "durability": "async", "at": 3},
        ):
            runner._act(action)
        seen.append(runner.states())
    return seen


def main() -> None:
    """Do what the command line says."""
    folder, seeds, part = sys.argv[1:]
    first, last = map(int, seeds.split(":"))
    for seed in range(first, last):
        made = program(seed)
        path = Path(folder) / f"{seed}{'.plain' if part == 'plain' else ''}.sqlite"
        if made["async"] and part not in ("plain", "linear"):
            continue
        with saver_of(path, made) as saver:
            print(
                json.dumps([seed, done(LinearRunner(made, saver), part)], default=repr), flush=True
            )


if __name__ == "__main__":
    main()
