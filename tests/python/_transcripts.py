"""Running transcripts through the public API: see `tests/transcripts/README.md`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from _transcripts_graph import build

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.errors import EmptyInputError, GraphRecursionError, InvalidUpdateError
from langgraph_rust.pregel import Pregel
from langgraph_rust.types import Command

DIRECTORY = Path(__file__).parent.parent / "transcripts"


class Entry(NamedTuple):
    """A command and what it prints."""

    command: list[str]
    prints: list[str]


class Driver(NamedTuple):
    """One way to run a graph."""

    is_async: bool
    run: Callable[..., Iterable[Any]]
    """Yields `(mode, payload)`; takes a graph, an input and keyword arguments."""
    sees_all: bool
    """Whether it sees what happens on the way, or the result alone."""


def _invoke(graph: Pregel, input: Any, **options: Any) -> Iterator[Any]:
    yield "values", graph.invoke(input, **options)


def _ainvoke(graph: Pregel, input: Any, **options: Any) -> Iterator[Any]:
    yield "values", asyncio.run(graph.ainvoke(input, **options))


def _stream(*more: Any) -> Callable[..., Iterable[Any]]:
    def run(graph: Pregel, input: Any, **options: Any) -> Iterator[Any]:
        modes = ["tasks", "updates", "values", *more]
        return graph.stream(input, stream_mode=modes, **options)

    return run


def _astream(graph: Pregel, input: Any, **options: Any) -> Iterator[Any]:
    chunks: list[Any] = []
    ended: list[BaseException] = []

    async def run() -> None:
        try:
            async for chunk in graph.astream(
                input, stream_mode=["tasks", "updates", "values"], **options
            ):
                chunks.append(chunk)
        except Exception as error:
            ended.append(error)

    asyncio.run(run())
    yield from chunks
    if ended:
        raise ended[0]


DRIVERS = {
    "invoke": Driver(False, _invoke, False),
    "stream": Driver(False, _stream(), True),
    # Chunks that must leave mid-step: every task runs on a worker.
    "pool": Driver(False, _stream("custom"), True),
    "ainvoke": Driver(True, _ainvoke, False),
    "astream": Driver(True, _astream, True),
    "astream of sync nodes": Driver(False, _astream, True),
}


def read(path: Path) -> list[Entry]:
    """Read a transcript."""
    entries: list[Entry] = []
    lines = iter(path.read_text().splitlines())
    for line in lines:
        if not line or line.startswith("#"):
            continue
        command = [line]
        while (line := next(lines)) != "----":
            command.append(line)
        prints: list[str] = []
        while line := next(lines, ""):
            prints.append(line)
        entries.append(Entry(command, prints))
    return entries


def facts(lines: list[str], driver: Driver) -> list[str]:
    """Leave out of what a command prints what a driver does not see, and the order of a step."""
    kept: list[str] = []
    step: list[str] = []
    for line in lines:
        if line.startswith("| "):
            continue
        if line.startswith(("update ", "ask ")):
            step.append(line)
            continue
        kept += sorted(step)
        step = []
        kept.append(line)
    kept += sorted(step)
    if driver.sees_all or not any(line.startswith("=> ") for line in kept):
        return kept
    values = [line for line in kept if line.startswith("values ")]
    return (values[-1:] if "error" not in kept[-1] else []) + kept[-1:]


def text(value: Any) -> str:
    """Write a value as transcripts do."""
    return json.dumps(value, sort_keys=True)


class Session:
    """The graph that the commands are about, and its thread."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.config: Any = {"configurable": {"thread_id": "1"}}

    def perform(self, command: list[str]) -> list[str]:
        """Perform a command; return what it prints."""
        verb, _, rest = command[0].partition(" ")
        if verb == "graph":
            saver = None if rest == "saver=none" else InMemorySaver()
            self.graph = build(command[1:], saver, self.driver.is_async)
            return ["ok"]
        try:
            if verb == "state":
                return self.state()
            if verb == "history":
                history = self.graph.get_state_history(self.config)
                return [f"{headline(one)} values {text(one.values)}" for one in history]
        except Exception as error:
            return [failure(error)]
        return self.run(verb, rest)

    def state(self) -> list[str]:
        snapshot = self.graph.get_state(self.config)
        lines = [headline(snapshot), f"values {text(snapshot.values)}"]
        for task in snapshot.tasks:
            lines += [f"failed {task.name}"] * (task.error is not None)
            lines += [f"waits {task.name} {text(one.value)}" for one in task.interrupts]
        return lines

    def run(self, verb: str, rest: str) -> list[str]:
        options, argument = self.options(rest)
        lines: list[str] = []
        asked: list[Any] = []
        stopped = False
        try:
            input = self.input(verb, json.loads(argument))
            for mode, payload in self.driver.run(self.graph, input, **options):
                if isinstance(payload, dict) and "__interrupt__" in payload:
                    asked += payload["__interrupt__"] if mode == "values" else ()
                    if mode == "updates" and not payload["__interrupt__"]:
                        lines.append("stop")
                        stopped = True
                    values = {k: v for k, v in payload.items() if k != "__interrupt__"}
                    if mode == "values" and not self.driver.sees_all:
                        lines.append(f"values {text(values)}")
                else:
                    show(mode, payload, lines)
        except Exception as error:
            return [*lines, failure(error)]
        if not self.driver.sees_all and self.graph.checkpointer:
            stopped = bool(self.graph.get_state(self.config).next) and not asked
        questions = sorted({one.id: text(one.value) for one in asked}.values())
        end = "stopped" if stopped else "done"
        return [*lines, f"=> waits for {', '.join(questions)}" if asked else f"=> {end}"]

    def options(self, rest: str) -> tuple[dict[str, Any], str]:
        """Read the words before a command's argument."""
        config = {**self.config}
        options: dict[str, Any] = {"config": config}
        if self.graph.checkpointer:
            options["durability"] = "sync"
        while True:
            word, _, after = rest.partition(" ")
            name, equals, value = word.partition("=")
            if word in ("effects", "late"):
                pass
            elif not (equals and name.isalpha()):
                return options, rest
            elif name == "durability":
                options["durability"] = value
            elif name == "limit":
                config["recursion_limit"] = int(value)
            elif name in ("before", "after"):
                options[f"interrupt_{name}"] = "*" if value == "*" else value.split(",")
            elif name == "at":
                config.update(list(self.graph.get_state_history(self.config))[int(value)].config)
            rest = after

    def input(self, verb: str, argument: Any) -> Any:
        """Make what a command gives to the graph."""
        if verb == "resume":
            return Command(resume=argument)
        if verb == "command":
            return Command(update=argument.get("update"), goto=argument.get("goto", ()))
        if verb == "answer":
            tasks = self.graph.get_state(self.config).tasks
            return Command(
                resume={
                    one.id: argument[task.name]
                    for task in tasks
                    for one in task.interrupts
                    if task.name in argument
                }
            )
        return argument


def show(mode: str, payload: Any, lines: list[str]) -> None:
    """Write down a chunk."""
    if mode == "values":
        lines.append(f"values {text(payload)}")
    elif mode == "tasks" and "triggers" in payload:
        if lines and lines[-1].startswith("start "):
            lines[-1] += f", {payload['name']}"
        else:
            lines.append(f"start {payload['name']}")
    elif mode == "tasks" and payload["interrupts"]:
        questions = ", ".join(text(one["value"]) for one in payload["interrupts"])
        lines.append(f"ask {payload['name']} {questions}")
    elif mode == "updates":
        cached = " (cached)" if payload.pop("__metadata__", {}).get("cached") else ""
        lines += [f"update {name} {text(update)}{cached}" for name, update in payload.items()]


def headline(snapshot: Any) -> str:
    follows = ", ".join(snapshot.next) or "nothing"
    return f"step {snapshot.metadata['step']} {snapshot.metadata['source']} next {follows}"


def failure(error: Exception) -> str:
    """Name an error: the engine's own go by kind, for each language words them its own way."""
    if isinstance(error, GraphRecursionError):
        return "=> error recursion limit"
    if isinstance(error, InvalidUpdateError):
        return "=> error invalid update"
    if isinstance(error, EmptyInputError):
        return "=> error empty input"
    if isinstance(error, RuntimeError) and "multiple pending interrupts" in str(error):
        return "=> error ambiguous answer"
    return f"=> error {error}"
