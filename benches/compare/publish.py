"""The stored results as text: a dozen rows in the README, all of them on a page of their own.

The README's rows stand for what people do. They are chosen once, here, and not by how they turn
out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benches.compare.table import number
from sync.pins import CORE, ROOT

README = ROOT / "README.md"
PAGE = ROOT / "docs" / "trust" / "benchmarks.md"

BENCH = "bench"
AGENTS = "agents"
"""Names of the places that are written: between `<!-- NAME:begin -->` and `<!-- NAME:end -->`."""

SHOWN = {
    ("create_agent", "async"): "an agent of langchain's with two tools, a turn",
    ("create_agent_3_middleware", "async"): "the same with three middleware",
    ("supervisor_3_agents", "async"): "a supervisor with three agents, a question",
    ("react_agent_10x", "sync"): "the prebuilt agent with ten tool calls, a step",
    ("react_agent_10x_tracer", "sync"): "the same with a tracer",
    ("messages_200_tokens", "async"): "streaming a model's answer, a token",
    ("chat_turn_200_memory", "sync"): "the 200th turn of a chat, kept in memory",
    ("chat_turn_200_sqlite", "async"): "the same in SQLite",
    ("chat_turn_200_postgres", "async"): "the same in Postgres",
    ("sqlite_superstep", "sync"): "a superstep that waits until SQLite has stored it",
    ("interrupt_and_resume", "sync"): "stopping for an answer and going on",
    ("pydantic_state_25x300_checkpoint_default", "sync"): "a wide pydantic state, stored, a step",
    ("fanout_to_subgraph_100x", "async"): "a hundred branches, each a subgraph, a step",
    ("concurrent_runs_1000", "async"): "a thousand runs on one event loop, a run",
    ("chain_100", "sync"): "a chain of nodes that do nothing, a step",
}
"""The README's rows: case and mode, and what to call it."""


def publish(document: dict[str, Any], readme: Path = README, page: Path = PAGE) -> None:
    """Write what is between the markers of both.

    Raises:
        ValueError: the markers are not there; nothing is written then.
    """
    summary = readme.read_text(encoding="utf-8")
    summary = _between(summary, BENCH, _block(_summary(document)))
    summary = _between(summary, AGENTS, _agents(document))
    full = _between(page.read_text(encoding="utf-8"), BENCH, _block(_full(document)))
    readme.write_text(summary, encoding="utf-8")
    page.write_text(full, encoding="utf-8")


def _between(text: str, name: str, content: str) -> str:
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, found_begin, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise ValueError(f"the text has no {begin} ... {end}")
    return f"{before}{begin}{content}{end}{after}"


def _block(lines: list[str]) -> str:
    return "\n" + "\n".join(lines) + "\n"


def _agents(document: dict[str, Any]) -> str:
    """How many times faster agents are: what a reader of the first lines must not miss."""
    ratios = [row["speedup"][0] for row in _good(document) if row["case"].startswith("react_agent")]
    return f"{number(min(ratios))} to {number(max(ratios))}" if ratios else "not measured"


def _summary(document: dict[str, Any]) -> list[str]:
    rows = {(row["case"], row["mode"]): row for row in _good(document)}
    lines = [
        "| | | times faster than upstream | in processor time | us |",
        "|---|---|---|---|---|",
    ]
    for (case, mode), text in SHOWN.items():
        if row := rows.get((case, mode)):
            faster = _range(row["speedup"]), number(row.get("processor_speedup"))
            lines.append(_line(text, mode, *faster, number(row["us_per_step"])))
    lines += _cold_start(document, 2)
    return [*lines, "", _measured(document)]


def _full(document: dict[str, Any]) -> list[str]:
    lines = [
        "| case | mode | times faster than upstream | in processor time | times the floor "
        "| in processor time | us | per | others, us |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in _good(document):
        faster = _range(row["speedup"]), number(row.get("processor_speedup"))
        floor = number(row["over_floor"]), number(row.get("processor_over_floor"))
        others = row.get("us_per_step_others", {})
        beside = ", ".join(f"{side} {number(took)}" for side, took in others.items())
        took = number(row["us_per_step"])
        unit = row.get("unit", "step")
        lines.append(_line(row["case"], row["mode"], *faster, *floor, took, unit, beside))
    lines += _cold_start(document, 6)
    return [*lines, *_fsyncs(document), *_missing(document), "", _measured(document)]


def _good(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of which both sides did the same."""
    return [row for row in document["rows"] if row["speedup"] and row["same_result"]]


def _missing(document: dict[str, Any]) -> list[str]:
    """What was not measured, or not on each side, with the reason."""
    found = [
        f"- {row['case']}, {row['mode']}: {side}: {error}"
        for row in document["rows"]
        for side, error in row.get("errors", {}).items()
    ]
    return ["", "Not measured:", "", *found] if found else []


def _cold_start(document: dict[str, Any], empty: int) -> list[str]:
    cold = document.get("cold_start", {})
    if "ratio" not in cold:
        return []
    return [
        _line("from starting Python to the first result", "", f"{cold['ratio']:.1f}", *[""] * empty)
    ]


def _fsyncs(document: dict[str, Any]) -> list[str]:
    counted = document.get("fsyncs", {})
    if not counted:
        return []
    heads = list(next(iter(counted.values())))
    return [
        "",
        "How often a superstep in SQLite makes the disk be waited for, with durability `sync`:",
        "",
        _line("", *heads),
        _line(*["---"] * (len(heads) + 1)),
        *(_line(side, *map(number, found.values())) for side, found in counted.items()),
    ]


def _measured(document: dict[str, Any]) -> str:
    machine = document["machine"]
    many = document["rounds"] > 1
    rounds = f"{document['rounds']} rounds" if many else "one round, which has no range"
    return (
        f"Measured against {_versions(document['pins'])}, on CPython {machine['python']}, "
        f"{machine['cpus']} cores, {rounds}."
    )


def _versions(pins: str) -> str:
    """What the figures depend on, of the pins they were measured with."""
    versions = dict(pin.split("==") for pin in pins.split())
    return " with ".join(f"{name} {versions[name]}" for name in (CORE, "langchain-core"))


def _range(speedup: list[float]) -> str:
    middle, low, high = map(number, speedup)
    # Of one round, or where all came out the same, there is none.
    return middle if low == high else f"{middle} ({low}-{high})"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
