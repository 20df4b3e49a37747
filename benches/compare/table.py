"""Rows as text on the terminal."""

from __future__ import annotations

from benches.compare.coldstart import ColdStart
from benches.compare.rows import Row

_HEADINGS = (
    "case",
    "mode",
    "upstream/ours",
    "range",
    "processor",
    "ours/floor",
    "processor",
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


def _cells(row: Row) -> list[str]:
    speedup, span = "-", "-"
    if row.speedup:
        middle, low, high = row.speedup
        speedup, span = ratio(middle), f"{number(low)}-{number(high)}"
    over = [ratio(row.over_floor), ratio(row.processor_over_floor)]
    ratios = [speedup, span, ratio(row.processor_speedup), *over]
    measured = (row.ours, row.processor, row.upstream, row.floor)
    return [row.case, row.mode, *ratios, *(number(row.per_step(value)) for value in measured)]


def _remarks(row: Row | None) -> str:
    if row is None:
        return ""
    remarks = [f"per {row.unit}"] if row.unit != "step" else []
    if row.same_result is False:
        remarks.append("DIFFERENT RESULT")
    remarks += [f"{side} {number(row.per_step(took))}" for side, took in row.others.items()]
    remarks += [f"{side}: {error[:90]}" for side, error in row.errors.items()]
    return "; ".join(remarks)


def ratio(value: float | None) -> str:
    """Two decimals where the first alone would hide whether it is more than one."""
    if value is None:
        return "-"
    return f"{value:.2f}x" if value < 2 else f"{value:.1f}x"


def number(value: float | None) -> str:
    """Three digits or so."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"
