"""Perform a program's actions and write down what came of each.

An action is a generator like a node's work: the same steps with sync and with async methods.
"""

from __future__ import annotations

import asyncio
from typing import Any

from langgraph.types import Command, StateUpdate

from tests.differential.endings import GROWN
from tests.differential.graphs import compiled
from tests.differential.listener import Listener
from tests.differential.nodes import Ask, Work, World, evaluate, now, soon
from tests.differential.plain import error, plain

THREAD = {"configurable": {"thread_id": "thread"}}


def transcript(program: dict[str, Any]) -> list[Any]:
    """What building the program's graph and each of its actions gave."""
    world = World()
    try:
        graph = compiled(program["graph"], world)
    except Exception as raised:
        return [error(raised)]
    records = [_perform(graph, world, action) for action in program["script"]]
    return [GROWN] if world.grown else records


def _perform(graph: Any, world: World, action: dict[str, Any]) -> dict[str, Any]:
    world.seen.clear()
    record: dict[str, Any] = {"do": action["do"]}
    steps = ACTIONS[action["do"]](graph, action, record)
    try:
        asyncio.run(soon(steps)) if action["async"] else now(steps)
    except Exception as raised:
        record |= error(raised)
    if world.seen:
        record["seen"] = list(world.seen)
    return record


def _invoke(graph: Any, action: dict[str, Any], record: dict[str, Any]) -> Work:
    config = yield from _config(graph, action)
    given = yield from _input(graph, action["input"])
    options = _run_options(action)
    _listen(action, config, record)
    if modes := action.get("modes"):
        options["stream_mode"] = modes
    answer = yield Ask(
        lambda: graph.invoke(given, config, **options),
        lambda: graph.ainvoke(given, config, **options),
    )
    if modes and modes != "values":
        record["chunks"] = [{"chunk": plain(chunk), "settled": False} for chunk in answer]
    else:
        record["answer"] = plain(answer)


def _stream(graph: Any, action: dict[str, Any], record: dict[str, Any]) -> Work:
    config = yield from _config(graph, action)
    given = yield from _input(graph, action["input"])
    options = _run_options(action) | {"subgraphs": action["subgraphs"]}
    if action["modes"]:
        options["stream_mode"] = action["modes"]
    _listen(action, config, record)
    record["chunks"] = chunks = []

    def take() -> None:
        for chunk in graph.stream(given, config, **options):
            chunks.append(_chunk(chunk, action))

    async def atake() -> None:
        async for chunk in graph.astream(given, config, **options):
            chunks.append(_chunk(chunk, action))

    yield Ask(take, atake)


def _get_state(graph: Any, action: dict[str, Any], record: dict[str, Any]) -> Work:
    config = yield from _config(graph, action)
    subgraphs = action["subgraphs"]
    state = yield Ask(
        lambda: graph.get_state(config, subgraphs=subgraphs),
        lambda: graph.aget_state(config, subgraphs=subgraphs),
    )
    record["state"] = plain(state)


def _get_history(graph: Any, action: dict[str, Any], record: dict[str, Any]) -> Work:
    options = {name: action[name] for name in ("limit", "filter") if action.get(name)}
    if (before := action.get("before")) is not None:
        options["before"] = yield from _back(graph, before)
    record["history"] = plain((yield _history(graph, **options)))


def _update_state(graph: Any, action: dict[str, Any], record: dict[str, Any]) -> Work:
    config = yield from _config(graph, action)
    values, as_node = _evaluated(action["values"]), action["as_node"]
    made = yield Ask(
        lambda: graph.update_state(config, values, as_node),
        lambda: graph.aupdate_state(config, values, as_node),
    )
    record["config"] = plain(made)


def _bulk_update_state(graph: Any, action: dict[str, Any], record: dict[str, Any]) -> Work:
    config = yield from _config(graph, action)
    supersteps = [
        [StateUpdate(_evaluated(update["values"]), update["as_node"]) for update in updates]
        for updates in action["supersteps"]
    ]
    made = yield Ask(
        lambda: graph.bulk_update_state(config, supersteps),
        lambda: graph.abulk_update_state(config, supersteps),
    )
    record["config"] = plain(made)


def _stored(graph: Any, action: dict[str, Any], record: dict[str, Any]) -> Work:
    """Everything the saver has, subgraphs' checkpoints included."""
    found = list(graph.checkpointer.list(THREAD))
    record["stored"] = [plain(checkpoint) for checkpoint in found]
    yield from ()


ACTIONS = {
    "invoke": _invoke,
    "stream": _stream,
    "get_state": _get_state,
    "history": _get_history,
    "update_state": _update_state,
    "bulk_update_state": _bulk_update_state,
    "stored": _stored,
}


def _config(graph: Any, action: dict[str, Any]) -> Work:
    """The config of an action: of the thread, or of a checkpoint in its history."""
    config: dict[str, Any] = THREAD
    if action.get("at") is not None:
        config = yield from _back(graph, action["at"])
    config = {"configurable": dict(config["configurable"])}
    if "limit" in action and action["do"] != "history":
        config["recursion_limit"] = action["limit"]
    if action.get("configured"):
        config |= {"tags": ["tagged"], "metadata": {"by": "caller"}, "run_name": "named"}
        config["configurable"]["own"] = 1
    if "max_concurrency" in action:
        config["max_concurrency"] = action["max_concurrency"]
    return config


def _back(graph: Any, steps: int) -> Work:
    """The config of the checkpoint that many steps back, or of the thread if there is none."""
    found = yield _history(graph)
    return found[steps % len(found)].config if found else THREAD


def _history(graph: Any, **options: Any) -> Ask:
    async def collected() -> list[Any]:
        return [state async for state in graph.aget_state_history(THREAD, **options)]

    return Ask(lambda: list(graph.get_state_history(THREAD, **options)), collected)


def _input(graph: Any, given: dict[str, Any]) -> Work:
    kind = given["kind"]
    if kind == "none":
        return None
    if kind == "values":
        return _evaluated(given["values"])
    if kind == "resume":
        return Command(resume=given["answer"])
    if kind == "resume_ids":
        state = yield Ask(lambda: graph.get_state(THREAD), lambda: graph.aget_state(THREAD))
        ids = [interrupt.id for interrupt in state.interrupts]
        answers = {i: f"{given['answer']}-{n}" for n, i in enumerate(ids)}
        return Command(resume=dict(list(answers.items())[: 1 if given["first"] else None]))
    parts: dict[str, Any] = {}
    if "writes" in given:
        parts["update"] = _evaluated(given["writes"])
    if "goto" in given:
        parts["goto"] = given["goto"]
    if "answer" in given:
        parts["resume"] = given["answer"]
    return Command(**parts)


def _run_options(action: dict[str, Any]) -> dict[str, Any]:
    names = (
        "durability",
        "version",
        "interrupt_before",
        "interrupt_after",
        "output_keys",
        "context",
    )
    return {name: action[name] for name in names if name in action}


def _listen(action: dict[str, Any], config: dict[str, Any], record: dict[str, Any]) -> None:
    if action.get("listen"):
        listener = Listener()
        config["callbacks"] = [listener]
        record["heard"] = listener.heard


def _evaluated(values: dict[str, Any] | None) -> dict[str, Any] | None:
    return values and {key: evaluate(expression, {}) for key, expression in values.items()}


def _chunk(chunk: Any, action: dict[str, Any]) -> dict[str, Any]:
    """A chunk, and whether what comes before it must have come before it.

    The state after a superstep is given out when all of its tasks are over; between two such
    chunks, tasks that ran side by side may report in any order.
    """
    return {"chunk": plain(chunk), "settled": _settled(chunk, action)}


def _settled(chunk: Any, action: dict[str, Any]) -> bool:
    namespace, mode, data = _parts(chunk, action)
    if namespace:
        return False
    if mode == "values":
        # A question comes as values, too, in the middle of a superstep.
        asked = chunk["interrupts"] if action.get("version") else "__interrupt__" in (data or ())
        return not asked
    return mode == "checkpoints" or (mode == "debug" and data["type"] == "checkpoint")


def _parts(chunk: Any, action: dict[str, Any]) -> tuple[Any, Any, Any]:
    """A chunk's namespace, mode and data, which stand where the options of the stream put them."""
    if action.get("version"):
        return chunk["ns"], chunk["type"], chunk["data"]
    modes = action["modes"] or "updates"
    namespace, rest = (), chunk
    if isinstance(modes, list):
        *outer, mode, data = chunk
        return outer[0] if outer else (), mode, data
    if action["subgraphs"]:
        namespace, rest = chunk
    return namespace, modes, rest
