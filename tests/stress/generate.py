"""A program from a seed: a graph, how it is run, and what goes wrong, as plain data."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.stress.generate_graph import graph
from tests.stress.generate_tasks import entry

MODES = ("values", "updates", "custom", "tasks", "checkpoints", "debug", "messages")


def program(seed: int) -> dict[str, Any]:
    """The program of `seed`: the same in every process and on every machine."""
    random = Random(seed)
    asynchronous = random.random() < 0.5
    made: dict[str, Any] = {"seed": seed, "async": asynchronous}
    # Most programs have one or two things that go wrong, so that what comes of them is clear.
    faults = random.choice((0, 1, 1, 1, 2, 3))
    if random.random() < 0.2:
        made["entry"] = entry(random, asynchronous, faults)
    else:
        made["graph"] = graph(random, asynchronous, faults)
    names = list(made["graph"]["nodes"] if "graph" in made else made["entry"]["tasks"])
    made["panics_at"] = random.choice(names) if faults and random.random() < 0.04 else None
    made["saver"] = _saver(random, "'ask'" in str(made))
    made["cache"] = "'cached': True" in str(made)
    made["runs"] = _runs(random, made)
    if made["runs"][0]["end"] == {"signal": None}:
        _node_that_signals(random, made)
    made["loop"] = random.choice(("main", "main", "main", "thread"))
    made["switch"] = random.choice((0.005, 0.005, 0.005, 0.0001, 0.00001))
    _reenter_once(made, [])
    return made


def _reenter_once(made: Any, found: list[Any]) -> None:
    """Leave one node that runs the whole again: with several, the runs would multiply."""
    for part in made.values() if isinstance(made, dict) else made:
        if isinstance(part, dict) and part.get("do") == "reenter" and part["what"] == "same":
            found.append(part)
            part["what"] = "same" if len(found) == 1 else "other"
        elif isinstance(part, dict | list):
            _reenter_once(part, found)


def _saver(random: Random, needed: bool) -> dict[str, Any]:
    kinds = ("memory", "memory", "odd") if needed else ("memory", "memory", "odd", None, None)
    kind = random.choice(kinds)
    fails = []
    if kind == "odd" and random.random() < 0.4:
        method = random.choice(("put", "put", "put_writes"))
        fails.append([method, random.choice((1, 2, 3, 4)), random.choice(("before", "after"))])
    return {"kind": kind, "ms": random.choice((0, 0, 1, 2)) if kind == "odd" else 0, "fails": fails}


def _runs(random: Random, made: dict[str, Any]) -> list[dict[str, Any]]:
    count = random.choice((1, 1, 1, 1, 2, 3))
    runs = [_run(random, made, count == 1) for _ in range(count)]
    if made["cache"]:
        # Runs side by side would share what one of them stored amid a fault.
        runs = runs[:1]
    return runs


def _run(random: Random, made: dict[str, Any], alone: bool) -> dict[str, Any]:
    how = random.choice(("invoke", "stream"))
    if made["async"]:
        where = "async"
    else:
        where = random.choice(("plain", "plain", "plain", "async", "async", "coroutine", "thread"))
    signals = where == "plain" and alone and random.random() < 0.1
    run: dict[str, Any] = {
        "how": how,
        "where": where,
        "limit": random.choice((None, None, None, 1, 1, 2, 3, 4)),
        "durability": random.choice(("sync", "sync", "async", "exit")),
        "end": {"signal": random.choice((None, None, 0.1, 1, 3))} if signals else None,
    }
    if how == "stream":
        run["modes"] = random.sample(MODES[:6], random.choice((1, 1, 2, 3)))
        if random.random() < 0.05:
            run["modes"] = ["messages", "updates"]
        run["subgraphs"] = random.random() < 0.3
    if not signals and random.random() < 0.35:
        run["end"] = _end(random, made, how, where)
    return run


def _end(random: Random, made: dict[str, Any], how: str, where: str) -> dict[str, Any] | None:
    """How somebody ends the run before it is over."""
    chunks = random.choice((0, 1, 1, 2, 3))
    if how == "stream" and (where != "async" or random.random() < 0.5):
        return {"close": random.choice(("close", "drop")), "after": chunks}
    if where != "async":
        return None
    kind = random.choice(("cancel", "cancel", "timeout", "wait_for"))
    end: dict[str, Any] = {"cancel": kind, "ms": random.choice((0, 0.2, 1, 2, 4))}
    if kind == "cancel" and random.random() < 0.6:
        names = made["graph"]["nodes"] if "graph" in made else made["entry"]["tasks"]
        end["at"] = random.choice(list(names))
    return end


def _node_that_signals(random: Random, made: dict[str, Any]) -> None:
    nodes = made["graph"]["nodes"] if "graph" in made else made["entry"]["tasks"]
    functions = [node for node in nodes.values() if "steps" in node]
    if functions:
        random.choice(functions)["steps"].append({"do": "signal"})
