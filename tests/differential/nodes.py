"""What the nodes of a program do, from data.

A node's work is a generator that asks for what a sync node does by calling and an async node by
awaiting, so that both do the same.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import zlib
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import (
    AIMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
)
from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore
from langgraph.types import Command, Overwrite, Send, StreamWriter, interrupt

from tests.differential.plain import plain

_RANDOM = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}")
_MESSAGES = {"ai": AIMessage, "human": HumanMessage, "system": SystemMessage}


class Boom(Exception):
    """An error that only the program knows."""


ERRORS = {
    "ValueError": ValueError,
    "RuntimeError": RuntimeError,
    "ConnectionError": ConnectionError,
    "Boom": Boom,
    "Exception": Exception,
}


CALL = 150
MOST_SEEN = 300_000
"""How much a program's nodes may see: more than those of any but a few programs do."""


@dataclass
class World:
    """What the nodes of one program share: how often each was called, and what it saw."""

    calls: Counter[str] = field(default_factory=Counter)
    seen: list[Any] = field(default_factory=list)
    volume: int = 0
    """How much was written down, in characters, and `CALL` for each time."""

    def note(self, *what: Any) -> None:
        """Write down what a node saw; a program that sees too much fails from there on."""
        if self.grown:
            raise RuntimeError("the program grows beyond all bounds")
        noted = [plain(item) for item in what]
        self.volume += CALL + len(json.dumps(noted))
        self.seen.append(noted)

    @property
    def grown(self) -> bool:
        """Whether tasks multiply, or values double, until nobody can wait for the end."""
        return self.volume > MOST_SEEN


@dataclass(frozen=True)
class Ask:
    """Something that a sync and an async node do each in its own way."""

    call: Callable[[], Any]
    awaited: Callable[[], Any]


Work = Generator[Ask, Any, Any]


def work(name: str, node: dict[str, Any], world: World, state: Any) -> Work:
    """Run the steps of `node`, then give what it returns."""
    world.calls[name] += 1
    call = world.calls[name]
    world.note(name, state)
    answers = []
    for step in node["steps"]:
        if step["do"] == "interrupt":
            answers.append(interrupt(step["value"]))
        elif step["do"] == "emit":
            get_stream_writer()(step["value"])
        elif step["times"] is None or call <= step["times"]:
            yield sleep(moment(name))
            raise ERRORS[step["error"]](f"{name} failed in call {call if step['times'] else 'n'}")
    if answers:
        world.note(name, "answers", answers)
    if node["returns"]["form"] in ("odd", "several"):
        # It may be refused; as with errors, its neighbours should be done first.
        yield sleep(moment(name) - 0.01)
    return result(node["returns"], state)


def moment(name: str) -> float:
    """When a node fails, if it does.

    Failing late makes sure that what runs beside it is done: whether it is would be chance. Each
    node fails at another moment for the same reason, those of subgraphs last.
    """
    return 0.03 + 0.02 * int(name[1:]) + (0.2 if name[0] == "s" else 0)


def sleep(seconds: float) -> Ask:
    """Wait, without the event loop waiting too."""
    return Ask(lambda: time.sleep(seconds), lambda: asyncio.sleep(seconds))


def as_function(node: dict[str, Any], world: World, name: str, begin: Callable[[Any], Work]) -> Any:
    """A function with the signature that `node` names, sync or async, which does `begin`'s work."""
    signature = node.get("signature", "state")
    if node["async"]:
        return _ASYNC[signature](begin, world, name)
    return _SYNC[signature](begin, world, name)


def result(returns: dict[str, Any], state: Any) -> Any:
    """What a node returns, from data."""
    form = returns["form"]
    if form == "update":
        return _writes(returns["writes"], state)
    if form == "several":
        return [result(item, state) for item in returns["items"]]
    if form == "odd":
        return returns["value"]
    if form == "none":
        return None
    given: dict[str, Any] = {}
    if returns["writes"] is not None:
        update = _writes(returns["writes"], state)
        given["update"] = list(update.items()) if returns["pairs"] else update
    if returns["goto"]:
        given["goto"] = choose(returns["goto"], state)
    if returns["parent"]:
        given["graph"] = Command.PARENT
    return Command(**given)


def choose(options: list[Any], state: Any) -> Any:
    """One of `options`, depending on the state and on nothing else."""
    return target(options[fingerprint(state) % len(options)], state)


def target(option: Any, state: Any) -> Any:
    """A way on: a name, a packet, or a list of those."""
    if isinstance(option, list):
        return [target(item, state) for item in option]
    if isinstance(option, dict):
        return Send(option["send"], _writes(option["argument"], state))
    return option


def evaluate(expression: Any, state: Any) -> Any:
    """The value that an expression stands for in `state`."""
    ((kind, content), *rest) = expression.items()
    if kind == "literal":
        return json.loads(json.dumps(content))
    if kind == "tag":
        return f"{content}#{fingerprint(state) % 4096:03x}"
    if kind == "key":
        return _get(state, content)
    if kind == "list":
        return [evaluate(item, state) for item in content]
    if kind == "dict":
        return {key: evaluate(item, state) for key, item in content.items()}
    if kind == "overwrite":
        return Overwrite(evaluate(content, state))
    return _message(content, dict(rest))


def fingerprint(state: Any) -> int:
    """A number that is the same for the same state in every process; random ids do not count."""
    return zlib.crc32(_RANDOM.sub("?", json.dumps(plain(state))).encode())


def _message(form: str, parts: dict[str, Any]) -> Any:
    if form == "tuple":
        return ("human", parts["content"])
    if form == "dict":
        return {"role": "user", "content": parts["content"], "id": parts["id"]}
    if form == "remove":
        return RemoveMessage(id=parts["id"])
    return _MESSAGES[form](content=parts["content"], id=parts["id"])


def _writes(writes: dict[str, Any], state: Any) -> dict[str, Any]:
    return {key: evaluate(expression, state) for key, expression in writes.items()}


def _get(state: Any, key: str) -> Any:
    return state.get(key) if isinstance(state, dict) else getattr(state, key, None)


def now(work: Work) -> Any:
    answer = None
    try:
        while True:
            answer = work.send(answer).call()
    except StopIteration as end:
        return end.value


async def soon(work: Work) -> Any:
    answer = None
    try:
        while True:
            answer = await work.send(answer).awaited()
    except StopIteration as end:
        return end.value


def _look_at_config(world: World, name: str, config: RunnableConfig) -> None:
    kept = {key: config.get(key) for key in ("tags", "metadata", "recursion_limit", "run_name")}
    public = {k: v for k, v in config["configurable"].items() if not k.startswith("__")}
    world.note(name, "config", kept, public, config.get("max_concurrency"))


def _look_at_runtime(world: World, name: str, runtime: Runtime) -> None:
    world.note(name, "runtime", runtime.context, runtime.previous, runtime.execution_info)


def _sync_functions() -> dict[str, Any]:
    def plain_one(begin, world, name):
        def node(state):
            return now(begin(state))

        return node

    def with_config(begin, world, name):
        def node(state, config: RunnableConfig):
            _look_at_config(world, name, config)
            return now(begin(state))

        return node

    def with_runtime(begin, world, name):
        def node(state, runtime: Runtime):
            _look_at_runtime(world, name, runtime)
            return now(begin(state))

        return node

    def with_writer(begin, world, name):
        def node(state, *, writer: StreamWriter):
            writer(("written", name))
            return now(begin(state))

        return node

    def with_store(begin, world, name):
        def node(state, *, store: BaseStore):
            store.put(("calls",), name, {"number": world.calls[name]})
            world.note(name, "stored", store.get(("calls",), name).key)
            return now(begin(state))

        return node

    return dict(
        zip(_NAMES, (plain_one, with_config, with_runtime, with_writer, with_store), strict=True)
    )


def _async_functions() -> dict[str, Any]:
    def plain_one(begin, world, name):
        async def node(state):
            return await soon(begin(state))

        return node

    def with_config(begin, world, name):
        async def node(state, config: RunnableConfig):
            _look_at_config(world, name, config)
            return await soon(begin(state))

        return node

    def with_runtime(begin, world, name):
        async def node(state, runtime: Runtime):
            _look_at_runtime(world, name, runtime)
            return await soon(begin(state))

        return node

    def with_writer(begin, world, name):
        async def node(state, *, writer: StreamWriter):
            await asyncio.sleep(0)
            writer(("written", name))
            return await soon(begin(state))

        return node

    def with_store(begin, world, name):
        async def node(state, *, store: BaseStore):
            await store.aput(("calls",), name, {"number": world.calls[name]})
            return await soon(begin(state))

        return node

    return dict(
        zip(_NAMES, (plain_one, with_config, with_runtime, with_writer, with_store), strict=True)
    )


_NAMES = ("state", "config", "runtime", "writer", "store")
_SYNC = _sync_functions()
_ASYNC = _async_functions()
