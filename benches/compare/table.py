"""Rows as text: the table on the terminal, and the one in the README."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benches.compare.coldstart import ColdStart
from benches.compare.rows import Row
from sync.pins import CORE

README_BEGIN = "<!-- bench:begin -->"
README_END = "<!-- bench:end -->"
AGENTS_BEGIN = "<!-- agents:begin -->"
AGENTS_END = "<!-- agents:end -->"

_HEADINGS = (
    "case",
    "mode",
    "upstream/ours",
    "range",
    "processor",
    "ours/floor",
    "us/step",
    "processor",
    "upstream",
    "floor",
)


def terminal_table(rows: list[Row]) -> str:
    """One line per case and mode; ratios first, microseconds per superstep behind."""
    lines = [list(_HEADINGS), *([*_cells(row)] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(_HEADINGS))]
    text = []
    for line, row in zip(lines, [None, *rows], strict=True):
        left = [line[0].ljust(widths[0]), line[1].ljust(widths[1])]
        right = [cell.rjust(width) for cell, width in zip(line[2:], widths[2:], strict=True)]
        text.append("  ".join([*left, *right, _remarks(row)]).rstrip())
    return "\n".join(text)


def cold_start_lines(sides: dict[str, ColdStart | str]) -> str:
    """The cold start of both sides, and the ratio of the whole processes."""
    lines = []
    for side, result in sides.items():
        if isinstance(result, str):
            lines.append(f"cold start {side:9} {result}")
            continue
        loaded = ", ".join(result.loaded) or "none of the watched modules"
        lines.append(
            f"cold start {side:9} {result.wall * 1e3:6.0f} ms process, "
            f"{result.inside * 1e3:6.0f} ms import to result, {result.modules} modules; {loaded}"
        )
    ours, upstream = sides.get("ours"), sides.get("upstream")
    if isinstance(ours, ColdStart) and isinstance(upstream, ColdStart):
        whole, inside = upstream.wall / ours.wall, upstream.inside / ours.inside
        lines.append(
            f"cold start upstream/ours: process {whole:.1f}x, import to result {inside:.1f}x"
        )
    return "\n".join(lines)


def write_readme_table(readme: Path, document: dict[str, Any]) -> None:
    """Replace what is between the markers in `readme` with the stored results.

    Raises:
        ValueError: the markers are not there.
    """
    text = readme.read_text(encoding="utf-8")
    table = "\n".join(_markdown(document))
    text = _between(text, README_BEGIN, README_END, f"\n{table}\n")
    text = _between(text, AGENTS_BEGIN, AGENTS_END, _agents(document))
    readme.write_text(text, encoding="utf-8")


def _between(text: str, begin: str, end: str, content: str) -> str:
    before, found_begin, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise ValueError(f"the text has no {begin} ... {end}")
    return f"{before}{begin}{content}{end}{after}"


def _agents(document: dict[str, Any]) -> str:
    """How many times faster agents are: what a reader of the first lines must not miss."""
    ratios = [
        row["speedup"][0]
        for row in document["rows"]
        if row["case"].startswith("react_agent") and row["speedup"] and row["same_result"]
    ]
    return f"{_number(min(ratios))} to {_number(max(ratios))}" if ratios else "not measured"


def _markdown(document: dict[str, Any]) -> list[str]:
    lines = [
        "| case | mode | times faster than upstream | times the floor | us per step |",
        "|---|---|---|---|---|",
    ]
    for row in document["rows"]:
        if row["speedup"] and row["same_result"]:
            middle, low, high = map(_number, row["speedup"])
            lines.append(
                f"| {row['case']} | {row['mode']} | {middle} ({low}-{high}) "
                f"| {_number(row['over_floor'])} | {_number(row['us_per_step'])} |"
            )
    cold = document.get("cold_start", {})
    if "ratio" in cold:
        lines.append(f"| cold start (whole process) | | {cold['ratio']:.1f} | | |")
    machine = document["machine"]
    lines += [
        "",
        f"Measured against {_versions(document['pins'])}, on CPython {machine['python']}, "
        f"{machine['cpus']} cores, {document['rounds']} rounds.",
    ]
    return lines


def _versions(pins: str) -> str:
    """What the figures depend on, of the pins they were measured with."""
    versions = dict(pin.split("==") for pin in pins.split())
    return " with ".join(f"{name} {versions[name]}" for name in (CORE, "langchain-core"))


def _cells(row: Row) -> list[str]:
    ratio, span = "-", "-"
    if row.speedup:
        middle, low, high = row.speedup
        ratio, span = _ratio(middle), f"{_number(low)}-{_number(high)}"
    ratios = [ratio, span, _ratio(row.processor_speedup), _ratio(row.over_floor)]
    measured = (row.ours, row.processor, row.upstream, row.floor)
    return [row.case, row.mode, *ratios, *(_number(row.per_step(value)) for value in measured)]


def _remarks(row: Row | None) -> str:
    if row is None:
        return ""
    remarks = [f"per {row.unit}"] if row.unit != "step" else []
    if row.same_result is False:
        remarks.append("DIFFERENT RESULT")
    remarks += [f"{side} {_number(row.per_step(took))}" for side, took in row.others.items()]
    remarks += [f"{side}: {error[:90]}" for side, error in row.errors.items()]
    return "; ".join(remarks)


def _ratio(value: float | None) -> str:
    """Two decimals where the first alone would hide whether it is more than one."""
    if value is None:
        return "-"
    return f"{value:.2f}x" if value < 2 else f"{value:.1f}x"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"
