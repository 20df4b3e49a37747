"""Graphs as transcripts describe them: see `tests/transcripts/README.md`."""

from __future__ import annotations

import json
import operator
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any

from typing_extensions import TypedDict

from langgraph_rust.channels import AnyValue, EphemeralValue, Topic, UntrackedValue
from langgraph_rust.errors import NodeError
from langgraph_rust.graph import END, START, StateGraph
from langgraph_rust.pregel import Pregel
from langgraph_rust.types import Command, RetryPolicy, Send, interrupt


class Failed(Exception):
    """What `fail` raises."""


def append(items: list[Any], more: Any) -> list[Any]:
    """Grow a list by a list's items, or by a single value."""
    return items + (more if isinstance(more, list) else [more])


KINDS: dict[str, Any] = {
    "last": Any,
    "append": Annotated[list, append],
    "sum": Annotated[int, operator.add],
    "any": Annotated[Any, AnyValue],
    "topic": Annotated[list, Topic(Any)],
    "log": Annotated[list, Topic(Any, accumulate=True)],
    "ephemeral": Annotated[Any, EphemeralValue(Any)],
    "untracked": Annotated[Any, UntrackedValue],
}

PLACES = {"START": START, "END": END}


def place(name: str) -> str:
    return PLACES.get(name, name)


def resolve(value: Any, look_up: Callable[[str], Any]) -> Any:
    """Replace each `"$name"` in a JSON value by what is looked up for it."""
    if isinstance(value, str) and value.startswith("$"):
        return look_up(value[1:])
    if isinstance(value, list):
        return [resolve(item, look_up) for item in value]
    if isinstance(value, dict):
        return {name: resolve(item, look_up) for name, item in value.items()}
    return value


class Statements:
    """What a node does. Counts how often each of its `fail`s was reached."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = [line.split(" ", 1) for line in lines]
        self.failures = [0] * len(lines)

    def perform(self, state: Any, error: NodeError | None = None) -> Any:
        """Do it; return a command for each update, and one that says where to go."""
        updates: list[Any] = []
        goto: list[Any] = []
        answer: Any = None

        def look_up(name: str) -> Any:
            if name == "answer":
                return answer
            if name == "error" and error is not None:
                return f"{error.node}: {error.error}"
            return state.get(name)

        for position, (verb, rest) in enumerate(self.lines):
            if verb == "ask":
                answer = interrupt(resolve(json.loads(rest), look_up))
            elif verb == "goto":
                goto.append(place(rest))
            else:
                first, second = rest.split(" ", 1)
                if verb == "write":
                    updates.append({first: resolve(json.loads(second), look_up)})
                elif verb == "send":
                    goto.append(Send(place(first), resolve(json.loads(second), look_up)))
                elif verb == "fail":
                    self.failures[position] += 1
                    if first == "always" or self.failures[position] <= int(first):
                        raise Failed(second)
        return [Command(update=update) for update in updates] + [Command(goto=goto)] * bool(goto)

    def node(self, is_async: bool) -> Callable[..., Any]:
        def run(state: Any) -> Any:
            try:
                return self.perform(state)
            except Failed:
                # On threads anybody may be first: the transcripts tell of those that finish before.
                time.sleep(0.02)
                raise

        async def arun(state: Any) -> Any:
            return self.perform(state)

        return arun if is_async else run

    def handler(self, is_async: bool) -> Callable[..., Any]:
        def run(state: Any, error: NodeError) -> Any:
            return self.perform(state, error)

        async def arun(state: Any, error: NodeError) -> Any:
            return self.perform(state, error)

        return arun if is_async else run


def blocks(lines: Sequence[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Yield each declaration's words with the statements under it."""
    declared: list[str] | None = None
    under: list[str] = []
    for line in lines:
        if line.startswith(" "):
            under.append(line.strip())
        else:
            if declared is not None:
                yield declared, under
            declared, under = line.split(), []
    if declared is not None:
        yield declared, under


def branch(builder: Any, words: list[str]) -> None:
    """Add what a `branch` line describes."""
    source, kind, field = place(words[0]), words[1], words[2]
    if kind == "to":
        builder.add_conditional_edges(source, lambda state: state[field])
    elif kind == "each":
        target = words[4]
        builder.add_conditional_edges(
            source, lambda state: [Send(target, {"item": item}) for item in state[field]]
        )
    else:
        field, compared, constant = words[2], words[3], json.loads(words[4])
        compare = {"<": operator.lt, "==": operator.eq}[compared]
        then, otherwise = place(words[6]), place(words[8])
        builder.add_conditional_edges(
            source, lambda state: then if compare(state[field], constant) else otherwise
        )


def build(lines: Sequence[str], checkpointer: Any, is_async: bool) -> Pregel:
    """Compile the graph that the lines describe."""
    declared = list(blocks(lines))
    fields = {words[1]: KINDS[words[2]] for words, _ in declared if words[0] == "state"}
    schema = TypedDict("State", fields, total=False)  # type: ignore[operator]
    builder = StateGraph(schema)
    handlers = {words[1]: Statements(under) for words, under in declared if words[0] == "handler"}
    for (verb, *words), under in declared:
        if verb == "node":
            name, *flags = words
            retries = [int(flag[len("retry=") :]) for flag in flags if flag.startswith("retry=")]
            policy = [RetryPolicy(0.0, max_attempts=n, jitter=False) for n in retries]
            handler = handlers[name].handler(is_async) if name in handlers else None
            builder.add_node(
                name,
                Statements(under).node(is_async),
                defer="defer" in flags,
                retry_policy=policy or None,
                error_handler=handler,
            )
        elif verb == "edge":
            builder.add_edge(place(words[0]), place(words[1]))
        elif verb == "join":
            builder.add_edge([place(name) for name in words[:-2]], place(words[-1]))
        elif verb == "branch":
            branch(builder, words)
    return builder.compile(checkpointer=checkpointer)
